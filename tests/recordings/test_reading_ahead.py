"""Pieces of a film are fetched one before it is wanted, and are as large as their reader is quick."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from itertools import cycle
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.storage import ahead
from recordings.storage.ahead import read_ahead
from recordings.storage.store import Fault, Piece, StoreError

CHUNK, MOST = 4, 32
FILM = os.urandom(9 * MOST // 2 + 1)


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    """So that many thousands of films are soon read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "CHUNK_BYTES", CHUNK)
        patch.setattr(ahead, "MOST_PIECE_BYTES", MOST)
        yield


class Film:
    """A store of one film, which takes `turns` of the event loop for each piece, and can fail from the second on."""

    def __init__(self, turns: int = 1, faults: Sequence[Fault] = ()) -> None:
        self.turns, self.faults = turns, list(faults)
        self.asked: list[tuple[int, int]] = []
        self.open = 0

    @property
    def sizes(self) -> list[int]:
        return [end - begin for begin, end in self.asked]

    async def fetch(self, begin: int, end: int) -> bytes:
        self.asked.append((begin, end))
        self.open += 1
        try:
            assert self.open == 1, "one at a time"
            await turn(self.turns)
            if begin and self.faults:
                raise StoreError(self.faults.pop())
            return FILM[begin:end]
        finally:
            self.open -= 1

    def read(self, begin: int = 0, end: int = len(FILM)) -> AsyncGenerator[memoryview]:
        return read_ahead(self.fetch, begin, end)


async def take(pieces: AsyncGenerator[Piece], read: bytearray) -> None:
    async for piece in pieces:
        read += piece


async def turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


places = st.integers(0, len(FILM))


@given(places, places, st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_any_part_comes_whole_and_in_order_however_quick_either_side_is(
    one: int, other: int, store: list[int], reader: list[int]
) -> None:
    begin, end = sorted((one, other))
    film, takes, pauses = Film(), cycle(store), cycle(reader)

    async def read() -> bytearray:
        read = bytearray()
        async for piece in film.read(begin, end):
            held = film.asked[-1][1] - begin - len(read)
            assert len(piece) <= CHUNK
            assert held <= 2 * MOST
            read += piece
            film.turns = next(takes)
            await turn(next(pauses))
        return read

    assert asyncio.run(read()) == FILM[begin:end]
    assert film.asked == sorted(film.asked)
    assert sum(film.sizes) == end - begin, "nothing twice"
    assert max(film.sizes, default=0) <= MOST


@pytest.mark.parametrize(
    ("pause", "quick_seconds", "sizes"),
    [(0, inf, [1, 2, 4, 8, 8, 8]), (2, inf, [1, 2, 1, 1, 1, 1]), (0, 0.0, [1, 1, 1, 1, 1, 1])],
    ids=["both are quick", "the reader is slow", "the store is slow"],
)
async def test_only_a_quick_reader_of_a_quick_store_gets_large_pieces(
    pause: int, quick_seconds: float, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "_QUICK_SECONDS", quick_seconds)
    film = Film()
    async for _ in film.read():
        await turn(pause)
    assert film.sizes[:6] == [number * CHUNK for number in sizes]


async def test_what_failed_ahead_of_time_is_asked_for_once_more_when_it_is_wanted() -> None:
    film, read = Film(faults=[Fault.UNREACHABLE]), bytearray()
    await take(film.read(), read)
    assert read == FILM
    assert film.asked[1] == film.asked[2]


@pytest.mark.parametrize(
    "faults", [[Fault.MISSING], [Fault.UNREACHABLE, Fault.UNREACHABLE]], ids=["gone", "away"]
)
async def test_what_came_before_a_failure_is_read_all_the_same(faults: list[Fault]) -> None:
    film, read = Film(faults=faults), bytearray()
    with pytest.raises(StoreError) as failed:
        await take(film.read(), read)
    assert (failed.value.fault, read, film.faults) == (faults[0], bytearray(FILM[:CHUNK]), [])


async def test_who_goes_away_leaves_nothing_behind_that_is_still_asked_for() -> None:
    film = Film(turns=1_000)
    async with aclosing(film.read()) as pieces:
        await anext(pieces)
        await turn(1)
        assert film.open == 1
    assert film.open == 0
