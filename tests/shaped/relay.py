"""A way to the server by TCP alone (RFC 4571): datagrams of a host's socket go as frames of one connection."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bench.namespaces import entered


@asynccontextmanager
async def relay(host: str, server: tuple[str, int]) -> AsyncIterator[tuple[str, int]]:
    """The address, at that end of the line, from which a member's datagrams are carried to `server` and back."""
    with entered(host):
        outside = socket.create_connection(server)
        inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with outside, inside:
        outside.setblocking(False)
        outside.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inside.bind(("127.0.0.1", 0))
        carrying = asyncio.create_task(_carry(inside, outside))
        yield inside.getsockname()
        carrying.cancel()


async def _carry(inside: socket.socket, outside: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    data, member = await loop.sock_recvfrom(inside, 2048)
    inside.connect(member)
    async with asyncio.TaskGroup() as both:
        both.create_task(_back(outside, inside))
        while True:
            await loop.sock_sendall(outside, struct.pack("!H", len(data)) + data)
            data = await loop.sock_recv(inside, 2048)


async def _back(outside: socket.socket, inside: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    read = b""
    while more := await loop.sock_recv(outside, 65_536):
        read += more
        while len(read) >= 2 and len(read) >= 2 + (length := int.from_bytes(read[:2])):
            with suppress(ConnectionError):  # the member has left
                inside.send(read[2 : 2 + length])
            read = read[2 + length :]
