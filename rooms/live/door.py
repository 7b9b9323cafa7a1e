"""Who stands at a room's door: sessions and room tokens turned into people, and what they are to a meeting."""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from database import new_id
from errors import Kind, Problem
from members.accounts import repository as accounts
from members.policy import Action, Actor
from members.tokens import Tokens
from rooms.live.commands import Person, Role
from rooms.meetings.access import Access
from rooms.meetings.kinds import KINDS
from rooms.meetings.views import MeetingView
from rooms.passes import NamedGuest, read_bearer
from rooms.persons import person_key

Visitor = Actor | NamedGuest


@dataclass(frozen=True, slots=True)
class AtMeeting:
    """A visitor at a meeting that he may know of and join, whatever state it is in."""

    access: Access
    person: Person

    @property
    def view(self) -> MeetingView:
        """The meeting as the visitor sees it."""
        if self.person.role is self.access.role:
            return self.access.view
        return replace(self.access.view, my_role=self.person.role, can_join=True, can_manage=False)


async def bearer_of(session: AsyncSession, tokens: Tokens, token: str, room_id: str) -> Visitor:
    """Whom a room token stands for; Problem token_invalid, token_expired, token_of_another_room."""
    bearer = read_bearer(tokens, token)
    if bearer.room_id != room_id:
        raise Problem(Kind.FORBIDDEN, "token_of_another_room")
    if bearer.account_id is None or bearer.issued_at is None:
        return NamedGuest(bearer.person_key or "", bearer.name)
    account = await accounts.get(session, bearer.account_id)
    if account is None or account.disabled_at is not None or bearer.issued_at < account.password_changed_at:
        raise Problem(Kind.UNAUTHENTICATED, "token_invalid")
    return accounts.actor_of(account)


def asking(visitor: Visitor) -> Actor:
    """Whom the policy is asked about. A guest is nobody to it: the token, made by a host, is the invitation."""
    return visitor if isinstance(visitor, Actor) else Actor(account_id=new_id(), name=visitor.name)


def at_meeting(visitor: Visitor, access: Access) -> AtMeeting:
    """The visitor at the meeting's door; Problem meeting_not_found, forbidden, kind_takes_no_guests."""
    match visitor:
        case Actor():
            access.require(Action.JOIN_MEETING)
            person = Person(person_key(visitor), visitor.member_id, visitor.name, access.role)
        case NamedGuest():
            if not KINDS[access.meeting.kind].guests:
                raise Problem(Kind.FORBIDDEN, "kind_takes_no_guests", {"kind": access.meeting.kind.value})
            person = Person(visitor.key, None, visitor.name, Role.PARTICIPANT)
    return AtMeeting(access, person)
