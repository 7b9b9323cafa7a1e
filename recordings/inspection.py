"""What an operator looks at beside the library: every recording, films that do not play, files that nobody needs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select

from database import Clock, Database
from errors import Kind, Problem
from recordings import repository
from recordings.apart import Apart
from recordings.compose.verify import FILM, SOUND, verify
from recordings.folders import Folders, bytes_of
from recordings.models import Recording
from recordings.remaking import make_anew
from recordings.renditions import FILE_NAMES, Rendition
from recordings.states import RecordingState
from recordings.stock import Counted, Stock, is_to_be_there, look_here, look_there
from recordings.storage.shelf import Shelf
from recordings.storage.store import StoreError

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """One playable recording; `fault` says what is wrong with its film, `remote` that it lies in the store alone."""

    recording: Recording
    fault: str | None = None
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Space:
    """A file or folder that belongs to no finished film, in bytes."""

    name: str
    size: int


class Inspection:
    """Every method may run beside the server."""

    def __init__(self, database: Database, folders: Folders, shelf: Shelf, clock: Clock) -> None:
        self._database = database
        self._folders = folders
        self._shelf = shelf
        self._clock = clock
        self._apart = Apart("inspect")

    async def recordings(self) -> AsyncIterator[Recording]:
        """Every one that is not deleted, newest first."""
        query = (
            select(Recording.id)
            .where(Recording.state != RecordingState.DELETED)
            .order_by(Recording.started_at.desc(), Recording.id)
        )
        async with self._database.reading() as session:
            ids = (await session.scalars(query)).all()
        for begin in range(0, len(ids), _AT_ONCE):
            some = ids[begin : begin + _AT_ONCE]
            found = {recording.id: recording for recording in await self._apart.many(some, self._read)}
            for recording_id in some:
                if recording_id in found:
                    yield found[recording_id]

    async def _read(self, recording_ids: Sequence[str]) -> list[Recording]:
        async with self._database.reading() as session:
            return await repository.several(session, recording_ids)

    async def films(self) -> AsyncIterator[Looked]:
        """Decode some of every film that lies here, its sound and sizes; of the rest, only that all of it is there."""
        last = ""
        while True:
            async with self._database.reading() as session:
                ids = await repository.playable_after(session, last)
            if not ids:
                return
            to_be_there: list[Counted] = []
            for recording in await self._apart.many(ids, self._read):
                stock = await self._look_here(recording)
                if isinstance(stock, Looked):
                    yield stock
                elif is_to_be_there(recording, stock, self._shelf):
                    to_be_there.append((recording, stock))
                else:
                    yield await self._judge(recording, stock)
            for looked in await self._look_there(to_be_there):
                yield looked
            last = ids[-1]

    async def _look_here(self, recording: Recording) -> Stock | Looked:
        try:
            return await look_here(recording, self._shelf)
        except OSError as error:
            return Looked(recording, str(error))
        except (KeyError, TypeError, ValueError) as error:
            return Looked(recording, f"the records make no sense: {error!r}")

    async def _look_there(self, counted: Sequence[Counted]) -> list[Looked]:
        try:
            found = await look_there(counted, self._shelf)
        except StoreError as error:
            return [Looked(recording, error.remedy, remote=True) for recording, _ in counted]
        return [await self._judge(*each) for each in found]

    async def _judge(self, recording: Recording, stock: Stock) -> Looked:
        remote = not stock.is_here(Rendition.FILM)
        if stock.lost:
            lost = ", ".join(FILE_NAMES[rendition] for rendition in stock.lost)
            return Looked(recording, f"missing or not whole: {lost}", remote=remote and bool(stock.there))
        fault = await asyncio.to_thread(self._play, recording, stock)
        return Looked(recording, fault, remote=remote)

    def _play(self, recording: Recording, stock: Stock) -> str | None:
        """What does not play of what lies here."""
        paths = {
            one: self._folders.rendition(recording.id, one) for one in stock.wanted if stock.is_here(one)
        }
        to_play: list[tuple[Path, float | None, Sequence[str]]] = []
        if Rendition.FILM in paths:
            to_play.append((paths[Rendition.FILM], recording.duration_seconds, FILM))
        if Rendition.SOUND in paths:  # an uploaded film's may be shorter than its pictures
            to_play.append((paths[Rendition.SOUND], None, SOUND))
        if Rendition.HLS in paths:  # earlier ones have a file for each segment
            sizes = sorted(paths[Rendition.HLS].glob("*.m4s"))
            playlists = [path.with_suffix(".m3u8") for path in sizes]
            to_play += [(path, None, FILM) for path in playlists if path.is_file()]
        for path, seconds, kinds in to_play:
            try:
                verify(path, seconds, kinds)
            except (ValueError, OSError) as error:
                return f"{path.relative_to(self._folders.of(recording.id))}: {error}"
        return None

    async def strangers(self) -> list[Space]:
        """What lies in the recordings' folder and belongs to no recording."""
        names = await asyncio.to_thread(self._folders.names)
        async with self._database.reading() as session:
            unknown = await repository.unknown_among(session, names)

        def look() -> list[Space]:
            return [Space(name, bytes_of(self._folders.root / name)) for name in sorted(unknown)]

        return await asyncio.to_thread(look)

    async def temporary(self) -> list[Space]:
        """What is being made right now, or was left half made."""

        def look() -> list[Space]:
            root = self._folders.root
            paths = self._folders.temporary()
            return [Space(path.relative_to(root).as_posix(), bytes_of(path)) for path in paths]

        return await asyncio.to_thread(look)

    async def recompose(self, recording_id: str) -> Recording:
        """Have it composed anew from what was captured, by the server, when it runs.

        Problem recording_not_found, and those of `remaking.make_anew`.
        """
        async with self._database.transaction() as session:
            recording = await repository.get(session, recording_id, lock=True)
            if recording is None or recording.state is RecordingState.DELETED:
                raise Problem(Kind.NOT_FOUND, "recording_not_found")
            await make_anew(session, recording, self._folders, self._clock())
        return recording
