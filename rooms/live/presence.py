"""Who is present: one unbroken presence a person, however many devices and reconnections it is made of."""

from collections.abc import Callable, Iterable
from datetime import datetime

from rooms.live.commands import Person
from rooms.live.events import PresenceClosed, PresenceOpened
from rooms.live.peers import Peer, Presence, PresenceRecord


class PresenceBook:
    """The open presences of one room, by person key; told of every change of a peer after the change."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._open: dict[str, Presence] = {}
        self._closed: list[PresenceRecord] = []

    def came(self, person: Person, now: datetime) -> list[PresenceOpened]:
        """A device of the person is in and connected; opens a presence unless there is one."""
        presence = self._open.get(person.key)
        if presence is not None:
            presence.alive_until = max(presence.alive_until, now)
            return []
        presence = Presence(self._new_id(), person, now, now)
        self._open[person.key] = presence
        return [PresenceOpened(presence.id, person.key, now)]

    def alive(self, person_key: str, now: datetime) -> None:
        """A device of the person was connected until now."""
        self._open[person_key].alive_until = now

    def went(self, person_key: str, now: datetime, remaining: Iterable[Peer]) -> list[PresenceClosed]:
        """A device is gone; closes the presence when none of the `remaining` devices of the person is left.

        It closes at the moment until which a device was connected: grace periods that lead nowhere are not presence.
        """
        left = list(remaining)
        if any(peer.connected for peer in left):
            self._open[person_key].alive_until = now
        if left:
            return []
        presence = self._open.pop(person_key)
        self._closed.append(_record(presence, presence.alive_until, closed=True))
        return [PresenceClosed(presence.id, person_key, presence.alive_until)]

    def records(self, now: datetime, connected: frozenset[str]) -> list[PresenceRecord]:
        """The open presences as of now; `connected` are the persons with a living connection."""
        return [
            _record(presence, now if key in connected else presence.alive_until, closed=False)
            for key, presence in self._open.items()
        ]

    def take_closed(self) -> list[PresenceRecord]:
        """The presences that closed since this was asked last."""
        taken, self._closed = self._closed, []
        return taken


def _record(presence: Presence, last_seen_at: datetime, *, closed: bool) -> PresenceRecord:
    return PresenceRecord(presence.id, presence.person, presence.opened_at, last_seen_at, closed)
