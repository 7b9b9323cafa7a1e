"""Hosts on one machine: network namespaces, for servers that refuse loopback and for lines that are to be poor."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER, LOAD = "huitang-bench-server", "huitang-bench-load"
SERVER_ADDRESS, LOAD_ADDRESS = "10.77.0.1", "10.77.0.2"
NAMES = Path("/run/netns")  # where iproute2 keeps them
CLONE_NEWNET = 0x40000000  # linux/sched.h; `os.setns` comes with Python 3.12


@contextmanager
def pair(server_core: int, load_core: int) -> Iterator[None]:
    """The namespaces SERVER and LOAD with their addresses, joined by a veth pair. Needs root and iproute2.

    What arrives at either is worked up on its own core, as between two machines.
    """
    with namespace(SERVER), namespace(LOAD):
        ip("link", "add", "veth0", "netns", SERVER, "type", "veth", "peer", "name", "veth0", "netns", LOAD)
        for name, address, core in (
            (SERVER, SERVER_ADDRESS, server_core),
            (LOAD, LOAD_ADDRESS, load_core),
        ):
            bring_up(name, "veth0", address)
            receive_on(name, "veth0", core)
        yield


@contextmanager
def namespace(name: str) -> Iterator[None]:
    """A host of that name with nothing but loopback, gone with the block, and so is one that was left over."""
    remove(name)
    try:
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        remove(name)


@contextmanager
def entered(name: str) -> Iterator[None]:
    """What this thread opens within the block, sockets above all, belongs to that namespace for ever."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    away = os.open(NAMES / name, os.O_RDONLY)
    try:
        _enter(away)
        yield
    finally:
        _enter(home)
        os.close(away)
        os.close(home)


def inside(name: str) -> list[str]:
    """What stands before a command that is to run in that namespace."""
    return ["ip", "netns", "exec", name]


def bring_up(name: str, device: str, address: str) -> None:
    """Give a namespace's device its address, of a network of 254, and let it work."""
    ip("-n", name, "address", "add", f"{address}/24", "dev", device)
    ip("-n", name, "link", "set", device, "up")


def receive_on(name: str, device: str, core: int) -> None:
    """Let the kernel take what arrives at a device up through IP and UDP on that core.

    A veth's other end does it otherwise as part of sending, on the sender's core and at the sender's cost. Receive
    packet steering: Documentation/networking/scaling.rst of Linux.
    """
    mask = f"echo {1 << core:x} > /sys/class/net/{device}/queues/rx-0/rps_cpus"
    subprocess.run([*inside(name), "sh", "-c", mask], check=True, capture_output=True)


def remove(name: str) -> None:
    """Whether it is there or not."""
    subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)  # noqa: S607


def ip(*arguments: str) -> None:
    """iproute2's command, wherever it is. CalledProcessError, FileNotFoundError."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)  # noqa: S607


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
