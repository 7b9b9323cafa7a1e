"""Finds every recording that a crash, a full disk or a lost file has left between two states, and sends it on its way.

Runs at the start and every hour. Captured files need no repair: they are written so that they can be read wherever
they end (`capture.matroska`), and the composition reads them as they are.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from recordings import repository
from recordings.folders import Folders, bytes_of
from recordings.models import Recording
from recordings.renditions import FILE_NAMES, Rendition
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Found, Shelf
from recordings.storage.store import StoreError

# Of what a composition has left half made.
_KEPT: Final = timedelta(days=1)
_CLEARED_AT_ONCE: Final = 200

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reconciled:
    """What was found, by number."""

    interrupted: int = 0  # capture had not been ended; composed now
    requeued: int = 0  # stood in no queue
    absent: int = 0  # meetings that should have been recorded
    lost_films: int = 0  # gone or cut off; composed anew where the captured files are there
    strangers: int = 0  # folders of no recording, left alone
    stored_strangers: int = 0  # the same in the remote store
    cleared: int = 0  # folders of half made films that nobody goes on with


class Reconciliation:
    """`is_open` tells which meetings are being captured right now by this process."""

    def __init__(
        self,
        database: Database,
        folders: Folders,
        shelf: Shelf,
        clock: Clock,
        is_open: Callable[[str], bool],
    ) -> None:
        self._database = database
        self._folders = folders
        self._shelf = shelf
        self._clock = clock
        self._is_open = is_open

    async def run(self) -> Reconciled:
        """One round; Problem UNAVAILABLE where the database is."""
        found = Reconciled()
        now = self._clock()
        async with self._database.transaction() as session:
            for recording in await repository.left_open(session):
                if recording.meeting_id is None or not self._is_open(recording.meeting_id):
                    recording.ended_at = now
                    await repository.enqueue(session, recording, now)
                    found.interrupted += 1
            for recording in await repository.without_job(session):
                await repository.enqueue(session, recording, now)
                found.requeued += 1
            for meeting in await repository.without_recording(session):
                recording = repository.add(session, meeting, meeting.started_at or now)
                recording.ended_at = meeting.ended_at
                repository.turn(recording, RecordingState.FAILED, now, Failure.NOTHING_CAPTURED)
                found.absent += 1
        await self._look_for_films(found, now)
        await self._look_for_strangers(found)
        await self._clear_work(found, now)
        _log.info("recordings_reconciled", **{name: getattr(found, name) for name in Reconciled.__slots__})
        return found

    async def _clear_work(self, found: Reconciled, now: datetime) -> None:
        """A crash, or a composition given up for good, leaves its half made film; a day later nobody wants it."""
        for recording_id in await asyncio.to_thread(self._folders.with_work):
            if found.cleared == _CLEARED_AT_ONCE:
                return
            # The row stays locked meanwhile: whoever has it composed anew begins afterwards.
            async with self._database.transaction() as session:
                recording = await repository.get(session, recording_id, lock=True)
                if recording is None or not recording.state.settled or now - recording.state_since < _KEPT:
                    continue
                freed = await asyncio.to_thread(self._folders.drop_work, recording.id)
            found.cleared += 1
            _log.info("half_made_film_removed", recording_id=recording_id, bytes=freed)

    async def _look_for_strangers(self, found: Reconciled) -> None:
        async with self._database.reading() as session:
            known = await repository.all_ids(session)
        found.strangers = len(self._folders.strangers(known))
        if self._shelf.remote is None:
            return
        try:
            found.stored_strangers = len(await self._shelf.remote.folders() - known)
        except StoreError as error:
            _log.warning("store_not_reconciled", fault=error.fault.value, remedy=error.remedy)

    async def _look_for_films(self, found: Reconciled, now: datetime) -> None:
        last = ""
        while True:
            async with self._database.reading() as session:
                batch = await repository.playable_after(session, last)
            if not batch:
                return
            last = batch[-1].id
            lost = [(one.id, one.version) for one in batch if not await self._has_film(one)]
            async with self._database.transaction() as session:
                for recording_id, version in lost:
                    recording = await repository.get(session, recording_id, lock=True)
                    if recording is not None and recording.state.playable and recording.version == version:
                        found.lost_films += 1
                        await self._film_is_lost(session, recording, now)

    async def _has_film(self, recording: Recording) -> bool:
        """Whether a store has all of it; one that does not answer is believed to.

        Where a film is whole in the remote store, a broken one here is only in its way.
        """
        name = FILE_NAMES[Rendition.FILM]
        version, stored = recording.version, recording.stored_version
        try:
            film = await self._shelf.find(recording.id, version, stored, name)
            whole = _is_whole(recording, film)
            if film is None or whole or film.store is not self._shelf.local or stored != version:
                return whole
            if not _is_whole(recording, await self._shelf.find_there(recording.id, version, name)):
                return False
        except StoreError:
            return True
        await asyncio.to_thread(self._folders.film(recording.id).unlink, missing_ok=True)
        _log.warning("broken_film_removed", recording_id=recording.id, bytes=film.entry.size)
        return True

    async def _film_is_lost(self, session: AsyncSession, recording: Recording, now: datetime) -> None:
        """Have it composed anew; where nothing is left to do that from, what there is of it is all there will be."""
        await repository.enqueue(session, recording, now)
        if await asyncio.to_thread(self._folders.originals, recording.id):
            return
        await repository.drop_job(session, recording.id)
        left = await asyncio.to_thread(bytes_of, self._folders.film(recording.id))
        state = RecordingState.DAMAGED if left else RecordingState.FAILED
        recording.size_bytes = left or recording.size_bytes
        repository.turn(recording, state, now, Failure.FILES_MISSING)


def _is_whole(recording: Recording, film: Found | None) -> bool:
    """Whether the film is there, and as long as the records say."""
    return film is not None and recording.size_bytes in {None, film.entry.size}
