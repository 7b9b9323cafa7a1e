"""`LiveRooms`: the only thing signaling talks to about rooms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from database import Clock, Database
from members.policy import Actor
from members.tokens import Tokens
from rooms.consultations.service import Consultations
from rooms.consultations.views import ConsultationView
from rooms.live.commands import Command, Role
from rooms.live.events import Event
from rooms.live.settings import RoomSettings
from rooms.live.views import PeerState, RoomSnapshot
from rooms.meetings.views import MeetingView


@dataclass(frozen=True, slots=True)
class Entered:
    """The answer to `join`. `resume_token` is the peer's secret and new at every entry."""

    room_id: str
    peer_id: str
    connection: int
    resume_token: str
    resumed: bool
    state: PeerState
    role: Role
    snapshot: RoomSnapshot
    meeting: MeetingView | None
    consultation: ConsultationView | None


class RoomListener(Protocol):
    """Gets every event of every room, in order, on the event loop; must not block. An exception in it is logged."""

    def on_room_event(self, room_id: str, event: Event) -> None:
        """Take one event."""
        ...


@dataclass(frozen=True, slots=True)
class RoomStatistics:
    """For /metrics."""

    rooms: int
    peers: int
    waiting: int
    heartbeat_failures: int


class LiveRooms:
    """The registry of live rooms.

    `visitor` is an Actor (session), or the text of a room token; a token names its room and is refused for another.
    """

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        consultations: Consultations,
        clock: Clock,
        settings: RoomSettings,
    ) -> None:
        raise NotImplementedError

    def subscribe(self, listener: RoomListener) -> Callable[[], None]:
        """Tell `listener` of all events from now on; answers how to stop it. Subscribe before `start`."""
        raise NotImplementedError

    async def start(self) -> None:
        """Rebuild the rooms of what is live, close what a crash left open, begin the clocks.

        MeetingStarted(recovered=True) is told for every meeting that is live already.
        """
        raise NotImplementedError

    async def stop(self) -> None:
        """Stop the clocks and write presence down; meetings stay live and go on after the next start."""
        raise NotImplementedError

    async def enter(
        self, visitor: Actor | str, room_id: str, display_name: str | None, resume_token: str | None
    ) -> Entered:
        """Come in, wait in the lobby, or come back. A host's coming starts a scheduled meeting.

        Problems: meeting_not_found, meeting_not_started {startsAt}, meeting_ended {endedAt}, meeting_cancelled,
        removed, room_locked, room_full, lobby_full, too_many_devices, room_busy, room_token_invalid,
        invalid_display_name, consultation_not_called, consultation_over.
        """
        raise NotImplementedError

    async def handle(self, room_id: str, command: Command) -> list[Event]:
        """One command of a peer; the listeners have the events before this returns. Problem when refused."""
        raise NotImplementedError

    def snapshot(self, room_id: str) -> RoomSnapshot | None:
        """The room now; None when it is not live."""
        raise NotImplementedError

    async def start_meeting(self, actor: Actor, meeting_id: str) -> MeetingView:
        """Start a scheduled meeting; starting a live one changes nothing."""
        raise NotImplementedError

    async def end_meeting(self, actor: Actor, meeting_id: str) -> MeetingView:
        """End it for everybody and write attendance to the cards; ending an ended one changes nothing."""
        raise NotImplementedError

    def statistics(self) -> RoomStatistics:
        """The numbers now."""
        raise NotImplementedError
