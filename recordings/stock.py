"""What there is of a recording's film and of what was made beside it, against what the records say there should be."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from recordings.models import Recording
from recordings.renditions import Rendition, named, outputs_in
from recordings.storage.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Stock:
    """Bytes by rendition: `wanted` by the records (None: they do not say), `here` on the disk, `there` in the store."""

    wanted: Mapping[Rendition, int | None]
    here: Mapping[Rendition, int]
    has_folder: bool  # whether there is anything of the recording on the disk, be it an empty folder
    there: Mapping[Rendition, int] = field(default_factory=dict)
    keeps: bool = True  # what is whole in both stays on the disk

    @property
    def lost(self) -> tuple[Rendition, ...]:
        """Those that are whole in neither."""
        return tuple(one for one in self.wanted if not self.is_whole(one))

    @property
    def in_the_way(self) -> tuple[Rendition, ...]:
        """Whole there, and here to no purpose: not to be kept, or broken, which whoever asks for it would get."""
        kept = {one for one in self.wanted if self.keeps and self.is_here(one)}
        return tuple(one for one in self.wanted if self.here[one] and self.is_there(one) and one not in kept)

    @property
    def film_bytes(self) -> int:
        """What can be had of the film, be it broken: a part of a meeting is better than nothing."""
        return self.here[Rendition.FILM] or self.there.get(Rendition.FILM, 0)

    def is_here(self, rendition: Rendition) -> bool:
        """Whether all of it is on the disk."""
        return self._is_all(rendition, self.here[rendition])

    def is_there(self, rendition: Rendition) -> bool:
        """Whether all of it is in the store."""
        return self._is_all(rendition, self.there.get(rendition, 0))

    def is_whole(self, rendition: Rendition) -> bool:
        """Whether all of it is to be had; of one that is not wanted nothing is."""
        return rendition in self.wanted and (self.is_here(rendition) or self.is_there(rendition))

    def _is_all(self, rendition: Rendition, size: int) -> bool:
        return size > 0 and self.wanted[rendition] in {None, size}


Counted = tuple[Recording, Stock]


async def look_here(recording: Recording, shelf: Shelf) -> Stock:
    """What is on the disk.

    OSError where that does not answer; KeyError, TypeError or ValueError where the records make no sense.
    """
    wanted: dict[Rendition, int | None] = {Rendition.FILM: recording.size_bytes}
    wanted |= outputs_in(recording.renditions, recording.chapters).sizes

    def look() -> Stock:
        here = {one: _size(shelf.folders.rendition(recording.id, one)) for one in wanted}
        return Stock(wanted, here, shelf.folders.of(recording.id).is_dir())

    return await asyncio.to_thread(look)


def is_to_be_there(recording: Recording, stock: Stock, shelf: Shelf) -> bool:
    """Whether the store is to be asked: where something is not whole on the disk, or need not be there."""
    if shelf.remote is None or recording.stored_version != recording.version:
        return False
    return bool(stock.lost) or not shelf.keeps_local


async def look_there(counted: Sequence[Counted], shelf: Shelf) -> list[Counted]:
    """The same with what the store has, which lists it once from the first of them to the last; StoreError.

    One list for each takes hours where there are thousands. What is listed is newer than the records that were read.
    """
    if shelf.remote is None or not counted:
        return list(counted)
    tops = {each.id: shelf.remote_key(each.id, each.version, "") for each, _ in counted}
    there = {each: Counter[Rendition]() for each in tops}
    async for entry in shelf.remote.between(min(tops), max(tops)):
        recording_id = entry.key.partition("/")[0]
        top = tops.get(recording_id)
        if top is None or not entry.key.startswith(top):
            continue
        rendition = named(entry.key.removeprefix(top))
        if rendition is not None:
            there[recording_id][rendition] += entry.size
    return [(each, replace(stock, there=there[each.id], keeps=shelf.keeps_local)) for each, stock in counted]


async def look_at_one(recording: Recording, shelf: Shelf) -> Stock:
    """What is here and there of one; raises as `look_here`, and StoreError."""
    stock = await look_here(recording, shelf)
    if shelf.remote is None:
        return stock
    top = shelf.remote_key(recording.id, recording.version, "")
    there = Counter[Rendition]()
    async for entry in shelf.remote.entries(top):
        rendition = named(entry.key.removeprefix(top))
        if rendition is not None:
            there[rendition] += entry.size
    return replace(stock, there=there, keeps=shelf.keeps_local)


def _size(path: Path) -> int:
    """0 for what is not there: a disk that fails is another matter than a file that is lost."""
    try:
        return sum(map(_size, path.iterdir())) if path.is_dir() else path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0
