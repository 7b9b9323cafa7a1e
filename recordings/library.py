"""`Library`: what there is to watch, for the person who asks."""

import builtins
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, Page, PageRequest, SortKey, fetch_page
from errors import Kind, Problem
from members.organizations import Organization
from members.organizations.repository import get_many
from members.people import Member
from members.policy import Action, Actor
from recordings import repository
from recordings.access import Asked, find, find_all, reachable, watchable
from recordings.captions import service as captions
from recordings.filtering import conditions
from recordings.losses import Lack, lacks, losses_in, namesakes, told_apart
from recordings.models import Recording, Viewing
from recordings.persons.service import persons_of, persons_of_all, without_members
from recordings.remaking import can_be_made_anew
from recordings.renditions import FILE_NAMES, Outputs, Rendition, content_type, is_hls_file, outputs_in
from recordings.requests import RecordingsFilter
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Shelf
from recordings.storage.store import StoreError
from recordings.viewing import repository as viewings
from recordings.viewing.repository import Watching
from recordings.viewing.service import coverage_view
from recordings.views import MediaFile, MeetingRecording, OpenedRecording, RecordingView
from rooms.attendance.records import awaits_making_up
from rooms.persons import member_key, member_of

EVERYTHING: Final = RecordingsFilter()
NEWEST_FIRST: Final[tuple[SortKey[Any], ...]] = (
    SortKey(Recording.started_at, descending=True),
    SortKey(Recording.id, descending=True),
)

# All are forgotten when they are so many, and asked for again.
_MOST_COUNTING: Final = 10_000

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Library:
    """Every public method is one unit of work and checks the actor's right through members.policy."""

    def __init__(self, database: Database, shelf: Shelf, clock: Clock) -> None:
        self._database = database
        self._shelf = shelf
        self._clock = clock
        # Recordings and members for whom the clock is known to run, so that players need not ask the records for it.
        self._counting: set[Watching] = set()

    async def list(
        self, actor: Actor, page: PageRequest, wanted: RecordingsFilter = EVERYTHING
    ) -> Page[RecordingView]:
        """The recordings that the actor may watch, in whatever state, newest first.

        Problem not_found for an organization or a member that one may not know of.
        """
        async with self._database.reading() as session:
            query = (
                select(Recording)
                .join(Organization, Organization.id == Recording.organization_id)
                .where(watchable(actor), *await conditions(session, actor, wanted))
            )
            found = await fetch_page(session, query, NEWEST_FIRST, page)
            return Page(await self._views(session, actor, found.items), found.next_cursor)

    async def to_study(self, actor: Actor, page: PageRequest) -> Page[RecordingView]:
        """What the actor was expected at and missed, and can still make up, newest first."""
        if actor.member_id is None:
            return Page([])
        query = (
            select(Recording)
            .join(Organization, Organization.id == Recording.organization_id)
            .where(
                watchable(actor),
                Recording.state != RecordingState.FAILED,
                awaits_making_up(Recording.meeting_id, literal(actor.member_id)),
            )
        )
        async with self._database.reading() as session:
            found = await fetch_page(session, query, NEWEST_FIRST, page)
            return Page(await self._views(session, actor, found.items), found.next_cursor)

    async def _views(
        self, session: AsyncSession, actor: Actor, recordings: Sequence[Recording]
    ) -> builtins.list[RecordingView]:
        organizations = await get_many(session, {item.organization_id for item in recordings})
        watched: dict[str, Viewing] = {}
        if actor.member_id is not None:
            watched = await viewings.of_recordings(session, [item.id for item in recordings], actor.member_id)
        persons = await persons_of_all(session, [item.id for item in recordings if item.is_uploaded])
        return [
            replace(
                _view(item, organizations[item.organization_id], actor, watched.get(item.id)),
                persons=without_members(persons.get(item.id, ())),
            )
            for item in recordings
        ]

    async def get(self, actor: Actor | None, recording_id: str) -> RecordingView:
        """One recording, with what the actor may do to it; Problem recording_not_found."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
            viewing = None
            if actor is not None and actor.member_id is not None:
                viewing = await viewings.get(session, recording_id, actor.member_id)
            languages = await captions.of_recording(session, recording_id)
            persons = await persons_of(session, recording_id) if access.recording.is_uploaded else ()
            lacking = await _lacks(session, access.recording, actor)
            can_manage = access.may(actor, Action.MANAGE_RECORDING)
            mending = can_manage and access.recording.state is RecordingState.MENDING
            waits_for_room = (mending or access.recording.state is RecordingState.COMPOSING) and (
                await repository.is_waiting_for_room(session, recording_id)
            )
            at_rest = await repository.is_at_rest(session, access.recording)
        return replace(
            _view(access.recording, access.organization, actor, viewing),
            captions=languages,
            lacks=lacking,
            persons=persons if can_manage else without_members(persons),
            waits_for_room=waits_for_room,
            mending=mending,
            can_manage=can_manage,
            can_delete=at_rest and access.may(actor, Action.DELETE_RECORDING),
            can_remake=can_manage and await can_be_made_anew(access.recording, self._shelf.folders),
        )

    async def download(self, actor: Actor | None, recording_id: str) -> MediaFile:
        """The film to take away; Problem download_not_allowed where the recording's settings do not say so."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
        access.require_playable()
        if not access.recording.downloadable:
            raise Problem(Kind.FORBIDDEN, "download_not_allowed")
        film = await self._file(_opened(access.recording), Rendition.FILM, FILE_NAMES[Rendition.FILM])
        return replace(film, download_name=f"{access.recording.title}.mp4", signed_seconds=None)

    async def open(
        self, actor: Actor | None, recording_id: str, version: int | None = None
    ) -> OpenedRecording:
        """Let the actor in to the film; Problems recording_not_found, recording_not_playable.

        Problem recording_renewed where it is not the `version` any more that was asked for: half of one film and half
        of another is none.

        From the first time a member opens it, the clock runs against which watching is counted.
        """
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
            access.require_playable()
            if version is not None and version != access.recording.version:
                raise Problem(Kind.CONFLICT, "recording_renewed", {"version": access.recording.version})
            watching = _watching([(actor, recording_id)])
            fresh = await self._fresh(session, watching)
        await self._count(watching, fresh)
        return _opened(access.recording)

    async def open_all(self, asked: Collection[Asked]) -> dict[Asked, OpenedRecording]:
        """What `open` does for each of many, in as many statements as for one; who is not let in is left out."""
        async with self._database.reading() as session:
            found = await find_all(session, asked)
            let_in = {
                one: _opened(access.recording)
                for one, access in found.items()
                if access.recording.state.playable
            }
            watching = _watching(let_in)
            fresh = await self._fresh(session, watching)
        await self._count(watching, fresh)
        return let_in

    async def _fresh(self, session: AsyncSession, watching: set[Watching]) -> set[Watching]:
        """Those for whom the clock does not run yet."""
        unknown = watching - self._counting
        return unknown - await viewings.there_are(session, unknown) if unknown else set()

    async def _count(self, watching: set[Watching], fresh: set[Watching]) -> None:
        if fresh:
            async with self._database.transaction() as session:
                await viewings.open_missing(session, fresh, self._clock())
        if len(self._counting) + len(watching) > _MOST_COUNTING:
            self._counting.clear()
        self._counting |= watching

    async def file(
        self, opened: OpenedRecording, rendition: Rendition, piece: str | None = None
    ) -> MediaFile:
        """The film, its sound, or a `piece` of the stream by name, in whichever store has it. Asks no records.

        Problems recording_not_playable where the film is not there, rendition_not_found where anything else is not.
        """
        if piece is None:
            return await self._file(opened, rendition, FILE_NAMES[rendition])
        if not is_hls_file(piece):
            raise _no_rendition(rendition)
        return await self._file(opened, rendition, f"{FILE_NAMES[rendition]}/{piece}")

    async def picture(self, actor: Actor | None, recording_id: str, rendition: Rendition) -> MediaFile:
        """The poster or the preview; Problems recording_not_found, recording_not_playable, rendition_not_found."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
        access.require_playable()
        return await self._file(_opened(access.recording), rendition, FILE_NAMES[rendition])

    async def _file(self, opened: OpenedRecording, rendition: Rendition, name: str) -> MediaFile:
        try:
            found = await self._shelf.find(opened.id, opened.version, opened.stored_version, name)
        except StoreError as error:
            _log.warning(
                "store_unreadable", recording_id=opened.id, fault=error.fault.value, remedy=error.remedy
            )
            raise Problem(Kind.UNAVAILABLE, "store_unavailable") from error
        if found is None:
            if rendition is Rendition.FILM:
                raise Problem(Kind.CONFLICT, "recording_not_playable", {"state": opened.state.value})
            raise _no_rendition(rendition)
        etag = f'"{opened.id}-{opened.version}-{name.replace("/", "-")}-{found.entry.size}"'  # in whichever store
        kind = content_type(name)
        signed = found.signed_seconds if _may_come_from_elsewhere(kind) else None
        return MediaFile(found.store, found.entry, etag, kind, signed)

    async def of_meetings(self, actor: Actor, meeting_ids: Iterable[str]) -> dict[str, MeetingRecording]:
        """By meeting the recording that the actor may watch, or might have watched before it was deleted."""
        query = (
            select(Recording.meeting_id, Recording.id, Recording.state)
            .join(Organization, Organization.id == Recording.organization_id)
            .where(Recording.meeting_id.in_(list(meeting_ids)), reachable(actor))
        )
        async with self._database.reading() as session:
            return {
                row.meeting_id: MeetingRecording(row.id, row.state is RecordingState.DELETED)
                for row in await session.execute(query)
            }


def _watching(asked: Iterable[Asked]) -> set[Watching]:
    return {
        Watching(recording_id, actor.member_id)
        for actor, recording_id in asked
        if actor is not None and actor.member_id is not None
    }


def _opened(recording: Recording) -> OpenedRecording:
    return OpenedRecording(recording.id, recording.shown_state, recording.version, recording.stored_version)


def _no_rendition(rendition: Rendition) -> Problem:
    return Problem(Kind.NOT_FOUND, "rendition_not_found", {"rendition": rendition.value})


def _may_come_from_elsewhere(kind: str) -> bool:
    """Films and their pieces; not playlists, whose names are found beside where they came from."""
    return kind.startswith(("video/", "audio/"))


async def _lacks(session: AsyncSession, recording: Recording, actor: Actor | None) -> tuple[Lack, ...]:
    """Members of one name are known by their branches; where nobody is signed in, by numbers alone."""
    if not recording.state.playable:
        return ()
    found = lacks(_sense(recording, lambda: losses_in(recording.losses)) or ())
    keys = namesakes(found) if actor is not None else frozenset()
    return told_apart(found, await _branches(session, keys) if keys else {})


async def _branches(session: AsyncSession, keys: Collection[str]) -> dict[str, str]:
    """By the keys of members, the names of their branches."""
    ids = [member_id for key in keys if (member_id := member_of(key)) is not None]
    query = select(Member.id, Organization.name).join(Member.organization).where(Member.id.in_(ids))
    return {member_key(row.id): row.name for row in await session.execute(query)}


def _sense(recording: Recording, read: Callable[[], T]) -> T | None:
    """What `read` makes of a recording's row; None where that makes no sense, which is nothing against the others."""
    try:
        return read()
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        _log.warning("records_senseless", recording_id=recording.id, error=type(error).__name__)
        return None


def _view(
    recording: Recording, organization: Organization, actor: Actor | None, viewing: Viewing | None
) -> RecordingView:
    state, failure = recording.shown_state, recording.failure
    outputs = _sense(recording, lambda: outputs_in(recording.renditions, recording.chapters))
    if outputs is None:  # what comes beside the film nobody knows
        outputs = Outputs({Rendition.FILM: recording.size_bytes or 0} if state.playable else {})
        if state.playable:
            state, failure = RecordingState.DAMAGED, failure or Failure.FILES_MISSING
    return RecordingView(
        id=recording.id,
        meeting_id=recording.meeting_id,
        title=recording.title,
        organization_name=organization.name,
        kind=recording.kind.value,
        state=state,
        version=recording.version,
        progress=recording.progress,
        duration_seconds=recording.duration_seconds,
        started_at=recording.started_at,
        size_bytes=recording.size_bytes,
        failure=failure,
        audience=recording.audience,
        downloadable=recording.downloadable,
        required_share=recording.required_share,
        prompt_minutes=recording.prompt_minutes,
        can_manage=False,
        can_delete=False,
        can_remake=False,
        uploaded=recording.is_uploaded,
        capture_stopped=recording.is_live and recording.state is RecordingState.FAILED,
        waits_for_room=False,
        mending=False,
        coverage=coverage_view(viewing, recording)
        if actor is not None and actor.member_id is not None
        else None,
        renditions=tuple(outputs.sizes),
        chapters=outputs.chapters,
        preview=outputs.preview,
    )
