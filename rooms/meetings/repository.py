"""Every query about meetings and invitations. The caller has the session and asks the policy."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Page, PageRequest, SortKey, fetch_page
from members.organizations import Organization
from members.organizations.repository import get_many, in_scope, in_subtree
from members.people import Member
from members.policy import Action, Actor, Audience, scope
from rooms.live.commands import Role
from rooms.live.models import RoomMark, RoomMarkRecord
from rooms.meetings.access import Access, meeting_not_found
from rooms.meetings.kinds import PRIVATE_KINDS, kinds_where
from rooms.meetings.models import Invitation, Meeting
from rooms.meetings.requests import MeetingsFilter
from rooms.meetings.states import MeetingState
from rooms.persons import person_key


async def access(session: AsyncSession, meeting_id: str, actor: Actor, *, lock: bool = False) -> Access:
    """A meeting beside the actor's part in it; Problem meeting_not_found. `lock` it to change its state."""
    asked = (meeting_id, actor)
    found = (await accesses(session, (asked,), lock=lock)).get(asked)
    if found is None:
        raise meeting_not_found()
    return found


async def accesses(
    session: AsyncSession, asked: Collection[tuple[str, Actor]], *, lock: bool = False
) -> dict[tuple[str, Actor], Access]:
    """The same of many to many meetings, in one query; who asks for a meeting that is not there gets none."""
    members = {actor.member_id for _, actor in asked if actor.member_id is not None}
    keys = {person_key(actor) for _, actor in asked}
    query = (
        select(Meeting, Organization, Invitation, RoomMarkRecord.person_key)
        .join(Organization, Organization.id == Meeting.organization_id)
        .outerjoin(Invitation, and_(Invitation.meeting_id == Meeting.id, Invitation.member_id.in_(members)))
        .outerjoin(  # as many rows for each of the invited as there are hosts among those who ask: few
            RoomMarkRecord,
            and_(
                RoomMarkRecord.room_id == Meeting.id,
                RoomMarkRecord.person_key.in_(keys),
                RoomMarkRecord.mark == RoomMark.HOST,
            ),
        )
        .where(Meeting.id.in_({meeting_id for meeting_id, _ in asked}))
    )
    if lock:
        query = query.with_for_update(of=Meeting)
    found: dict[str, tuple[Meeting, Organization]] = {}
    invitations: dict[tuple[str, str], Invitation] = {}
    hosts: set[tuple[str, str]] = set()
    for meeting, organization, invitation, host in await session.execute(query):
        found[meeting.id] = (meeting, organization)
        if invitation is not None:
            invitations[meeting.id, invitation.member_id] = invitation
        if host is not None:
            hosts.add((meeting.id, host))
    return {
        (meeting_id, actor): Access(
            actor,
            *found[meeting_id],
            invitations.get((meeting_id, actor.member_id or "")),
            made_host=(meeting_id, person_key(actor)) in hosts,
        )
        for meeting_id, actor in asked
        if meeting_id in found
    }


async def page(
    session: AsyncSession, actor: Actor, wanted: MeetingsFilter, path: str | None, request: PageRequest
) -> Page[Access]:
    """The meetings that the actor may see, by start; `path`: of that organization and all below it."""
    query = (
        select(Meeting).join(Organization, Organization.id == Meeting.organization_id).where(_visible(actor))
    )
    if path is not None:
        query = query.where(in_subtree(Organization.path, path))
    if wanted.from_ is not None:
        # What is live now belongs to now, however long ago it should have ended.
        query = query.where(or_(Meeting.ends_at > wanted.from_, Meeting.state == MeetingState.LIVE))
    if wanted.to is not None:
        query = query.where(Meeting.starts_at < wanted.to)
    keys: list[SortKey[Any]] = [
        SortKey(Meeting.starts_at, wanted.newest_first),
        SortKey(Meeting.id, wanted.newest_first),
    ]
    found = await fetch_page(session, query, keys, request)
    organizations = await get_many(session, {meeting.organization_id for meeting in found.items})
    invitations = await _own_invitations(session, actor, [meeting.id for meeting in found.items])
    return found.map(
        lambda meeting: Access(
            actor, meeting, organizations[meeting.organization_id], invitations.get(meeting.id)
        )
    )


def _visible(actor: Actor) -> ColumnElement[bool]:
    """The same answers as the policy's SEE_MEETING gives, as a condition; a test holds the two together."""
    open_to_officers = or_(
        Meeting.kind.not_in(PRIVATE_KINDS), Meeting.organizer_account_id == actor.account_id
    )
    by_office = and_(in_scope(Organization.path, scope(actor, Action.SEE_MEETING)), open_to_officers)
    alternatives = [by_office]
    if actor.member_id is not None:
        own = exists().where(Invitation.meeting_id == Meeting.id, Invitation.member_id == actor.member_id)
        by_audience = or_(
            Meeting.kind.in_(kinds_where(Audience.MEMBERS)),
            and_(Meeting.kind.in_(kinds_where(Audience.ORGANIZATION)), _around(actor)),
        )
        alternatives += [own.where(~Invitation.struck), and_(by_audience, ~own.where(Invitation.struck))]
    return or_(*alternatives)


def _around(actor: Actor) -> ColumnElement[bool]:
    """Organizations above, at and below the branches that the actor belongs to."""
    paths = [path for path in (actor.home_path, actor.guest_path) if path]
    conditions = [
        or_(in_subtree(Organization.path, path), Organization.path.in_(_ancestors(path))) for path in paths
    ]
    return or_(*conditions) if conditions else false()


def _ancestors(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[: count + 1]) + "/" for count in range(len(parts))]


async def _own_invitations(
    session: AsyncSession, actor: Actor, meeting_ids: Iterable[str]
) -> dict[str, Invitation]:
    if actor.member_id is None:
        return {}
    rows = await session.scalars(
        select(Invitation).where(
            Invitation.member_id == actor.member_id, Invitation.meeting_id.in_(list(meeting_ids))
        )
    )
    return {row.meeting_id: row for row in rows}


async def invited_page(
    session: AsyncSession, meeting_id: str, request: PageRequest
) -> Page[tuple[Invitation, Member]]:
    """Those on the list, by name."""
    query = (
        select(Member)
        .join(Invitation, Invitation.member_id == Member.id)
        .where(Invitation.meeting_id == meeting_id, ~Invitation.struck)
    )
    found = await fetch_page(session, query, [SortKey(Member.name), SortKey(Member.id)], request)
    invitations = await invitations_of(session, meeting_id, [member.id for member in found.items])
    return found.map(lambda member: (invitations[member.id], member))


async def invitations_of(
    session: AsyncSession, meeting_id: str, member_ids: Sequence[str]
) -> dict[str, Invitation]:
    """The invitations of some members, struck ones too."""
    rows = await session.scalars(
        select(Invitation).where(Invitation.meeting_id == meeting_id, Invitation.member_id.in_(member_ids))
    )
    return {row.member_id: row for row in rows}


async def leave_page(
    session: AsyncSession, meeting_id: str, member_id: str | None, request: PageRequest
) -> Page[Invitation]:
    """The invitations with a leave request, oldest request first; of one member alone where given."""
    query = select(Invitation).where(
        Invitation.meeting_id == meeting_id, Invitation.leave_asked_at.is_not(None)
    )
    if member_id is not None:
        query = query.where(Invitation.member_id == member_id)
    # The condition leaves no null in the key.
    keys: list[SortKey[Any]] = [SortKey(Invitation.leave_asked_at), SortKey(Invitation.member_id)]
    return await fetch_page(session, query, keys, request)


async def count_expected(session: AsyncSession, meeting_id: str) -> int:
    """How many on the list have a duty to come."""
    query = select(func.count()).where(
        Invitation.meeting_id == meeting_id, ~Invitation.struck, Invitation.role != Role.OBSERVER
    )
    return (await session.execute(query)).scalar_one()


async def live(session: AsyncSession) -> Sequence[Meeting]:
    """All meetings that are live, for recovery."""
    return (await session.scalars(select(Meeting).where(Meeting.state == MeetingState.LIVE))).all()
