"""Who has trouble, told every few seconds where it changed: to each his own, to hosts the whole room's."""

import asyncio
from typing import Any, Final

import structlog

from rooms.live.commands import Role
from signaling.rooms.condition import Condition
from signaling.rooms.hall import Hall
from signaling.rooms.halls import Halls
from signaling.rooms.session import Session

log = structlog.get_logger(__name__)

# A host cannot help more people than that at once; 50 rows are some 5 kB.
MAX_ROWS: Final = 50


class QualityWatch:
    """Looks at all halls in turn; keeps nothing but what each session was last told."""

    def __init__(self, halls: Halls, every_seconds: float) -> None:
        self._halls = halls
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(self._every_seconds)
            for hall in self._halls.all():
                try:
                    _look(hall)
                except Exception:
                    log.exception("quality_watch_failed", room_id=hall.room_id)
                await asyncio.sleep(0)  # six hundred people are a few milliseconds


def _look(hall: Hall) -> None:
    conditions = [(session, session.condition()) for session in hall.sessions.values() if session.admitted]
    for session, condition in conditions:
        _tell_own(hall, session, condition)
    hosts = [session for session, _ in conditions if session.role is Role.HOST and session.sid is not None]
    if hosts:
        report = room_report(conditions)
        for host in hosts:
            _tell_host(hall, host, report)


def _tell_own(hall: Hall, session: Session, condition: Condition) -> None:
    """One who has sent and received nothing yet has no network to speak of."""
    if session.sid is not None and session.links and condition != session.told_condition:
        session.told_condition = condition
        hall.tell(session, "networkQuality", {"peerId": session.peer_id, **condition.view()})


def _tell_host(hall: Hall, host: Session, report: dict[str, Any]) -> None:
    """A host who came just now hears it too, unless there is nothing to hear."""
    if report != (host.told_room or _NOBODY):
        host.told_room = report
        hall.tell(host, "roomQuality", report)


_NOBODY: Final[dict[str, Any]] = {"peers": [], "omitted": 0}


def room_report(conditions: list[tuple[Session, Condition]]) -> dict[str, Any]:
    """`{peers: [{peerId, up, down, troubles}], omitted}`: those who have any trouble, worst first."""
    troubled = sorted(
        ((session, condition) for session, condition in conditions if condition.troubles),
        key=lambda pair: (pair[1].gravity, pair[0].peer_id),
    )
    rows = [{"peerId": session.peer_id, **condition.view()} for session, condition in troubled[:MAX_ROWS]]
    return {"peers": rows, "omitted": len(troubled) - len(rows)}
