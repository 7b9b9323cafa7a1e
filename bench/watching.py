"""Many who watch one film: each asks for its pieces at the pace at which it is played, as a browser does."""

import asyncio
import random
import time
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import ClientSession, TCPConnector

PIECE = 512 * 1024  # bytes of one request
BITS_A_SECOND = 2_600_000  # the film's highest rate, with its sound


@dataclass(frozen=True)
class Film:
    """Where it is, how long it is in bytes."""

    address: str
    size: int


@dataclass(frozen=True)
class Watching:
    """What is watched, by whom, for how long: `cookies` has the session of each viewer."""

    film: Film
    cookies: tuple[str, ...]
    seconds: float


@dataclass
class Watched:
    """What came of it; `late`: pieces that came later than the one before was played."""

    seconds: float = 0.0
    bytes: int = 0
    requests: int = 0
    late: int = 0
    failed: int = 0


def watch(wanted: Watching) -> Watched:
    """Watch, on an event loop of its own; blocks until it is over."""
    return asyncio.run(_watch(wanted))


async def _watch(wanted: Watching) -> Watched:
    result = Watched()
    viewers = len(wanted.cookies)
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        began = time.perf_counter()
        await asyncio.gather(
            *(
                _view(http, wanted, cookie, number / viewers, result)
                for number, cookie in enumerate(wanted.cookies)
            )
        )
        result.seconds = time.perf_counter() - began
    return result


async def _view(http: ClientSession, wanted: Watching, cookie: str, phase: float, result: Watched) -> None:
    """One viewer, somewhere in the film, who goes on from its beginning at its end."""
    pace = PIECE * 8 / BITS_A_SECOND
    chance = random.Random(phase)  # noqa: S311 - the same places in every run
    at = chance.randrange(max(1, wanted.film.size - PIECE))
    clock = asyncio.get_running_loop().time
    due = clock() + phase * pace  # not all at once
    end = clock() + wanted.seconds
    while due < end:
        await asyncio.sleep(due - clock())
        asked = clock()
        last = min(at + PIECE, wanted.film.size) - 1
        headers = {"Cookie": cookie, "Range": f"bytes={at}-{last}"}
        async with http.get(wanted.film.address, headers=headers) as answer:
            taken = len(await answer.read())
        result.requests += 1
        result.bytes += taken
        result.failed += answer.status != HTTPStatus.PARTIAL_CONTENT
        result.late += clock() - asked > pace
        at = 0 if last + 1 >= wanted.film.size else last + 1
        due += pace
