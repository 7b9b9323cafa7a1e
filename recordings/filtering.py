"""From what somebody looks for in the library to the conditions of a query."""

from sqlalchemy import ColumnElement, exists
from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.organizations import Organization
from members.organizations.repository import in_subtree
from members.policy import Actor
from recordings.models import Recording
from recordings.persons.models import FilmPerson
from recordings.requests import RecordingsFilter
from recordings.searching.index import found
from recordings.searching.terms import sought
from rooms.attendance.models import PresenceInterval
from rooms.meetings.lookups import visible_members, visible_organization
from rooms.persons import member_key


async def conditions(
    session: AsyncSession, actor: Actor, wanted: RecordingsFilter
) -> list[ColumnElement[bool]]:
    """For a query of recordings joined with their organizations.

    Problems: not_found for an organization or a member that one may not know of, nothing_to_look_for for a search text
    of signs alone.
    """
    chosen: list[ColumnElement[bool]] = []
    if wanted.meeting_id is not None:
        chosen.append(Recording.meeting_id == wanted.meeting_id)
    if wanted.organization_id is not None:
        organization = await visible_organization(session, actor, wanted.organization_id)
        chosen.append(in_subtree(Organization.path, organization.path))
    if wanted.kind is not None:
        chosen.append(Recording.kind == wanted.kind)
    if wanted.from_ is not None:
        chosen.append(Recording.started_at >= wanted.from_)
    if wanted.to is not None:
        chosen.append(Recording.started_at < wanted.to)
    if wanted.member_id is not None:
        await visible_members(session, actor, (wanted.member_id,))
        chosen.append(_took_part(wanted.member_id))
    if wanted.query:
        chosen.append(_search(wanted.query))
    return chosen


def _took_part(member_id: str) -> ColumnElement[bool]:
    """As measured, or as said of a film made elsewhere."""
    there = exists().where(
        PresenceInterval.meeting_id == Recording.meeting_id,
        PresenceInterval.person_key == member_key(member_id),
    )
    return there | exists().where(FilmPerson.recording_id == Recording.id, FilmPerson.member_id == member_id)


def _search(query: str) -> ColumnElement[bool]:
    wanted = sought(query)
    if wanted.is_nothing:
        raise Problem(Kind.INVALID, "nothing_to_look_for", {"field": "query"})
    return found(wanted)
