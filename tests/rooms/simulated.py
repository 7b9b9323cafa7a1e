"""A live room on simulated time: ids and secrets count up, the test owns the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

from rooms.live.commands import (
    Command,
    ConnectionLost,
    Enter,
    Leave,
    Moderate,
    ModerationAction,
    Person,
    Role,
)
from rooms.live.core import Standing
from rooms.live.events import Event, PeerJoined, PeerResumed, PeerWaiting
from rooms.live.room import LiveRoom
from rooms.live.settings import RoomSettings
from rooms.live.views import Occasion, OccasionKind

START = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)

AnEvent = TypeVar("AnEvent", bound=Event)

OCCASION = Occasion(
    id="meeting",
    kind=OccasionKind.MEETING,
    organization_id="branch",
    title="主题党日",
    record=False,
    lobby=False,
    planned_end=START + timedelta(hours=1),
    started_at=START,
)


def person(name: str, role: Role = Role.PARTICIPANT) -> Person:
    return Person(key=f"member:{name}", member_id=name, name=name, role=role)


def only(events: list[Event], kind: type[AnEvent]) -> AnEvent:
    """The one event of a kind; fails when there is none or more."""
    (found,) = of(events, kind)
    return found


def of(events: list[Event], kind: type[AnEvent]) -> list[AnEvent]:
    return [event for event in events if isinstance(event, kind)]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


class SimulatedRoom:
    """A room, its clock, and short words for what people do in it."""

    def __init__(
        self,
        *,
        lobby: bool = False,
        standing: Standing | None = None,
        settings: RoomSettings | None = None,
    ) -> None:
        self.now = START
        self.events: list[Event] = []
        ids, secrets = count(1), count(1)
        self.room = LiveRoom(
            replace(OCCASION, lobby=lobby),
            settings or RoomSettings(),
            START,
            new_id=lambda: f"id{next(ids)}",
            new_secret=lambda: f"secret{next(secrets)}",
            standing=standing,
        )

    def do(self, command: Command) -> list[Event]:
        events = self.room.handle(command, self.now)
        self.events += events
        return events

    def wait(self, seconds: float) -> list[Event]:
        """Let time pass in steps of a second at most, as the ticker does."""
        events: list[Event] = []
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.now = min(self.now + timedelta(seconds=1), until)
            events += self.room.tick(self.now)
        self.events += events
        return events

    def enter(
        self,
        name: str,
        role: Role = Role.PARTICIPANT,
        token: str | None = None,
        display_name: str | None = None,
    ) -> str:
        """Enter as a person; answers the peer id."""
        events = self.do(Enter(person(name, role), display_name or name, token))
        came = [event for event in events if isinstance(event, PeerJoined | PeerWaiting | PeerResumed)]
        return came[0].peer_id

    def token(self, peer_id: str) -> str:
        return self.room.credentials(peer_id)[1]

    def lose(self, peer_id: str, connection: int | None = None) -> list[Event]:
        return self.do(ConnectionLost(peer_id, connection))

    def leave(self, peer_id: str) -> list[Event]:
        return self.do(Leave(peer_id))

    def moderate(self, host: str, action: ModerationAction, target: str | None = None) -> list[Event]:
        return self.do(Moderate(host, action, target))
