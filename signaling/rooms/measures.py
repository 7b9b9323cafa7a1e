"""`getStats`: what the server has counted of a participant's media, as a list of webrtc-stats' dictionaries."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

from errors import Kind, Problem
from media import Consumer
from rooms.live.commands import Role
from signaling.connection import Connection
from signaling.rooms.hall import Hall
from signaling.rooms.halls import Halls
from signaling.rooms.messages import MAX_CONSUMER_IDS, GetStats
from signaling.rooms.session import Session
from signaling.rooms.visitor import Visitor

# Half a kilobyte each and two entries a consumer: such an answer stays below 100 kB however large the room is.
MAX_CONSUMERS: Final = MAX_CONSUMER_IDS


class Measures:
    """The handler: one's own figures for everybody, anybody's for hosts."""

    def __init__(self, halls: Halls, unix_time: Callable[[], float]) -> None:
        self._halls = halls
        self._unix_time = unix_time

    async def get_stats(self, connection: Connection[Visitor], message: GetStats) -> dict[str, Any]:
        """Problems: forbidden (another's figures, and no host), peer_not_found, consumer_not_found."""
        hall, asking = self._halls.inside(connection.sid)
        session = _subject(hall, asking, message.peer_id)
        chosen = message.consumer_ids
        consumers = (
            _worth_a_look(session)
            if chosen is None
            else [session.consumer(item) for item in dict.fromkeys(chosen)]
        )
        told = list(islice(consumers, MAX_CONSUMERS))
        now = self._unix_time() * 1000
        return {
            "peerId": session.peer_id,
            "stats": [entry | {"timestamp": now} for entry in _entries(session, told)],
            "omittedConsumers": len(session.consumers) - len(told) if chosen is None else 0,
        }


def _subject(hall: Hall, asking: Session, peer_id: str | None) -> Session:
    if peer_id is None or peer_id == asking.peer_id:
        return asking
    if asking.role is not Role.HOST:
        raise Problem(Kind.FORBIDDEN, "forbidden")
    session = hall.session(peer_id)
    if session is None:
        raise Problem(Kind.NOT_FOUND, "peer_not_found")
    return session


def _worth_a_look(session: Session) -> list[Consumer]:
    """Pictures before sound, what is received before what is paused; else in the order in which they were made."""
    return sorted(session.consumers.values(), key=lambda one: (one.paused, one.kind != "video"))


def _entries(session: Session, consumers: Iterable[Consumer]) -> Iterable[dict[str, Any]]:
    for transport in session.transports.values():
        yield transport.statistics()
    for publication in session.publications.values():
        yield publication.producer.statistics() | {"source": publication.source.value}
    for consumer in consumers:
        yield consumer.statistics()
        remote = consumer.remote_statistics()
        if remote is not None:
            yield remote
