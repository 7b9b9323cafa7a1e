"""Who is missing: experts without a connection, talks with an empty chair. In memory, pure, on a given clock.

A restart forgets it; `Consultations.start` then takes everybody as missing from that moment, and those who come back in
time are as if nothing had happened.
"""

from collections.abc import Iterable
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
        """A talk is called: both chairs are empty."""
        self._chairs[consultation_id] = Chairs(now, now)

    def seats(self, consultation_id: str, now: datetime, *, expert: bool, resident: bool) -> None:
        """Who sits in the room now; a talk that is not watched changes nothing."""
        chairs = self._chairs.get(consultation_id)
        if chairs is None:
            return
        chairs.expert_missing_since = None if expert else chairs.expert_missing_since or now
        chairs.resident_missing_since = None if resident else chairs.resident_missing_since or now

    def answered(self, consultation_id: str, now: datetime) -> None:
        """The resident said that he comes: from now on each has the same time to appear."""
        chairs = self._chairs.get(consultation_id)
        if chairs is None:
            return
        if chairs.expert_missing_since is not None:
            chairs.expert_missing_since = now
        if chairs.resident_missing_since is not None:
            chairs.resident_missing_since = now

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

    @property
    def talks(self) -> list[str]:
        """The watched talks."""
        return list(self._chairs)
