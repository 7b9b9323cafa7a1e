"""`Notices`: what waits for the person who asks, and that it was looked at."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from database import Clock, Database
from members.accounts import repository as accounts
from members.policy import Actor
from recordings.notices import members, officers
from recordings.notices.views import NoticeKind, NoticeView
from recordings.upkeep.retention import FOR_EVER

# Moments are told in milliseconds, and kept in microseconds.
_SHOWN: Final = timedelta(milliseconds=1)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Notices:
    """One unit of work a method. `default_days` is how long the operator keeps recordings, 0 for ever."""

    def __init__(self, database: Database, clock: Clock, default_days: int = FOR_EVER) -> None:
        self._database = database
        self._clock = clock
        self._default_days = default_days

    async def of(self, actor: Actor) -> Sequence[NoticeView]:
        """What is going wrong at this moment, then what ends first, then what is newest."""
        now = self._clock()
        async with self._database.reading() as session:
            found = [
                *await officers.broken(session, actor, now),
                *await officers.waiting(session, actor),
                *await members.to_study(session, actor, now, self._default_days),
                *await members.lost(session, actor, now),
                *await members.invitations(session, actor, now),
                *await members.answers(session, actor, now),
            ]
            until = await accounts.notices_seen_until(session, actor.account_id)
        if until is not None:
            found = [replace(notice, seen=notice.at < until + _SHOWN) for notice in found]
        return _in_order(found)

    async def see(self, actor: Actor, until: datetime) -> None:
        """Notices up to this moment's were looked at; nobody has seen what is yet to come."""
        until = min(until, self._clock())
        async with self._database.transaction() as session:
            await accounts.note_seen(session, actor.account_id, until)


def _in_order(notices: Iterable[NoticeView]) -> list[NoticeView]:
    newest_first = sorted(notices, key=lambda notice: notice.at, reverse=True)
    return sorted(
        newest_first,
        key=lambda notice: (notice.kind is not NoticeKind.CAPTURE_STOPPED, notice.until or _NEVER),
    )
