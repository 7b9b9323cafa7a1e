"""`Uploads`: films made elsewhere come in, chunk by chunk."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, new_id
from errors import Kind, Problem
from members.organizations import Organization
from members.policy import Action, Actor, Subject, require
from recordings import repository
from recordings.curation import require_sharing
from recordings.faults import is_full
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, Folders
from recordings.models import CompositionJob, Recording
from recordings.persons.service import known_persons, put_persons
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from recordings.storage.repository import remove_soon
from recordings.upkeep.room import require_room_for
from recordings.upkeep.uptime import uptime
from recordings.uploads import files
from recordings.uploads.inspection import Inspector
from recordings.uploads.models import Upload
from recordings.uploads.room import bytes_made
from recordings.uploads.rules import CHUNK_BYTES, LONGEST_SECONDS, OPEN_UPLOADS, SMALLEST_BYTES, Refusal
from recordings.uploads.views import NewFilm, UploadView
from recordings.views import PersonView
from rooms.meetings import repository as meetings
from rooms.meetings.kinds import PRIVATE_KINDS
from rooms.meetings.lookups import visible_organization
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingState

# From the last chunk on, of the time that the server runs: over a weekend, or a line that is down, nobody has to begin
# anew, and no clock that is set takes anything away.
LIFETIME: Final = timedelta(hours=72)

# So many refusals are remembered, for whoever has not heard of his own.
_MOST_REFUSALS: Final = 100

_log = structlog.get_logger(__name__)


class Uploads:
    """Every upload belongs to who began it; whether he still holds the office is asked again when it is whole."""

    def __init__(
        self, database: Database, settings: RecordingSettings, clock: Clock, on_change: Callable[[], None]
    ) -> None:
        self._database = database
        self._settings = settings
        self._folders = Folders(settings.folder)
        self._inspector = Inspector()
        self._refusals: dict[tuple[str, str], Refusal] = {}  # by account and upload, the oldest first
        self._clock = clock
        self._on_change = on_change  # something is to be converted or removed

    async def begin(self, actor: Actor, film: NewFilm) -> UploadView:
        """Make room for a film, before its first byte.

        Problems: upload_too_large, upload_too_small, upload_film_too_long, upload_kind_private, too_many_uploads,
        storage_full, upload_exceeds_quota, meeting_has_recording (one that failed or was deleted gives way), those of
        the policy, and of `known_persons`.
        """
        if film.size_bytes > self._settings.most_upload_bytes:
            limit = self._settings.most_upload_bytes // 1024**3
            raise Problem(Kind.TOO_LARGE, "upload_too_large", {"limitGibibytes": limit})
        if film.size_bytes < SMALLEST_BYTES:
            raise Problem(Kind.INVALID, "upload_too_small", {"field": "sizeBytes"})
        if (film.duration_seconds or 0.0) > LONGEST_SECONDS:
            raise Problem(Kind.INVALID, Refusal.TOO_LONG.value, {"field": "durationSeconds"})
        if film.kind in PRIVATE_KINDS:
            raise Problem(Kind.INVALID, "upload_kind_private", {"field": "kind"})
        upload = Upload(
            id=new_id(), account_id=actor.account_id, organization_id=film.organization_id, kind=film.kind,
            meeting_id=film.meeting_id, title=film.title, audience=film.audience, held_at=film.held_at,
            size_bytes=film.size_bytes, seconds=film.duration_seconds, fingerprint=film.fingerprint,
            created_at=self._clock(),
        )  # fmt: skip
        async with self._database.transaction() as session:
            organization = await self._require_office(session, actor, upload)
            await require_room_for(session, organization, film.size_bytes)
            query = select(func.count()).select_from(Upload).where(Upload.account_id == actor.account_id)
            if (await session.scalar(query) or 0) >= OPEN_UPLOADS:
                raise Problem(Kind.CONFLICT, "too_many_uploads", {"limit": OPEN_UPLOADS})
            upload.persons = [asdict(one) for one in await known_persons(session, actor, film.persons)]
            await self._require_disk(session, upload)
            upload.touched_uptime = ran = await uptime(session)
            session.add(upload)
        await asyncio.to_thread(files.make, self._file(upload.id))
        _log.info("upload_begun", upload_id=upload.id, size=film.size_bytes)
        return self._view(upload, 0, ran)

    async def list(self, actor: Actor) -> list[UploadView]:
        """The actor's own films on their way, the newest first."""
        query = select(Upload).where(Upload.account_id == actor.account_id).order_by(Upload.created_at.desc())
        async with self._database.reading() as session:
            found = (await session.scalars(query)).all()
            ran = await uptime(session)
        return [
            self._view(upload, await asyncio.to_thread(files.length, self._file(upload.id)), ran)
            for upload in found
        ]

    async def get(self, actor: Actor, upload_id: str) -> UploadView:
        """One of them, also when it has just become a recording; Problem upload_not_found, or why it was refused."""
        async with self._database.reading() as session:
            upload = await session.get(Upload, upload_id)
            if upload is None:
                return await self._finished(session, actor, upload_id)
            ran = await uptime(session)
        if upload.account_id != actor.account_id:
            raise _not_found()
        return self._view(upload, await asyncio.to_thread(files.length, self._file(upload_id)), ran)

    async def append(
        self, actor: Actor, upload_id: str, offset: int, data: bytes, fingerprint: str | None = None
    ) -> UploadView:
        """Write a chunk; with the last one the film is looked at, and taken or refused.

        Problems: upload_not_found, upload_other_file (its fingerprint is another), upload_offset (details.offset: where
        to go on), upload_too_long, storage_full, upload_being_checked (the same again in a while), and a `Refusal` for
        a file that is no film; then the upload is gone.
        """
        known = await self.get(actor, upload_id)
        if known.recording_id is not None:
            return known
        if fingerprint and known.fingerprint and fingerprint != known.fingerprint:
            raise Problem(Kind.CONFLICT, "upload_other_file")
        if len(data) > CHUNK_BYTES or offset + len(data) > known.size_bytes:
            raise Problem(Kind.TOO_LARGE, "upload_too_long", {"limitBytes": CHUNK_BYTES})
        if not await asyncio.to_thread(
            files.has_room, self._folders.root, len(data), self._settings.bytes_left_by_films
        ):
            raise Problem(Kind.UNAVAILABLE, "storage_full")
        try:
            end = await asyncio.to_thread(files.append, self._file(upload_id), offset, data)
        except files.OutOfPlace as error:
            raise Problem(Kind.CONFLICT, "upload_offset", {"offset": error.offset}) from error
        except FileNotFoundError as error:
            raise self._gone(actor, upload_id) from error
        except OSError as error:
            raise Problem(
                Kind.UNAVAILABLE, "storage_full" if is_full(error) else "store_unavailable"
            ) from error
        async with self._database.transaction() as session:
            upload = await session.get(Upload, upload_id, with_for_update=True)
            if upload is None:
                raise self._gone(actor, upload_id)
            upload.touched_uptime = ran = await uptime(session)
        if end < upload.size_bytes:
            return self._view(upload, end, ran)
        return await self._finish(actor, upload)

    async def cancel(self, actor: Actor, upload_id: str) -> None:
        """Throw it away; Problem upload_not_found."""
        async with self._database.transaction() as session:
            upload = await session.get(Upload, upload_id, with_for_update=True)
            if upload is None or upload.account_id != actor.account_id:
                raise _not_found()
            await self._drop(session, upload)
        self._on_change()

    async def sweep(self) -> int:
        """Throw away what nobody has gone on with; answers how many."""
        async with self._database.transaction() as session:
            untouched = Upload.touched_uptime <= await uptime(session) - LIFETIME // timedelta(seconds=1)
            stale = (
                await session.scalars(select(Upload).where(untouched).limit(100).with_for_update())
            ).all()
            for upload in stale:
                await self._drop(session, upload)
        if stale:
            self._on_change()
        return len(stale)

    async def _finish(self, actor: Actor, upload: Upload) -> UploadView:
        found = await self._inspector.inspect(self._file(upload.id))
        if isinstance(found, Refusal):
            self._remember(actor, upload.id, found)
            with contextlib.suppress(Problem):  # the same last chunk twice
                await self.cancel(actor, upload.id)
            _log.info("upload_refused", upload_id=upload.id, refusal=found.value)
            raise self._gone(actor, upload.id)
        now = self._clock()
        async with self._database.transaction() as session:
            mine = await session.get(Upload, upload.id, with_for_update=True)
            if mine is None:  # the same last chunk twice
                return await self._finished(session, actor, upload.id)
            await self._require_office(session, actor, mine)
            if mine.meeting_id is not None:
                await _take_place(session, mine.meeting_id)
            recording = _recording(mine, found.seconds, now)
            session.add(recording)
            await session.delete(mine)
            await session.flush()
            await put_persons(session, recording.id, [PersonView(**one) for one in mine.persons])
            await repository.enqueue(session, recording, now)
        self._on_change()
        _log.info("upload_finished", recording_id=upload.id)
        return UploadView(
            upload.id, upload.title, upload.size_bytes, upload.size_bytes, now, recording_id=upload.id
        )

    async def _require_disk(self, session: AsyncSession, upload: Upload) -> None:
        """Room for the film and what is made of it, beside what is still to come of those that were brought before."""
        begun = (await session.scalars(select(Upload))).all()
        queued = select(Recording).join(CompositionJob, CompositionJob.recording_id == Recording.id)
        whole = (await session.scalars(queued.where(Recording.uploader_account_id.is_not(None)))).all()

        def has_room() -> bool:
            to_come = sum(
                one.size_bytes
                - files.length(self._file(one.id))
                + self._made(one, one.size_bytes, one.seconds)
                for one in (upload, *begun)
            )
            for one in whole:
                made = self._made(one, files.length(self._file(one.id)), one.source_seconds)
                to_come += max(0, made - self._folders.work_bytes(one.id))
            return files.has_room(self._folders.root, to_come, self._settings.bytes_left_by_films)

        if not await asyncio.to_thread(has_room):
            raise Problem(Kind.UNAVAILABLE, "storage_full")

    def _made(self, film: Upload | Recording, size: int, seconds: float | None) -> int:
        in_all_sizes = seconds is None or seconds >= self._settings.sizes_from(film.kind)
        return bytes_made(size, seconds, in_all_sizes=in_all_sizes)

    async def _require_office(self, session: AsyncSession, actor: Actor, upload: Upload) -> Organization:
        organization = await visible_organization(session, actor, upload.organization_id)
        require(actor, Action.UPLOAD_RECORDING, Subject(organization_path=organization.path))
        require_sharing(actor, organization.path, upload.kind, upload.audience)
        if upload.meeting_id is None:
            return organization
        access = await meetings.access(session, upload.meeting_id, actor)
        access.require(Action.MANAGE_MEETING)
        meeting = access.meeting
        if meeting.kind in PRIVATE_KINDS:  # whatever the film calls itself
            raise Problem(Kind.INVALID, "upload_kind_private", {"field": "meetingId"})
        if meeting.state is not MeetingState.ENDED or meeting.organization_id != upload.organization_id:
            raise Problem(Kind.INVALID, "upload_other_meeting", {"field": "meetingId"})
        earlier = await repository.of_meeting(session, meeting.id)
        if earlier is not None and not _gives_way(earlier):
            raise Problem(Kind.CONFLICT, "meeting_has_recording")
        return organization

    async def _finished(self, session: AsyncSession, actor: Actor, upload_id: str) -> UploadView:
        recording = await session.get(Recording, upload_id)
        if recording is None or recording.uploader_account_id != actor.account_id:
            raise self._gone(actor, upload_id)
        size = await asyncio.to_thread(files.length, self._file(upload_id))
        return UploadView(
            upload_id, recording.title, size, size, recording.state_since, recording_id=recording.id
        )

    def _remember(self, actor: Actor, upload_id: str, refusal: Refusal) -> None:
        """Whose answer was lost, or who looked a second time, hears what was found the first time."""
        self._refusals.setdefault((actor.account_id, upload_id), refusal)
        if len(self._refusals) > _MOST_REFUSALS:
            del self._refusals[next(iter(self._refusals))]

    def _gone(self, actor: Actor, upload_id: str) -> Problem:
        """Why the actor has no such upload."""
        refusal = self._refusals.get((actor.account_id, upload_id))
        return _not_found() if refusal is None else Problem(Kind.INVALID, refusal.value)

    async def _drop(self, session: AsyncSession, upload: Upload) -> None:
        await session.delete(upload)
        await remove_soon(session, upload.id, self._clock())

    def _view(self, upload: Upload, offset: int, ran: int) -> UploadView:
        expires_at = self._clock() + LIFETIME - timedelta(seconds=ran - upload.touched_uptime)
        return UploadView(
            upload.id, upload.title, upload.size_bytes, offset, expires_at, fingerprint=upload.fingerprint
        )

    def _file(self, upload_id: str) -> Path:
        try:
            return self._folders.of(upload_id) / SOURCE_FOLDER / SOURCE_NAME
        except ValueError as error:
            raise _not_found() from error


def _gives_way(recording: Recording) -> bool:
    """Whether nothing of it can be watched, nor will be by itself: a film taken elsewhere is better."""
    failed = recording.settled and recording.state is RecordingState.FAILED
    return failed or recording.state is RecordingState.DELETED


async def _take_place(session: AsyncSession, meeting_id: str) -> None:
    """What there was of the meeting's own recording stays, and belongs to no meeting any more.

    Problem meeting_has_recording where somebody has it made anew meanwhile, or another film has come first: until this
    one is written nobody else passes here for the same meeting.
    """
    await session.execute(select(Meeting.id).where(Meeting.id == meeting_id).with_for_update(key_share=True))
    earlier = await repository.of_meeting(session, meeting_id, lock=True)
    if earlier is not None:
        if not _gives_way(earlier):
            raise Problem(Kind.CONFLICT, "meeting_has_recording")
        earlier.meeting_id = None
        await session.flush()
        _log.info("recording_replaced", recording_id=earlier.id)


def _recording(upload: Upload, seconds: float, now: datetime) -> Recording:
    return Recording(
        id=upload.id, meeting_id=upload.meeting_id, organization_id=upload.organization_id, kind=upload.kind,
        title=upload.title, uploader_account_id=upload.account_id, audience=upload.audience,
        state=RecordingState.COMPOSING, state_since=now, progress=0.0, segments=0, version=0,
        started_at=upload.held_at, ended_at=now, kept_bytes=upload.size_bytes, source_seconds=seconds,
    )  # fmt: skip


def _not_found() -> Problem:
    return Problem(Kind.NOT_FOUND, "upload_not_found")
