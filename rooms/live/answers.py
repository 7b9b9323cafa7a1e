"""What the service of live rooms answers."""

from dataclasses import dataclass

from rooms.consultations.views import ConsultationView
from rooms.live.commands import Role
from rooms.live.views import PeerState
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
    meeting: MeetingView | None
    consultation: ConsultationView | None


@dataclass(frozen=True, slots=True)
class RoomStatistics:
    """For /metrics."""

    rooms: int
    peers: int
    waiting: int
    heartbeat_failures: int
