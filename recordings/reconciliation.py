"""Finds every recording that a crash, a full disk or a lost file has left between two states, and sends it on its way.

Runs every hour from the start on. Each recording has a transaction of its own: one of which the records make no sense
is logged, and neither the others nor the start wait for it. Captured files need no repair: they are written so that
they can be read wherever they end (`capture.matroska`), and the composition reads them as they are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from recordings import repository
from recordings.apart import Apart
from recordings.folders import Folders
from recordings.models import CompositionJob, Recording
from recordings.renditions import Rendition
from recordings.states import Failure, RecordingState
from recordings.stock import Counted, Stock, is_to_be_there, look_here, look_there
from recordings.storage import repository as storage
from recordings.storage.models import StorageJob
from recordings.storage.shelf import Shelf
from recordings.storage.store import StoreError
from recordings.upkeep.forgetting import forget_now, not_forgotten
from rooms.meetings.models import Meeting

# Of what a composition has left half made.
_KEPT: Final = timedelta(days=1)
# The node that captured a meeting has closed its files by then: a slow disk takes seconds for them.
_CLOSED: Final = timedelta(minutes=5)
# So many films without so much as a folder, and more than half of those looked at: their disk is not mounted. Nobody is
# to give all of them up for that.
_UNMOUNTED_FROM: Final = 10
_CLEARED_AT_ONCE: Final = 200

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reconciled:
    """What was found, by number."""

    interrupted: int = 0  # capture had not been ended; composed now
    requeued: int = 0  # stood in no queue
    absent: int = 0  # meetings that should have been recorded
    lost_films: int = 0  # gone or cut off; composed anew where the captured files are there
    returned: int = 0  # had been given up, and are there again
    strangers: int = 0  # folders of no recording, left alone
    stored_strangers: int = 0  # the same in the remote store
    left_behind: int = 0  # deleted recordings of which there was something yet; it is removed
    forgotten: int = 0  # deleted recordings of which captions or names stood in the records yet
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
        self._store_answers = True  # in this round
        self.apart = Apart("reconcile")

    async def run(self) -> Reconciled:
        """One round; Problem UNAVAILABLE where the database is. What the disk refuses keeps nothing else back."""
        now = self._clock()
        found = await self.catch_up()
        self._store_answers = True
        for look in (
            self._look_for_films, self._look_for_returned, self._look_for_strangers, self._clear_work,
        ):  # fmt: skip
            try:
                await look(found, now)
            except OSError as error:
                _log.warning("recordings_not_looked_for", step=look.__name__.strip("_"), error=error.strerror)
        _log.info("recordings_reconciled", **{name: getattr(found, name) for name in Reconciled.__slots__})
        return found

    async def catch_up(self) -> Reconciled:
        """What the records alone tell: no film is looked at, so meetings need not wait for it."""
        found = Reconciled()
        now = self._clock()
        async with self._database.reading() as session:
            # The only node knows what is being captured; what another one captures the clock alone tells.
            closed = None if self._database.is_sqlite else _CLOSED
            left_open = await repository.left_open(session, now, closed)
            without_job = await repository.without_job(session)
            unknown = await repository.without_recording(session)
            said = await not_forgotten(session)
        found.interrupted = await self._each(left_open, partial(self._end, now=now))
        found.requeued = await self._each(without_job, partial(_enqueue, now=now))
        found.forgotten = await self._each(said, forget_now)
        found.absent = await self._each(unknown, partial(_note_absence, now=now))
        return found

    async def _each(self, ids: Sequence[str], mend: Callable[[AsyncSession, str], Awaitable[bool]]) -> int:
        """How many of them `mend` has done something about."""
        mended = 0
        for each in ids:
            with self.apart.one(each):
                async with self._database.transaction() as session:
                    done = await mend(session, each)
                mended += done
        return mended

    async def _end(self, session: AsyncSession, recording_id: str, now: datetime) -> bool:
        """Nobody captures it any more."""
        recording = await repository.get(session, recording_id, lock=True)
        if recording is None or recording.meeting_id is None or not recording.is_live:
            return False
        if self._is_open(recording.meeting_id):
            return False
        recording.ended_at = now
        await repository.enqueue(session, recording, now)
        return True

    async def _clear_work(self, found: Reconciled, now: datetime) -> None:
        """A crash, or a composition given up for good, leaves its half made film; a day later nobody wants it."""
        names = await asyncio.to_thread(self._folders.with_work)
        async with self._database.reading() as session:
            old = await repository.settled_among(session, names, now - _KEPT)
        for recording_id in old[:_CLEARED_AT_ONCE]:
            with self.apart.one(recording_id):
                found.cleared += await self._drop_work(recording_id, now)

    async def _drop_work(self, recording_id: str, now: datetime) -> bool:
        """The row stays locked meanwhile: whoever has it composed anew begins afterwards."""
        async with self._database.transaction() as session:
            recording = await repository.get(session, recording_id, lock=True)
            if recording is None or not recording.state.settled or now - recording.state_since < _KEPT:
                return False
            freed = await asyncio.to_thread(self._folders.drop_work, recording.id)
        _log.info("half_made_film_removed", recording_id=recording_id, bytes=freed)
        return True

    async def _look_for_strangers(self, found: Reconciled, now: datetime) -> None:
        here, there = await asyncio.to_thread(self._folders.names), set[str]()
        if self._shelf.remote is not None and self._store_answers:
            try:
                there = await self._shelf.remote.folders()
            except StoreError as error:
                self._note_silence(error)
        async with self._database.reading() as session:
            unknown = await repository.unknown_among(session, here | there)
            deleted = await storage.left_behind(session, here | there)
        found.left_behind = await self._each(deleted, partial(_remove_again, now=now))
        found.strangers, found.stored_strangers = len(here & unknown), len(there & unknown)

    async def _look_for_films(self, found: Reconciled, now: datetime) -> None:
        last = ""
        while True:
            async with self._database.reading() as session:
                ids = await repository.playable_after(session, last)
            if not ids:
                return
            last = ids[-1]
            batch = await self.apart.many(ids, self._read)
            stocks = await self._take_stock(batch)
            gone = sum(bool(stock.lost) and not stock.has_folder for _, stock in stocks)
            if gone >= _UNMOUNTED_FROM and gone > len(batch) / 2:
                _log.error(
                    "recordings_folder_gone", films=gone, remedy="mount the disk of the recordings' folder"
                )
                return
            for recording, stock in stocks:
                with self.apart.one(recording.id):
                    if stock.lost:
                        found.lost_films += await self._note_loss(recording, stock, now)
                    elif stock.in_the_way:
                        await self._make_way(recording, stock)

    async def _look_for_returned(self, found: Reconciled, now: datetime) -> None:
        """Films that were given up and are there again: their disk was away, and was not missed for being so few."""
        async with self._database.reading() as session:
            missed = await repository.films_missing(session)
        batch = await self.apart.many(missed, self._read) if missed else ()
        for recording, stock in await self._take_stock(batch):
            if not stock.is_whole(Rendition.FILM):
                continue
            with self.apart.one(recording.id):
                async with self._database.transaction() as session:
                    again = await repository.get(session, recording.id, lock=True)
                    if again is None or again.state is not RecordingState.FAILED:
                        continue
                    await repository.enqueue(session, again, now, mends=True)  # which looks at all of it
                found.returned += 1
                _log.info("film_returned", recording_id=recording.id)

    async def _take_stock(self, recordings: Sequence[Recording]) -> list[Counted]:
        """Where the disk or the store does not answer, it is believed to have what it should."""
        here: list[Counted] = []
        to_be_there: list[Counted] = []
        for recording in recordings:
            stock = await self._look_here(recording)
            if stock is not None:
                asked = is_to_be_there(recording, stock, self._shelf)
                (to_be_there if asked else here).append((recording, stock))
        if self._store_answers:
            try:
                found = await look_there(to_be_there, self._shelf)
            except StoreError as error:
                self._note_silence(error)
            else:
                here += found if self._is_the_store(found) else ()
        return here

    def _is_the_store(self, counted: Sequence[Counted]) -> bool:
        """Where hardly any film has so much as a file there, it is another bucket: nobody gives films up for that."""
        empty = sum(bool(stock.lost) and not stock.there for _, stock in counted)
        if empty < _UNMOUNTED_FROM or empty <= len(counted) / 2:
            return True
        self._store_answers = False
        remedy = "see that HUITANG_STORAGE__BUCKET and HUITANG_STORAGE__PREFIX are right"
        _log.error("store_emptied", films=empty, remedy=remedy)
        return False

    async def _read(self, recording_ids: Sequence[str]) -> list[Recording]:
        async with self._database.reading() as session:
            return await repository.several(session, recording_ids)

    async def _look_here(self, recording: Recording) -> Stock | None:
        with self.apart.one(recording.id):
            try:
                return await look_here(recording, self._shelf)
            except OSError as error:
                _log.warning("film_not_looked_for", recording_id=recording.id, error=error.strerror)
        return None

    def _note_silence(self, error: StoreError) -> None:
        """Nothing more is asked of the store in this round: each time takes a second or ten."""
        self._store_answers = False
        _log.warning("store_not_reconciled", fault=error.fault.value, remedy=error.remedy)

    async def _make_way(self, looked_at: Recording, stock: Stock) -> None:
        """Remove what is whole in the remote store and of no use here."""
        async with self._database.transaction() as session:
            if await _unchanged(session, looked_at) is None:
                return
            names = [rendition.value for rendition in stock.in_the_way]
            try:
                for rendition in stock.in_the_way:
                    await asyncio.to_thread(self._folders.drop, looked_at.id, rendition)
            except OSError as error:
                _log.warning("local_film_not_removed", recording_id=looked_at.id, error=error.strerror)
            else:
                _log.info("local_film_removed", recording_id=looked_at.id, renditions=names)

    async def _note_loss(self, looked_at: Recording, stock: Stock, now: datetime) -> bool:
        """Have what is lost made of the film, wherever that lies, or where it is lost everything made anew.

        Where nothing was captured any more, the film is made of its stream; where that is lost too, what there is of it
        is all there will be.
        """
        originals = await asyncio.to_thread(self._folders.originals, looked_at.id)
        lost = [rendition.value for rendition in stock.lost]
        async with self._database.transaction() as session:
            recording = await _unchanged(session, looked_at)
            if recording is None:
                return False
            # A stream holds the film too, in which an uploaded one may be larger.
            mends = stock.is_whole(Rendition.FILM) or (not originals and stock.is_whole(Rendition.HLS))
            await repository.enqueue(session, recording, now, mends=mends)
            if not (originals or mends):
                await repository.drop_job(session, recording.id)
                state = RecordingState.FAILED
                if stock.film_bytes:
                    state = RecordingState.DAMAGED
                    _keep_what_is_left(recording, stock)
                repository.turn(recording, state, now, Failure.FILES_MISSING)
        _log.warning("film_lost", recording_id=looked_at.id, renditions=lost, again=bool(originals or mends))
        return True


def _keep_what_is_left(recording: Recording, stock: Stock) -> None:
    """Players are offered what is whole, and of the film whatever there is."""
    offered = [entry for entry in recording.renditions if entry["name"] not in stock.lost]
    if Rendition.FILM in stock.lost and stock.film_bytes:
        recording.size_bytes = stock.film_bytes
        offered.insert(0, {"name": Rendition.FILM.value, "size": stock.film_bytes})
    recording.renditions = offered


async def _unchanged(session: AsyncSession, looked_at: Recording) -> Recording | None:
    """The recording, locked, if its film is still the one that was looked at."""
    recording = await repository.get(session, looked_at.id, lock=True)
    if recording is None or not (recording.state.settled and recording.state.playable):
        return None
    if recording.version != looked_at.version:
        return None
    return recording


async def _enqueue(session: AsyncSession, recording_id: str, now: datetime) -> bool:
    """It is to be composed and stands in no queue."""
    recording = await repository.get(session, recording_id, lock=True)
    if recording is None or not recording.state.in_queue:
        return False
    if await session.get(CompositionJob, recording_id) is not None:
        return False
    await repository.enqueue(session, recording, now, mends=recording.state is RecordingState.MENDING)
    return True


async def _remove_again(session: AsyncSession, recording_id: str, now: datetime) -> bool:
    """Whoever was sending it when it was deleted has ended in the middle of that."""
    recording = await repository.get(session, recording_id, lock=True)
    if recording is None or recording.state is not RecordingState.DELETED:
        return False
    if await session.get(StorageJob, recording_id) is not None:
        return False
    await storage.remove_soon(session, recording_id, now)
    return True


async def _note_absence(session: AsyncSession, meeting_id: str, now: datetime) -> bool:
    """A meeting took place of which nothing was recorded."""
    meeting = await session.get_one(Meeting, meeting_id)
    recording = repository.add(session, meeting, meeting.started_at or now)
    recording.ended_at = meeting.ended_at
    repository.turn(recording, RecordingState.FAILED, now, Failure.NOTHING_CAPTURED)
    return True
