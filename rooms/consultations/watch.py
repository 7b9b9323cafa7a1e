"""Who is missing: experts without a connection, talks with an empty chair. In memory, pure, on a given clock.

The records are the truth about which talks there are, and the watch follows them: it is told what was committed, and
the clock's readings mend whatever it was not told.

A restart forgets it; `Consultations.start` then takes everybody as missing from that moment, and those who come back in
time are as if nothing had happened.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class Chairs:
    """Since when each chair of a talk is empty; None while somebody sits there."""

    expert_missing_since: datetime | None
    resident_missing_since: datetime | None


class Watch:
    """Desks and chairs by when they became empty."""

    def __init__(self) -> None:
        self._desks: dict[str, datetime] = {}
        self._dismissed: set[str] = set()
        self._chairs: dict[str, Chairs] = {}
        self._unread: set[str] = set()  # watched, and not in the records when they were read last

    def desk_lost(self, account_id: str, now: datetime) -> None:
        """The expert has no connection."""
        self._desks.setdefault(account_id, now)

    def desk_opened(self, account_id: str) -> None:
        """The expert has one again."""
        self._desks.pop(account_id, None)
        self._dismissed.discard(account_id)

    def desk_lost_since(self, account_id: str) -> datetime | None:
        """Since when the expert has no connection; None while he has one."""
        return self._desks.get(account_id)

    def desks_lost_for(self, grace: timedelta, now: datetime) -> list[str]:
        """The experts who have been without a connection for so long and were not dismissed for it yet."""
        return [
            account_id
            for account_id, since in self._desks.items()
            if now - since >= grace and account_id not in self._dismissed
        ]

    def dismissed(self, account_ids: Iterable[str]) -> None:
        """These are off duty now; their desks are as lost as before."""
        self._dismissed.update(account_ids)

    def begin(self, consultation_id: str, now: datetime) -> None:
        """There is such a talk: both chairs are empty, unless it is watched already."""
        self._chairs.setdefault(consultation_id, Chairs(now, now))
        self._unread.discard(consultation_id)

    def read(self, consultation_ids: Collection[str], now: datetime) -> None:
        """The talks that the records held at the last reading.

        A reading may be older than what was committed beside it, so a talk is forgotten when a second one in a row
        does not hold it either. One that is begun though it is just over is forgotten in the same way.
        """
        for consultation_id in consultation_ids:
            self.begin(consultation_id, now)
        unread = self._chairs.keys() - set(consultation_ids)
        for consultation_id in unread & self._unread:
            self.forget(consultation_id)
        self._unread = unread & self._chairs.keys()

    def seats(self, consultation_id: str, now: datetime, *, expert: bool, resident: bool) -> None:
        """Who sits in the room now; a talk that is not watched changes nothing."""
        chairs = self._chairs.get(consultation_id)
        if chairs is None:
            return
        chairs.expert_missing_since = None if expert else chairs.expert_missing_since or now
        chairs.resident_missing_since = None if resident else chairs.resident_missing_since or now

    def chairs(self, consultation_id: str) -> Chairs | None:
        """The chairs of a watched talk."""
        return self._chairs.get(consultation_id)

    def met(self, consultation_id: str) -> bool:
        """Whether both sit in the room."""
        chairs = self._chairs.get(consultation_id)
        return (
            chairs is not None
            and chairs.expert_missing_since is None
            and chairs.resident_missing_since is None
        )

    def forget(self, consultation_id: str) -> None:
        """The talk is over, or back in the queue."""
        self._chairs.pop(consultation_id, None)
        self._unread.discard(consultation_id)

    @property
    def talks(self) -> list[str]:
        """The watched talks."""
        return list(self._chairs)
