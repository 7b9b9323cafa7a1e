"""`Meetings`: scheduling and everything before and after the room itself."""

from database import Clock, Database, Page, PageRequest
from members.tokens import Tokens
from members.policy import Actor
from rooms.meetings.requests import Invite, MeetingsFilter, ScheduleMeeting, UpdateMeeting
from rooms.meetings.views import InvitationView, LeaveView, MeetingView, RoomPass


class Meetings:
    """Every public method is one unit of work and checks the actor's right through members.policy.

    Starting and ending go through `rooms.LiveRooms.start_meeting` and `end_meeting`, which tell the room as well.
    """

    def __init__(self, database: Database, tokens: Tokens, clock: Clock) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock

    async def schedule(self, actor: Actor, request: ScheduleMeeting) -> MeetingView:
        """Schedule a meeting and invite whom its kind says."""
        raise NotImplementedError

    async def update(self, actor: Actor, meeting_id: str, changes: UpdateMeeting) -> MeetingView:
        """Change a scheduled meeting."""
        raise NotImplementedError

    async def cancel(self, actor: Actor, meeting_id: str) -> MeetingView:
        """Call a scheduled meeting off; it stays visible as cancelled."""
        raise NotImplementedError

    async def get(self, actor: Actor, meeting_id: str) -> MeetingView:
        """One meeting; NOT_FOUND for who may not know of it."""
        raise NotImplementedError

    async def list(self, actor: Actor, wanted: MeetingsFilter, page: PageRequest) -> Page[MeetingView]:
        """The meetings one may see: invited to, or of organizations under one's offices, or open to all."""
        raise NotImplementedError

    async def invitations(self, actor: Actor, meeting_id: str, page: PageRequest) -> Page[InvitationView]:
        """The invitation list, by name."""
        raise NotImplementedError

    async def invite(self, actor: Actor, meeting_id: str, invites: tuple[Invite, ...]) -> int:
        """Invite members by hand, or change the role of invited ones; answers how many are invited now."""
        raise NotImplementedError

    async def uninvite(self, actor: Actor, meeting_id: str, member_id: str) -> None:
        """Take somebody off the list of a scheduled meeting; the kind's rule will not put him back."""
        raise NotImplementedError

    async def sign_up(self, actor: Actor, meeting_id: str) -> MeetingView:
        """Sign up for an open_life meeting that is not over."""
        raise NotImplementedError

    async def invite_guest(self, actor: Actor, meeting_id: str, display_name: str) -> RoomPass:
        """A room token for somebody without an account: family of a family_visit, residents at an open_life."""
        raise NotImplementedError

    async def room_pass(self, actor: Actor, meeting_id: str) -> RoomPass:
        """A room token for oneself."""
        raise NotImplementedError

    async def ask_leave(self, actor: Actor, meeting_id: str, reason: str) -> LeaveView:
        """Ask to be excused, before the meeting starts."""
        raise NotImplementedError

    async def decide_leave(
        self, actor: Actor, meeting_id: str, member_id: str, *, granted: bool
    ) -> LeaveView:
        """A host grants or refuses, until the meeting ends."""
        raise NotImplementedError

    async def leave_requests(self, actor: Actor, meeting_id: str, page: PageRequest) -> Page[LeaveView]:
        """The leave requests of a meeting, oldest first; a host sees all, others their own."""
        raise NotImplementedError
