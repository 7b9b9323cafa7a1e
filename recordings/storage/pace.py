"""The least that comes from a store, or goes to it: one that trickles would otherwise be waited for without end.

A store that gives or takes less helps nobody: the sound of a film alone takes as much. Bytes are counted a portion at a
time, each of which has its seconds; what is too slow raises TimeoutError.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp import StreamReader

_LEAST_BYTES_A_SECOND: Final = 12 * 1024


async def read_whole(stream: "StreamReader", size: int, seconds: float) -> bytes:
    """The next `size` bytes, or less where it ends before; so much as is due at least in each `seconds`."""
    portion, missing, blocks = _portion(seconds), size, []
    while missing > 0 and not stream.at_eof():
        left = max(0, missing - portion)
        async with asyncio.timeout(seconds):
            while missing > left and (block := await stream.readany()):
                blocks.append(block)
                missing -= len(block)
    return b"".join(blocks)


@asynccontextmanager
async def written(data: bytes, seconds: float, answer_seconds: float) -> AsyncIterator[io.BytesIO]:
    """The bytes as something that is read as it is sent; when all are, the answer has its own time."""
    async with asyncio.timeout(seconds) as bound:
        yield _Sent(data, bound, seconds, answer_seconds)


def _portion(seconds: float) -> int:
    return max(1, round(seconds * _LEAST_BYTES_A_SECOND))


class _Sent(io.BytesIO):
    """Puts the end of the wait off with each portion that has gone, and with the last byte. Of the event loop."""

    def __init__(self, data: bytes, bound: asyncio.Timeout, seconds: float, answer_seconds: float) -> None:
        super().__init__(data)
        self._whole = len(data)
        self._bound = bound
        self._seconds, self._answer_seconds = seconds, answer_seconds
        self._due = _portion(seconds)

    def read(self, size: int | None = -1, /) -> bytes:
        taken = super().read(size)
        self._due -= len(taken)
        if self.tell() == self._whole:
            self._put_off(self._answer_seconds)
        elif self._due <= 0:
            self._due = _portion(self._seconds)
            self._put_off(self._seconds)
        return taken

    def _put_off(self, seconds: float) -> None:
        if not self._bound.expired():
            self._bound.reschedule(asyncio.get_running_loop().time() + seconds)
