"""Memory that is lent again, but never while somebody still reads in it."""

import os
from pathlib import Path

from recordings.storage.buffers import MOST_SPARE, Buffers
from recordings.storage.local import LocalStore
from recordings.storage.store import CHUNK_BYTES, Entry


def test_what_nobody_holds_any_more_is_lent_again() -> None:
    buffers = Buffers()
    buffer = buffers.lend()
    with memoryview(buffer) as view:
        view[:3] = b"old"
    buffers.take_back(buffer)
    assert buffers.lend() is buffer
    assert len(buffer) == CHUNK_BYTES
    assert buffers.lend() is not buffer


def test_what_somebody_still_holds_is_his_for_good() -> None:
    buffers = Buffers()
    buffer = buffers.lend()
    held = memoryview(buffer)[10:20]
    buffers.take_back(buffer)
    assert buffers.lend() is not buffer
    held.release()
    assert buffers.lend() is not buffer


def test_only_so_many_are_kept() -> None:
    buffers = Buffers()
    lent = [buffers.lend() for _ in range(MOST_SPARE + 1)]
    for buffer in lent:
        buffers.take_back(buffer)
    again = [buffers.lend() for _ in lent]
    assert sum(any(one is before for before in lent) for one in again) == MOST_SPARE


async def test_a_film_goes_through_the_same_memory_again_but_for_what_is_not_sent_yet(tmp_path: Path) -> None:
    film = os.urandom(5 * CHUNK_BYTES + 7)
    (tmp_path / "film").write_bytes(film)
    store = LocalStore(tmp_path)
    entry = Entry("film", len(film))
    places = []
    async for piece in store.read(entry, 0, len(film)):
        assert isinstance(piece, memoryview)
        places.append(id(piece.obj))
        del piece
    assert len(places) == 6
    assert len(set(places)) == 1
    unsent = [piece async for piece in store.read(entry, 0, len(film))]
    assert b"".join(unsent) == film
    assert [piece async for piece in store.read(entry, 3, 6)] == [film[3:6]]
    assert b"".join(unsent) == film, "what waits is not written over"
    await store.close()
