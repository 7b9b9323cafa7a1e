"""The invitation list: made by the kind's rule, changed by hand, kept up to date until the meeting starts."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from members.organizations import Organization
from members.organizations.repository import get_many
from members.people import Member, Standing
from members.people.repository import of_committee, of_organization
from rooms.live.commands import Role
from rooms.meetings.kinds import KINDS, InvitedBy
from rooms.meetings.models import Invitation, Meeting, MeetingOrganization
from rooms.meetings.repository import count_expected
from rooms.meetings.states import InvitationOrigin


async def synchronize(session: AsyncSession, meeting: Meeting, organization: Organization) -> None:
    """Make the list what the rule says now: newcomers on, leavers off; what was done by hand stays.

    A few queries however many members there are. Sets `meeting.expected_count`.
    """
    wanted = {member.id: member for member in await _by_rule(session, meeting, organization)}
    rows = await session.execute(
        select(Invitation.member_id, Invitation.origin).where(Invitation.meeting_id == meeting.id)
    )
    listed = {row.member_id: row.origin for row in rows}
    newcomers = [member for member_id, member in wanted.items() if member_id not in listed]
    await put(session, meeting.id, newcomers, InvitationOrigin.RULE)
    leavers = [
        member_id
        for member_id, origin in listed.items()
        if origin is InvitationOrigin.RULE and member_id not in wanted
    ]
    if leavers:
        await session.execute(
            delete(Invitation).where(Invitation.meeting_id == meeting.id, Invitation.member_id.in_(leavers))
        )
    meeting.expected_count = await count_expected(session, meeting.id)


async def put(
    session: AsyncSession,
    meeting_id: str,
    members: Iterable[Member],
    origin: InvitationOrigin,
    role: Role = Role.PARTICIPANT,
) -> None:
    """Add members who are not on the list, in one statement."""
    rows = [
        {
            "meeting_id": meeting_id,
            "member_id": member.id,
            "role": role,
            "vote": has_vote(member, role),
            "origin": origin,
            "struck": False,
        }
        for member in members
    ]
    if rows:
        await session.execute(insert(Invitation), rows)


def has_vote(member: Member, role: Role) -> bool:
    """Full members vote; probationary members and observers (列席) do not."""
    return member.standing is Standing.FULL and role is not Role.OBSERVER


async def _by_rule(session: AsyncSession, meeting: Meeting, organization: Organization) -> list[Member]:
    match KINDS[meeting.kind].invited:
        case InvitedBy.HAND:
            return []
        case InvitedBy.COMMITTEE:
            return list(await of_committee(session, organization))
        case InvitedBy.GROUP:
            return list(await of_organization(session, organization, guests=False))
        case InvitedBy.ORGANIZATION:
            found = list(await of_organization(session, organization))
            for further in await _further(session, meeting):
                found += await of_organization(session, further)
            return found


async def _further(session: AsyncSession, meeting: Meeting) -> Sequence[Organization]:
    named = await session.scalars(
        select(MeetingOrganization.organization_id).where(MeetingOrganization.meeting_id == meeting.id)
    )
    return list((await get_many(session, named)).values())
