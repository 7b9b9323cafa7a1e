"""`Room`: what compositions take of the disk while they go on, beside what capture needs of it."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from typing import Final

from recordings.capture.disk import free_bytes
from recordings.compose.brief import Brief
from recordings.folders import Folders, bytes_of
from recordings.models import Recording
from recordings.settings import RecordingSettings
from recordings.uploads.room import bytes_made

# Parts, sound and the film that is joined of both lie side by side before the parts go. Of people before their cameras
# they took 1.7 Mbit of each second, be it one camera or nine: it is the film's own pictures that are written. Where
# less than that was captured, of voices alone, or of one poor camera, they took up to 3.6 times what was captured. The
# three sizes take as much again. A film that takes more for all that is stopped when it has.
_BITS_A_SECOND: Final = 2_200_000
_TIMES_CAPTURED: Final = 4
_IN_ALL_SIZES: Final = 2


class NoRoom(Exception):  # noqa: N818 - it says what there is not
    """The disk has not as much left as a composition takes."""


class Room:
    """What is promised to one composition is not promised to another. Of other nodes nothing is known."""

    def __init__(self, folders: Folders, settings: RecordingSettings) -> None:
        self._folders = folders
        self._settings = settings
        self._promised: dict[str, int] = {}
        self._promising = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def promised(self, recording: Recording, brief: Brief) -> AsyncIterator[None]:
        """What it will take is there, beside what those that go on have still to write; NoRoom where it is not."""
        async with self._promising:
            wanted = await asyncio.to_thread(bytes_wanted, recording, brief, self._folders)
            await asyncio.to_thread(self._require, {**self._promised, recording.id: wanted})
            self._promised[recording.id] = wanted
        try:
            yield
        finally:
            del self._promised[recording.id]

    async def require_rest(self) -> None:
        """NoRoom where what is to be left for capture is touched, whoever has written more than he was to."""
        await asyncio.to_thread(self._require, {})

    def _require(self, promised: dict[str, int]) -> None:
        to_come = sum(max(0, size - self._folders.work_bytes(each)) for each, size in promised.items())
        try:
            free = free_bytes(self._folders.root)
        except OSError:
            return  # whoever writes there says better what is the matter with it
        left = free - self._settings.bytes_left_by_films
        if to_come > left:
            raise NoRoom(f"{to_come - left} bytes too few are free")


def bytes_wanted(recording: Recording, brief: Brief, folders: Folders) -> int:
    """What the folders of a recording grow by at most while it is composed, as far as can be told before."""
    if brief.standing is not None:
        known = brief.standing.outputs.sizes.items()
        return sum(size for one, size in known if bytes_of(folders.rendition(recording.id, one)) != size)
    given = sum(bytes_of(path) for _, path in folders.originals(recording.id))
    if recording.is_uploaded:
        lasts = recording.source_seconds or recording.duration_seconds
        return bytes_made(given, lasts, in_all_sizes=brief.wants_sizes(lasts or math.inf))
    seconds = (recording.ended_at - recording.started_at).total_seconds() if recording.ended_at else 0.0
    wanted = _TIMES_CAPTURED * given
    if seconds > 0:
        wanted = min(wanted, round(seconds * _BITS_A_SECOND / 8))
    return wanted * (_IN_ALL_SIZES if brief.wants_sizes(seconds) else 1)
