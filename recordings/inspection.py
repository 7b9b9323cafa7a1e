"""What an operator looks at beside the library: every recording, films that do not play, files that nobody needs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import select

from database import Clock, Database
from errors import Kind, Problem
from recordings import repository
from recordings.compose.verify import verify
from recordings.folders import Folders, bytes_of
from recordings.models import Recording
from recordings.remaking import make_anew
from recordings.renditions import FILE_NAMES, Rendition
from recordings.states import RecordingState
from recordings.storage.shelf import Shelf
from recordings.storage.store import StoreError


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

    async def recordings(self) -> AsyncIterator[Recording]:
        """Every one that is not deleted, newest first."""
        query = (
            select(Recording)
            .where(Recording.state != RecordingState.DELETED)
            .order_by(Recording.started_at.desc(), Recording.id)
            .execution_options(yield_per=500)
        )
        async with self._database.reading() as session:
            async for recording in await session.stream_scalars(query):
                yield recording

    async def films(self) -> AsyncIterator[Looked]:
        """Decode some of every film that lies here; of those in the store alone, only that they are there."""
        last = ""
        while True:
            async with self._database.reading() as session:
                batch = await repository.playable_after(session, last)
            if not batch:
                return
            for recording in batch:
                yield await self._look(recording)
            last = batch[-1].id

    async def _look(self, recording: Recording) -> Looked:
        path = self._folders.film(recording.id)
        if await asyncio.to_thread(path.is_file):
            try:
                await asyncio.to_thread(verify, path, recording.duration_seconds or 0.0)
            except (ValueError, OSError) as error:
                return Looked(recording, str(error))
            return Looked(recording)
        name = FILE_NAMES[Rendition.FILM]
        try:
            found = await self._shelf.find(recording.id, recording.version, recording.stored_version, name)
        except StoreError as error:
            return Looked(recording, error.remedy, remote=True)
        return Looked(recording, None if found else "there is no file", remote=found is not None)

    async def strangers(self) -> list[Space]:
        """What lies in the recordings' folder and belongs to no recording."""
        async with self._database.reading() as session:
            known = await repository.all_ids(session)

        def look() -> list[Space]:
            names = self._folders.strangers(known)
            return [Space(name, bytes_of(self._folders.root / name)) for name in names]

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
