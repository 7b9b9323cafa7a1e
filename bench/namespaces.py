"""Two hosts on one machine: network namespaces joined by a veth pair, for servers that refuse loopback."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

SERVER, LOAD = "huitang-bench-server", "huitang-bench-load"
SERVER_ADDRESS, LOAD_ADDRESS = "10.77.0.1", "10.77.0.2"


@contextmanager
def pair() -> Iterator[None]:
    """The namespaces SERVER and LOAD with their addresses, gone with the block. Needs root and iproute2."""
    _remove()
    try:
        for name in (SERVER, LOAD):
            _ip("netns", "add", name)
        _ip("link", "add", "veth0", "netns", SERVER, "type", "veth", "peer", "name", "veth0", "netns", LOAD)
        for name, address in ((SERVER, SERVER_ADDRESS), (LOAD, LOAD_ADDRESS)):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "veth0")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "veth0", "up")
        yield
    finally:
        _remove()


def inside(name: str) -> list[str]:
    """What stands before a command that is to run in that namespace."""
    return ["ip", "netns", "exec", name]


def _remove() -> None:
    for name in (SERVER, LOAD):
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)  # noqa: S607


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)  # noqa: S607 - iproute2's, wherever it is
