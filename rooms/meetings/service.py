"""`Meetings`: scheduling and everything before and after the room itself."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, Page, PageRequest, new_id
from errors import Kind, Problem
from members.organizations import Organization
from members.organizations import repository as organizations
from members.people import Member
from members.people import repository as people
from members.policy import Action, Actor
from members.tokens import Tokens
from rooms.meetings import leave, repository, roster, scheduling
from rooms.meetings.access import Access
from rooms.meetings.kinds import KINDS
from rooms.meetings.lookups import visible_members, visible_organization
from rooms.meetings.models import Invitation, Meeting
from rooms.meetings.requests import Invite, MeetingsFilter, ScheduleMeeting, UpdateMeeting
from rooms.meetings.rules import (
    NAMED,
    check_agenda,
    check_record,
    check_times,
    check_title,
    must_be,
)
from rooms.meetings.states import InvitationOrigin, MeetingState
from rooms.meetings.views import InvitationView, LeaveView, MeetingView
from rooms.passes import RoomPass, account_pass, person_pass
from rooms.persons import guest_key
from rooms.texts import clean_name

AFTER_THE_END: Final = timedelta(hours=12)
"""Meetings run late; a room never lives longer than this beyond its planned end."""

NOT_OVER: Final = (MeetingState.SCHEDULED, MeetingState.LIVE)

log = structlog.get_logger(__name__)

RequireRoom = Callable[[AsyncSession, Organization], Awaitable[None]]
"""Whether the organization has room for one more recording, in the caller's transaction."""


async def _no_limit(_session: AsyncSession, _organization: Organization) -> None:
    pass


class Meetings:
    """Every public method is one unit of work and checks the actor's right through members.policy.

    Starting and ending go through `rooms.LiveRooms.start_meeting` and `end_meeting`, which tell the room as well.
    `require_room` is asked before it is settled that a meeting is to be recorded, and raises what it has against it.
    """

    def __init__(
        self, database: Database, tokens: Tokens, clock: Clock, require_room: RequireRoom = _no_limit
    ) -> None:
        self._database = database
        self._require_room = require_room
        self._tokens = tokens
        self._clock = clock

    async def schedule(self, actor: Actor, request: ScheduleMeeting) -> MeetingView:
        """Schedule a meeting and invite whom its kind says.

        Problems: not_found (organization), forbidden, invalid_title, invalid_agenda, invalid_meeting_time,
        invalid_timezone, invalid_threshold, kind_not_for_organization, kind_takes_no_organizations,
        kind_is_never_recorded, too_many_named, and those of `require_room`.
        """
        async with self._database.transaction() as session:
            access = await scheduling.schedule(session, actor, request, self._clock())
            if access.meeting.record:
                await self._require_room(session, access.organization)
            log.info("meeting_scheduled", meeting_id=access.meeting.id, kind=request.kind.value)
            return access.view

    async def update(self, actor: Actor, meeting_id: str, changes: UpdateMeeting) -> MeetingView:
        """Change a scheduled meeting; Problems as of `schedule`, and meeting_in_wrong_state."""
        async with self._database.transaction() as session:
            access = await self._managed(session, actor, meeting_id, MeetingState.SCHEDULED)
            meeting = access.meeting
            if changes.title is not None:
                meeting.title = check_title(changes.title)
            if changes.agenda is not None:
                meeting.agenda = check_agenda(changes.agenda)
            if changes.starts_at is not None or changes.ends_at is not None:
                starts_at, ends_at = (
                    changes.starts_at or meeting.starts_at,
                    changes.ends_at or meeting.ends_at,
                )
                check_times(starts_at, ends_at, self._clock())
                meeting.starts_at, meeting.ends_at = starts_at, ends_at
            if changes.record is not None:
                check_record(meeting.kind, record=changes.record)
                if changes.record and not meeting.record:
                    await self._require_room(session, access.organization)
                meeting.record = changes.record
            if changes.lobby is not None:
                meeting.lobby = changes.lobby
            meeting.updated_at = self._clock()
            return access.view

    async def cancel(self, actor: Actor, meeting_id: str) -> MeetingView:
        """Call a scheduled meeting off; it stays visible as cancelled."""
        async with self._database.transaction() as session:
            access = await self._managed(session, actor, meeting_id, MeetingState.SCHEDULED)
            access.meeting.state = MeetingState.CANCELLED
            access.meeting.updated_at = self._clock()
            return access.view

    async def get(self, actor: Actor, meeting_id: str) -> MeetingView:
        """One meeting; meeting_not_found for who may not know of it."""
        async with self._database.reading() as session:
            access = await repository.access(session, meeting_id, actor)
            access.require(Action.SEE_MEETING)
            return access.view

    async def list(self, actor: Actor, wanted: MeetingsFilter, page: PageRequest) -> Page[MeetingView]:
        """The meetings one may see: invited to, of organizations under one's offices, or open to one.

        `wanted.organization_id` means that organization and all below it; Problem not_found for an unknown one.
        """
        async with self._database.reading() as session:
            path = None
            if wanted.organization_id is not None:
                path = (await visible_organization(session, actor, wanted.organization_id)).path
            found = await repository.page(session, actor, wanted, path, page)
            return found.map(lambda access: access.view)

    async def invitations(self, actor: Actor, meeting_id: str, page: PageRequest) -> Page[InvitationView]:
        """The invitation list, by name; for who may see the attendance."""
        async with self._database.reading() as session:
            access = await repository.access(session, meeting_id, actor)
            access.require(Action.SEE_ATTENDANCE)
            found = await repository.invited_page(session, meeting_id, page)
            names = await organizations.get_many(
                session, [member.organization_id for _, member in found.items]
            )
            return found.map(lambda pair: _invitation_view(*pair, names[pair[1].organization_id].name))

    async def invite(self, actor: Actor, meeting_id: str, invites: tuple[Invite, ...]) -> int:
        """Invite members by hand, or change the role of invited ones; answers how many are expected now.

        Who is invited while the meeting is live may come, and is not expected: that was fixed at the start.
        """
        if len(invites) > NAMED:
            raise Problem(Kind.INVALID, "too_many_named", {"maximum": NAMED})
        wanted = {invite.member_id: invite.role for invite in invites}
        async with self._database.transaction() as session:
            access = await self._managed(session, actor, meeting_id, *NOT_OVER)
            members = await visible_members(session, actor, tuple(wanted))
            listed = await repository.invitations_of(session, meeting_id, list(wanted))
            for member_id, invitation in listed.items():
                invitation.role = wanted[member_id]
                invitation.vote = roster.has_vote(members[member_id], wanted[member_id])
                invitation.origin = InvitationOrigin.HAND
                invitation.struck = False
            for role in set(wanted.values()):
                fresh = [members[key] for key in wanted if wanted[key] is role and key not in listed]
                await roster.put(session, meeting_id, fresh, InvitationOrigin.HAND, role)
            await session.flush()
            if access.meeting.state is MeetingState.SCHEDULED:
                access.meeting.expected_count = await repository.count_expected(session, meeting_id)
            return access.meeting.expected_count

    async def uninvite(self, actor: Actor, meeting_id: str, member_id: str) -> None:
        """Take somebody off the list of a scheduled meeting; the kind's rule will not put him back."""
        async with self._database.transaction() as session:
            access = await self._managed(session, actor, meeting_id, MeetingState.SCHEDULED)
            listed = await repository.invitations_of(session, meeting_id, [member_id])
            if member_id not in listed:
                raise Problem(Kind.NOT_FOUND, "invitation_not_found")
            listed[member_id].struck = True
            await session.flush()
            access.meeting.expected_count = await repository.count_expected(session, meeting_id)

    async def sign_up(self, actor: Actor, meeting_id: str) -> MeetingView:
        """Sign up for an open meeting that is not over; again changes nothing. Problem sign_up_not_possible."""
        async with self._database.transaction() as session:
            access = await repository.access(session, meeting_id, actor, lock=True)
            access.require(Action.SEE_MEETING)
            struck = access.invitation is not access.invited
            if not KINDS[access.meeting.kind].sign_up or actor.member_id is None or struck:
                raise Problem(Kind.FORBIDDEN, "sign_up_not_possible")
            must_be(access.meeting.state, *NOT_OVER)
            if access.invited is not None:
                return access.view
            member = await people.get_many(session, [actor.member_id])
            await roster.put(session, meeting_id, member.values(), InvitationOrigin.SIGNED_UP)
            if access.meeting.state is MeetingState.SCHEDULED:
                access.meeting.expected_count = await repository.count_expected(session, meeting_id)
            listed = await repository.invitations_of(session, meeting_id, [actor.member_id])
            return replace(access, invitation=listed[actor.member_id]).view

    async def invite_guest(self, actor: Actor, meeting_id: str, display_name: str) -> RoomPass:
        """A room token for somebody without an account: family of a family_visit, residents at an open_life."""
        async with self._database.reading() as session:
            access = await repository.access(session, meeting_id, actor)
            access.require(Action.MODERATE_MEETING)
            must_be(access.meeting.state, *NOT_OVER)
            if not KINDS[access.meeting.kind].guests:
                raise Problem(Kind.FORBIDDEN, "kind_takes_no_guests", {"kind": access.meeting.kind.value})
            name = clean_name(display_name)
            lifetime = self._pass_lifetime(access.meeting)
            return person_pass(self._tokens, meeting_id, guest_key(new_id()), name, self._clock(), lifetime)

    async def room_pass(self, actor: Actor, meeting_id: str) -> RoomPass:
        """A room token for oneself."""
        async with self._database.reading() as session:
            access = await repository.access(session, meeting_id, actor)
            access.require(Action.JOIN_MEETING)
            must_be(access.meeting.state, *NOT_OVER)
            lifetime = self._pass_lifetime(access.meeting)
            return account_pass(self._tokens, meeting_id, actor.account_id, self._clock(), lifetime)

    def _pass_lifetime(self, meeting: Meeting) -> timedelta:
        return max(meeting.ends_at - self._clock(), timedelta()) + AFTER_THE_END

    async def ask_leave(self, actor: Actor, meeting_id: str, reason: str) -> LeaveView:
        """Ask to be excused, before the meeting starts; asking again replaces the reason and the decision."""
        async with self._database.transaction() as session:
            access = await repository.access(session, meeting_id, actor, lock=True)
            access.require(Action.REQUEST_LEAVE)
            must_be(access.meeting.state, MeetingState.SCHEDULED)
            return leave.ask(access, reason, self._clock())

    async def decide_leave(
        self, actor: Actor, meeting_id: str, member_id: str, *, granted: bool
    ) -> LeaveView:
        """Grant or refuse, until the meeting ends, by who manages it; Problem leave_request_not_found."""
        async with self._database.transaction() as session:
            await self._managed(session, actor, meeting_id, *NOT_OVER)
            return await leave.decide(session, actor, meeting_id, member_id, self._clock(), granted=granted)

    async def leave_requests(self, actor: Actor, meeting_id: str, page: PageRequest) -> Page[LeaveView]:
        """The leave requests of a meeting, oldest first; who manages it sees all, others their own."""
        async with self._database.reading() as session:
            access = await repository.access(session, meeting_id, actor)
            access.require(Action.SEE_MEETING)
            only = None if access.may(Action.MANAGE_MEETING) else actor.member_id or ""
            return await leave.page(session, meeting_id, only, page)

    async def _managed(
        self, session: AsyncSession, actor: Actor, meeting_id: str, *states: MeetingState
    ) -> Access:
        """A meeting that the actor manages, in one of these states, locked until the transaction ends."""
        access = await repository.access(session, meeting_id, actor, lock=True)
        access.require(Action.MANAGE_MEETING)
        must_be(access.meeting.state, *states)
        return access


def _invitation_view(invitation: Invitation, member: Member, organization_name: str) -> InvitationView:
    return InvitationView(
        member_id=member.id,
        name=member.name,
        organization_id=member.organization_id,
        organization_name=organization_name,
        role=invitation.role,
        vote=invitation.vote,
        origin=invitation.origin,
        leave=leave.view_of(invitation, member.name) if invitation.leave_state is not None else None,
    )
