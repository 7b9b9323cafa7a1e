"""A live room's media side: its router, the sessions in it, who produces what, and what a change of that means.

The hall closes what follows from something else (a transport's producers, a session's everything) and tells the others;
docs/closing.md holds the order.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from errors import Kind, Problem
from media import Consumer, Producer, Router, Transport
from rooms.live.commands import Role
from rooms.live.events import Source
from signaling.rooms.messages import KINDS
from signaling.rooms.priority import default_priority
from signaling.rooms.session import Publication, Session
from signaling.wire import timestamp

Post = Callable[[Iterable[str], str, Any], None]
"""Queue an event for connections by sid."""


class Ear(Protocol):
    """Who else hears of a hall's producers: the recording."""

    def opened(self, session: Session, publication: Publication) -> None:
        """A producer is there."""

    def paused(self, producer_id: str) -> None:
        """A producer is silent."""

    def resumed(self, producer_id: str) -> None:
        """A producer is heard again."""

    def closed(self, producer_id: str) -> None:
        """A producer is about to go."""

    def marked(self, at: datetime) -> None:
        """An item of the agenda has begun."""

    def wished(self, person_key: str, *, hidden: bool) -> None:
        """Somebody asks not to be in the picture, or to be in it again; told before the cameras open or close."""


class Hall:
    """One for each live room somebody came to, until the room ends."""

    def __init__(self, room_id: str, router: Router, ear: Ear, post: Post) -> None:
        self.room_id = room_id
        self.router = router
        self.sessions: dict[str, Session] = {}
        self.publications: dict[str, Publication] = {}
        self.unnoted: set[str] = set()  # keys of people whose last wish the records do not know yet
        self._hidden: dict[str, bool] = {}  # keys of people who said whether their cameras may be recorded
        self._owners: dict[str, Session] = {}  # of transports and consumers, by their ids
        self._ear = ear
        self._post = post
        self.active_speaker: str | None = None  # a peer id
        self.changes = 0  # of producers, pauses and the speaker, which watchers follow

    # Who is there

    def session(self, peer_id: str) -> Session | None:
        """The participant of that id, admitted or waiting."""
        return self.sessions.get(peer_id)

    def tell(self, session: Session | None, event: str, payload: Any) -> None:
        """To one participant, if he is connected."""
        if session is not None and session.sid is not None:
            self._post((session.sid,), event, payload)

    def tell_everybody(self, event: str, payload: Any, *, but: str | None = None) -> None:
        """To all who are admitted and connected."""
        self._post(
            [s.sid for s in self.sessions.values() if s.admitted and s.sid is not None and s.peer_id != but],
            event,
            payload,
        )

    def tell_hosts(self, event: str, payload: Any) -> None:
        """To the hosts who are connected."""
        hosts = [
            s.sid for s in self.sessions.values() if s.role is Role.HOST and s.admitted and s.sid is not None
        ]
        self._post(hosts, event, payload)

    def owner(self, object_id: str) -> Session | None:
        """Whose transport or consumer that is."""
        return self._owners.get(object_id)

    # Producers

    def publish(
        self, session: Session, transport: Transport, source: Source, *, rtp: Any, paused: bool
    ) -> Producer:
        """Take a producer in and tell the others; one of a source for each participant."""
        if session.of_sources((source,)):
            raise Problem(Kind.CONFLICT, "source_in_use", {"source": source.value})
        producer = transport.produce(
            KINDS[source], rtp, paused=paused, microphone=source is Source.MICROPHONE
        )
        publication = Publication(producer, source, session.peer_id)
        session.publications[producer.id] = publication
        self.publications[producer.id] = publication
        self.changes += 1
        self.let_hear(session, publication)
        self._tell_of("producerAdded", publication)
        return producer

    def let_hear(self, session: Session, publication: Publication) -> None:
        """The recording hears of a producer, but for the camera of who asked not to be in the picture."""
        if publication.source is not Source.CAMERA or not self.hides(session.person_key):
            self._ear.opened(session, publication)

    def mark(self, item: int, at: datetime) -> None:
        """An item of the agenda has begun: a chapter of the recording."""
        self._ear.marked(at)
        self.tell_everybody("agendaMarked", {"item": item, "at": timestamp(at)})

    def wish(self, person_key: str, *, hidden: bool) -> bool:
        """Record the person's cameras from now on, or no longer; whether the records are to be told of it."""
        before = self.hides(person_key)
        self._hidden[person_key] = hidden
        if hidden is before:
            return person_key in self.unnoted
        self.unnoted.add(person_key)
        self._ear.wished(person_key, hidden=hidden)
        for session in [one for one in self.sessions.values() if one.person_key == person_key]:
            self.tell(session, "recordPicture", {"wanted": not hidden})
            for publication in session.of_sources((Source.CAMERA,)):
                if hidden:
                    self._ear.closed(publication.producer.id)
                else:
                    self._ear.opened(session, publication)
        return True

    def hides(self, person_key: str) -> bool:
        """Whether the person asked not to be in the picture."""
        return self._hidden.get(person_key, False)

    def recall(self, hidden: Iterable[str]) -> list[str]:
        """Hide those who asked for it before the server was started anew; answers who has said otherwise since."""
        asked = set(hidden)
        for person_key in asked - self._hidden.keys():
            self.wish(person_key, hidden=True)
            self.unnoted.discard(person_key)
        return [person_key for person_key in asked if not self._hidden[person_key]]

    def pause(self, publication: Publication, *, by_host: bool = False) -> None:
        """Silence a producer on the server; its owner is told when a host did it."""
        if publication.producer.paused:
            return
        publication.producer.pause()
        self.changes += 1
        self._ear.paused(publication.producer.id)
        self._tell_of("producerPaused", publication, owner_too=by_host)

    def resume(self, publication: Publication) -> None:
        """Let a producer be heard again."""
        if not publication.producer.paused:
            return
        publication.producer.resume()
        self.changes += 1
        self._ear.resumed(publication.producer.id)
        self._tell_of("producerResumed", publication)

    def unpublish(self, session: Session, publication: Publication) -> None:
        """Close a producer; the owners of its consumers hear of those by themselves."""
        self._forget(session, publication)
        publication.producer.close()
        self._tell_of("producerClosed", publication)

    # Consumers, transports and sessions

    def add_consumer(self, session: Session, consumer: Consumer) -> None:
        """A participant receives a producer."""
        session.consumers[consumer.id] = consumer
        self._owners[consumer.id] = session
        publication = self.publications[consumer.producer_id]
        self._rank(publication, (consumer,))

    def drop_consumer(self, session: Session, consumer_id: str) -> None:
        """A consumer is closed."""
        session.consumers.pop(consumer_id, None)
        session.ranked.discard(consumer_id)
        session.starved.discard(consumer_id)
        self._owners.pop(consumer_id, None)

    def rank(self, session: Session, consumer: Consumer, priority: int | None) -> None:
        """The client's own word on a consumer's priority; None takes it back, and the default holds again."""
        if priority is None:
            session.ranked.discard(consumer.id)
            self._rank(self.publications[consumer.producer_id], (consumer,))
        else:
            consumer.set_priority(priority)
            session.ranked.add(consumer.id)

    def set_speaker(self, peer_id: str | None) -> None:
        """Whose camera comes before the others' from now on, where bandwidth is short."""
        before, self.active_speaker = self.active_speaker, peer_id
        self.changes += 1
        for publication in self.publications.values():
            if publication.peer_id in {before, peer_id} and publication.source is Source.CAMERA:
                self._rank(publication, publication.producer.consumers.values())

    def _rank(self, publication: Publication, consumers: Iterable[Consumer]) -> None:
        """The default priority, for those whose client has not set one itself."""
        priority = default_priority(publication.source, speaking=publication.peer_id == self.active_speaker)
        for consumer in consumers:
            owner = self._owners.get(consumer.id)
            if owner is not None and consumer.id not in owner.ranked:
                consumer.set_priority(priority)

    def add_transport(self, session: Session, transport: Transport) -> None:
        """A participant has a further transport."""
        session.transports[transport.id] = transport
        self._owners[transport.id] = session

    def close_transport(self, session: Session, transport_id: str) -> None:
        """Close a transport with all that is on it, and tell the others of its producers."""
        transport = session.transports.pop(transport_id, None)
        if transport is None:
            return
        self._owners.pop(transport_id, None)
        session.part_from(transport)
        for publication in list(session.publications.values()):
            if publication.producer.transport_id == transport_id:
                self.unpublish(session, publication)
        for consumer in list(session.consumers.values()):
            if consumer.transport_id == transport_id:
                self.drop_consumer(session, consumer.id)
        transport.close()

    def close_session(self, session: Session) -> None:
        """Close all media of a participant at once and forget him; `peerLeft` tells the others, not each producer."""
        self.sessions.pop(session.peer_id, None)
        for publication in list(session.publications.values()):
            self._forget(session, publication)
        for consumer_id in list(session.consumers):
            self.drop_consumer(session, consumer_id)
        for transport_id in list(session.transports):
            self.close_transport(session, transport_id)

    def close(self) -> None:
        """The room is over."""
        for session in list(self.sessions.values()):
            self.close_session(session)
        self.router.close()

    def _forget(self, session: Session, publication: Publication) -> None:
        producer_id = publication.producer.id
        self._ear.closed(producer_id)
        self.publications.pop(producer_id, None)
        self.changes += 1
        session.publications.pop(producer_id, None)

    def _tell_of(self, event: str, publication: Publication, *, owner_too: bool = False) -> None:
        payload = {"peerId": publication.peer_id, **publication.view()}
        self.tell_everybody(event, payload, but=None if owner_too else publication.peer_id)
