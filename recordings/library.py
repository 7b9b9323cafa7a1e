"""`Library`: what there is to watch, for the person who asks."""

from collections.abc import Iterable
from typing import Any

import structlog
from sqlalchemy import select

from database import Clock, Database, Page, PageRequest, SortKey, fetch_page
from errors import Kind, Problem
from members.organizations import Organization
from members.organizations.repository import get_many
from members.policy import Actor
from recordings.access import find, watchable
from recordings.models import Recording, Viewing
from recordings.renditions import CONTENT_TYPES, FILE_NAMES, Rendition, outputs_in
from recordings.storage.shelf import Shelf
from recordings.storage.store import StoreError
from recordings.viewing import repository as viewings
from recordings.viewing.service import coverage_view
from recordings.views import MediaFile, RecordingView

_log = structlog.get_logger(__name__)


class Library:
    """Every public method is one unit of work and checks the actor's right through members.policy."""

    def __init__(self, database: Database, shelf: Shelf, clock: Clock) -> None:
        self._database = database
        self._shelf = shelf
        self._clock = clock

    async def list(
        self, actor: Actor, page: PageRequest, *, meeting_id: str | None = None
    ) -> Page[RecordingView]:
        """The recordings that the actor may watch, in whatever state, newest first."""
        query = (
            select(Recording)
            .join(Organization, Organization.id == Recording.organization_id)
            .where(watchable(actor))
        )
        if meeting_id is not None:
            query = query.where(Recording.meeting_id == meeting_id)
        keys: list[SortKey[Any]] = [
            SortKey(Recording.started_at, descending=True),
            SortKey(Recording.id, descending=True),
        ]
        async with self._database.reading() as session:
            found = await fetch_page(session, query, keys, page)
            organizations = await get_many(session, {item.organization_id for item in found.items})
            watched: dict[str, Viewing] = {}
            if actor.member_id is not None:
                watched = await viewings.of_recordings(
                    session, [item.id for item in found.items], actor.member_id
                )

        def view(recording: Recording) -> RecordingView:
            organization = organizations[recording.organization_id]
            return _view(recording, organization, actor, watched.get(recording.id))

        return found.map(view)

    async def get(self, actor: Actor, recording_id: str) -> RecordingView:
        """One recording; Problem recording_not_found."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
            viewing = None
            if actor.member_id is not None:
                viewing = await viewings.get(session, recording_id, actor.member_id)
        return _view(access.recording, access.organization, actor, viewing)

    async def media(
        self, actor: Actor, recording_id: str, rendition: Rendition = Rendition.FILM
    ) -> MediaFile:
        """The film, or its sound, in whichever store has it; Problems recording_not_found, recording_not_playable.

        Problem rendition_not_found where there is no sound of its own.

        From the first time a member fetches it, the clock runs against which watching is counted.
        """
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
            access.require_playable()
            known = actor.member_id is None or await viewings.get(session, recording_id, actor.member_id)
        if not known and actor.member_id is not None:
            async with self._database.transaction() as session:
                await viewings.open_and_lock(session, recording_id, actor.member_id, self._clock())
        return await self._file(access.recording, rendition)

    async def picture(self, actor: Actor, recording_id: str, rendition: Rendition) -> MediaFile:
        """The poster or the preview; Problems recording_not_found, recording_not_playable, rendition_not_found."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
        access.require_playable()
        return await self._file(access.recording, rendition)

    async def _file(self, recording: Recording, rendition: Rendition) -> MediaFile:
        try:
            found = await self._shelf.find(
                recording.id, recording.version, recording.stored_version, FILE_NAMES[rendition]
            )
        except StoreError as error:
            _log.warning(
                "store_unreadable", recording_id=recording.id, fault=error.fault.value, remedy=error.remedy
            )
            raise Problem(Kind.UNAVAILABLE, "store_unavailable") from error
        if found is None:
            if rendition is Rendition.FILM:
                raise Problem(Kind.CONFLICT, "recording_not_playable", {"state": recording.state.value})
            raise Problem(Kind.NOT_FOUND, "rendition_not_found", {"rendition": rendition.value})
        etag = f'"{recording.id}-{recording.version}-{rendition}"'
        streams = rendition in {Rendition.FILM, Rendition.SOUND}  # what a player loads without a script
        return MediaFile(
            found.store,
            found.entry.key,
            found.entry.size,
            etag,
            CONTENT_TYPES[rendition],
            found.signed_seconds if streams else None,
        )

    async def of_meetings(self, actor: Actor, meeting_ids: Iterable[str]) -> dict[str, str]:
        """The ids of those meetings' recordings that the actor may watch, by meeting."""
        query = (
            select(Recording.meeting_id, Recording.id)
            .join(Organization, Organization.id == Recording.organization_id)
            .where(Recording.meeting_id.in_(list(meeting_ids)), watchable(actor))
        )
        async with self._database.reading() as session:
            return {row.meeting_id: row.id for row in await session.execute(query)}


def _view(
    recording: Recording, organization: Organization, actor: Actor, viewing: Viewing | None
) -> RecordingView:
    outputs = outputs_in(recording.renditions, recording.chapters)
    return RecordingView(
        id=recording.id,
        meeting_id=recording.meeting_id,
        title=recording.title,
        organization_name=organization.name,
        kind=recording.kind.value,
        state=recording.state,
        progress=recording.progress,
        duration_seconds=recording.duration_seconds,
        started_at=recording.started_at,
        size_bytes=recording.size_bytes,
        failure=recording.failure,
        audience=recording.audience,
        coverage=coverage_view(viewing, recording) if actor.member_id is not None else None,
        renditions=tuple(outputs.sizes),
        chapters=outputs.chapters,
        preview=outputs.preview,
    )
