"""Who drops what does not come: the server and for which reason, the kernel on the way, the subscribers' sockets."""

import contextlib
import re
import socket
import struct
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import aiohttp

from bench.server import Process, Server

SO_MEMINFO, MEMINFO_WORDS, MEMINFO_DROPS = 55, 9, 8  # asm-generic/socket.h, linux/sock_diag.h
UDP_INODE, UDP_DROPS = 9, 12  # columns of /proc/net/udp
BACKLOG_DROPS = 1  # column of SOFTNET
SOFTNET = Path("/proc/net/softnet_stat")  # a line each processor
SERVER_REASON = re.compile(r'^huitang_media_dropped_packets_total\{reason="(\w+)"\} (\S+)$', re.MULTILINE)


async def dropped(process: Process, receiving: Iterable[socket.socket]) -> Counter[str]:
    """Datagrams dropped so far, by who did it; `receiving` are the subscribers' sockets."""
    found = Counter(
        {
            "subscribers' sockets": sum(socket_drops(each) for each in receiving),
            "kernel's backlog": backlog_drops(),
            "server's socket": process_drops(process.pid),
        }
    )
    if isinstance(process, Server):
        async with aiohttp.ClientSession() as http, http.get(f"{process.url}/metrics") as answer:
            answer.raise_for_status()
            found.update(server_drops(await answer.text()))
    return found


def socket_drops(receiving: socket.socket) -> int:
    """What came while its buffer was full, since it was opened."""
    memory = receiving.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * MEMINFO_WORDS)
    drops: int = struct.unpack(f"={MEMINFO_WORDS}I", memory)[MEMINFO_DROPS]
    return drops


def backlog_drops(table: Path = SOFTNET) -> int:
    """What came while a processor's queue of received packets was full."""
    return sum(int(line.split()[BACKLOG_DROPS], 16) for line in table.read_text().splitlines())


def process_drops(pid: int) -> int:
    """What came while the buffer of a UDP socket of that process was full."""
    own = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            own.add(each.readlink().name)
    rows = [
        row.split()
        for table in ("udp", "udp6")
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return sum(int(row[UDP_DROPS]) for row in rows if f"socket:[{row[UDP_INODE]}]" in own)


def server_drops(metrics: str) -> dict[str, int]:
    """Of our own server, from the text of its /metrics."""
    return {f"server: {reason}": int(float(count)) for reason, count in SERVER_REASON.findall(metrics)}
