"""Reading ahead: the next piece of a film is fetched while the one before is on its way to the viewer.

A piece is as large as its reader is quick: twice the one before where he had to wait for it and the store was quick
too, half where it waited for him. Who plays a film as it is played holds little of it in this machine's memory, and who
fetches all of it does not wait at every piece for the store's answer.

What fails ahead of time has failed nobody yet: it is asked for once more when it is wanted.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Final

from recordings.storage.store import CHUNK_BYTES, Fault, StoreError

# A reader holds two pieces at most: the one he takes, and the next.
MOST_PIECE_BYTES: Final = 4 * 1024 * 1024
# A piece that took longer is large enough: meanwhile the viewer gets nothing.
_QUICK_SECONDS: Final = 1.0

Fetch = Callable[[int, int], Coroutine[Any, Any, bytes]]
"""Bytes begin..end (exclusive), all of them."""


async def read_ahead(fetch: Fetch, begin: int, end: int) -> AsyncGenerator[memoryview]:
    """Bytes begin..end in their order, CHUNK_BYTES at a time at most; `fetch` is asked for one piece at a time.

    StoreError as `fetch` raises it, where the store cannot be reached the second time.
    """
    if begin >= end:
        return
    loop = asyncio.get_running_loop()
    size, until = CHUNK_BYTES, min(begin + CHUNK_BYTES, end)
    coming, asked = loop.create_task(fetch(begin, until)), loop.time()
    try:
        while begin < end:
            waits = not coming.done()
            try:
                piece = memoryview(await coming)
            except StoreError as error:
                if error.fault is not Fault.UNREACHABLE:
                    raise
                piece = memoryview(await fetch(begin, until))
            if not waits:
                size = max(size // 2, CHUNK_BYTES)
            elif loop.time() - asked < _QUICK_SECONDS:
                size = min(2 * size, MOST_PIECE_BYTES)
            begin, until = until, min(until + size, end)
            if begin < end:
                coming, asked = loop.create_task(fetch(begin, until)), loop.time()
            for at in range(0, len(piece), CHUNK_BYTES):
                yield piece[at : at + CHUNK_BYTES]
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)  # or it would be told that nobody has asked
