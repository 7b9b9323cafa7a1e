"""What there is of a recording's film and of what was made beside it, against what the records say there should be."""

import asyncio
from collections import Counter
from collections.abc import Mapping
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
        return tuple(one for one in self.wanted if not (self.is_here(one) or self._is_there(one)))

    @property
    def in_the_way(self) -> tuple[Rendition, ...]:
        """Whole there, and here to no purpose: not to be kept, or broken, which whoever asks for it would get."""
        kept = {one for one in self.wanted if self.keeps and self.is_here(one)}
        return tuple(one for one in self.wanted if self.here[one] and self._is_there(one) and one not in kept)

    @property
    def film_bytes(self) -> int:
        """What can be had of the film, be it broken: a part of a meeting is better than nothing."""
        return self.here[Rendition.FILM] or self.there.get(Rendition.FILM, 0)

    def is_here(self, rendition: Rendition) -> bool:
        """Whether all of it is on the disk."""
        return self._is_whole(rendition, self.here[rendition])

    def _is_there(self, rendition: Rendition) -> bool:
        return self._is_whole(rendition, self.there.get(rendition, 0))

    def _is_whole(self, rendition: Rendition, size: int) -> bool:
        return size > 0 and self.wanted[rendition] in {None, size}


async def take_stock(recording: Recording, shelf: Shelf) -> Stock:
    """Asks the remote store only where something is not whole on the disk, or need not be there.

    OSError where the disk, StoreError where the store does not answer; KeyError, TypeError or ValueError where the
    records make no sense.
    """
    wanted: dict[Rendition, int | None] = {Rendition.FILM: recording.size_bytes}
    wanted |= outputs_in(recording.renditions, recording.chapters).sizes

    def look() -> Stock:
        here = {one: _size(shelf.folders.rendition(recording.id, one)) for one in wanted}
        return Stock(wanted, here, shelf.folders.of(recording.id).is_dir())

    stock = await asyncio.to_thread(look)
    if shelf.remote is None or recording.stored_version != recording.version:
        return stock
    if not stock.lost and shelf.keeps_local:
        return stock
    there: Counter[Rendition] = Counter()
    top = shelf.remote_key(recording.id, recording.version, "")
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
