"""One device's session: what a WHIP or WHEP session URL stands for."""

from dataclasses import dataclass, field
from typing import Final

from media import Consumer, Producer, Transport
from signaling.rooms.hall import Hall
from signaling.rooms.session import Session
from signaling.streams.choice import Candidate, picture, sound
from signaling.streams.negotiation import Watching
from signaling.streams.offer import IceIdentity, Section

PICTURE_SECONDS: Final = 3.0
"""A picture stays at least so long: lively talk must not make a wall of screens flicker."""


@dataclass(eq=False)
class Stream:
    """A device in a room. `ice` are its own credentials, `began` when it came by the monotonic clock."""

    id: str
    key_id: str
    hall: Hall
    session: Session
    transport: Transport
    ice: IceIdentity
    first: Section  # of those that were taken, so the bundle's: in its name candidates come and go
    began: float
    wanted: dict[str, Watching] = field(default_factory=dict)  # a watcher's sections by kind
    peer_id: str | None = None  # the participant a watcher asked for
    _consumers: dict[str, Consumer] = field(default_factory=dict)
    _changed: dict[str, float] = field(default_factory=dict)
    _followed: int = -1  # the hall's changes that are followed already; a role alone moves no watcher

    @property
    def etag(self) -> str:
        """Names the ICE session (RFC 9725 section 4.3.1): our user name fragment is new with each."""
        ufrag: str = self.transport.parameters()["iceParameters"]["usernameFragment"]
        return ufrag

    @property
    def gone(self) -> bool:
        """Whether its peer has left the room, or its transport said goodbye."""
        return self.transport.closed or self.hall.session(self.session.peer_id) is not self.session

    def follow(self, now: float) -> None:
        """Let a watcher's picture and sound follow the room."""
        changes, held_back = self.hall.changes, False
        if self._followed == changes:
            return
        candidates = self._candidates()
        for kind, choose in (("video", picture), ("audio", sound)):
            if kind not in self.wanted:
                continue
            consumer = self._consumers.get(kind)
            current = consumer.producer_id if consumer is not None and not consumer.closed else None
            best = choose(candidates, self.hall.active_speaker, self.peer_id, current)
            alive = any(one.producer_id == current and not one.paused for one in candidates)
            settled = now - self._changed.get(kind, -PICTURE_SECONDS) >= PICTURE_SECONDS
            if best == current:
                continue
            if kind == "audio" or settled or not alive:
                self._switch(kind, best)
                self._changed[kind] = now
            else:
                held_back = True
        if not held_back:
            self._followed = changes

    def _switch(self, kind: str, producer_id: str | None) -> None:
        """A new consumer in the place of the old: same section, so no negotiation; a new SSRC, so no broken count."""
        old = self._consumers.pop(kind, None)
        if old is not None:
            self.hall.drop_consumer(self.session, old.id)
            old.close()
        if producer_id is None:
            return
        wanted = self.wanted[kind]
        consumer = self.transport.consume(
            producer_id,
            wanted.rtp_capabilities,
            paused=False,
            mid=wanted.accepted.section.mid,
            numbers="client",
        )
        self._consumers[kind] = consumer
        self.hall.add_consumer(self.session, consumer)

    def _candidates(self) -> list[Candidate]:
        """The room's producers whose codec this watcher negotiated."""
        found = []
        verdicts: dict[object, bool] = {}  # a room has hundreds of producers, and a handful of codecs
        for publication in self.hall.publications.values():
            wanted = self.wanted.get(publication.producer.kind)
            owner = self.hall.session(publication.peer_id)
            if wanted is None or owner is None or owner is self.session:
                continue
            codec = _codec(publication.producer)
            if codec not in verdicts:
                verdicts[codec] = self.hall.router.can_consume(
                    publication.producer.id, wanted.rtp_capabilities
                )
            if verdicts[codec]:
                found.append(
                    Candidate(
                        publication.producer.id,
                        publication.peer_id,
                        owner.role,
                        publication.source,
                        publication.producer.paused,
                    )
                )
        return found


def _codec(producer: Producer) -> object:
    """All that decides whether somebody can decode it."""
    codec = producer.stream.consumable.codecs[0]
    return codec.mime_type, codec.clock_rate, codec.channels, frozenset(codec.parameters.items())
