"""One participant's media in a hall, and the connection he has at the moment."""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from errors import Kind, Problem
from media import Consumer, Producer, Transport
from media.events import TransportQuality
from media.quality import Trouble
from rooms.live.commands import Role
from rooms.live.events import Source
from signaling.rooms.condition import Condition, condition

# Joins in a row whose answers may be lost: the grace period begins anew with each.
MAX_SPENT_TOKENS = 4


@dataclass(eq=False)
class Publication:
    """A producer and what it shows."""

    producer: Producer
    source: Source
    peer_id: str

    @property
    def silent(self) -> bool:
        """On, and nothing comes; a picture that nobody looks at need not come."""
        return self.producer.silent and self.producer.layers_wanted != 0

    def view(self) -> dict[str, object]:
        """As the others are told of it."""
        return {
            "producerId": self.producer.id,
            "kind": self.producer.kind,
            "source": self.source.value,
            "paused": self.producer.paused,
        }


@dataclass(eq=False)
class Session:
    """Keyed by peer id; `sid` is None while the connection is lost, everything else outlives it.

    `connection` is the number that rooms gave to the connection: news of an older one is void.
    """

    peer_id: str
    room_id: str
    person_key: str  # the same on all devices of a person
    member_id: str | None
    display_name: str
    role: Role
    admitted: bool
    resume_token: str
    connection: int
    sid: str | None
    meeting: Mapping[str, Any]  # what `join` and `admitted` say of the meeting or consultation
    transports: dict[str, Transport] = field(default_factory=dict)
    publications: dict[str, Publication] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)
    ranked: set[str] = field(default_factory=set)  # consumers whose priority the client has set itself
    # Those before that the client may hold; see `returns_with`.
    spent_tokens: list[str] = field(default_factory=list)
    confirmed: bool = False  # whether anything came after the join that made `resume_token`
    device: bool = False  # an encoder or player: no Socket.IO, see signaling/streams
    links: dict[str, TransportQuality] = field(default_factory=dict)  # by transport
    # Directions whose last transport was given up without a path.
    pathless: set[str] = field(default_factory=set)
    starved: set[str] = field(default_factory=set)  # consumers for which bandwidth allows nothing
    told_condition: Condition | None = None  # to the present connection
    told_room: dict[str, Any] | None = None  # the same, of a host

    def transport(self, transport_id: str) -> Transport:
        """One's own transport; Problem for any other, existing or not."""
        transport = self.transports.get(transport_id)
        if transport is None:
            raise Problem(Kind.NOT_FOUND, "transport_not_found")
        return transport

    def publication(self, producer_id: str) -> Publication:
        """One's own producer."""
        publication = self.publications.get(producer_id)
        if publication is None:
            raise Problem(Kind.NOT_FOUND, "producer_not_found")
        return publication

    def consumer(self, consumer_id: str) -> Consumer:
        """One's own consumer."""
        consumer = self.consumers.get(consumer_id)
        if consumer is None:
            raise Problem(Kind.NOT_FOUND, "consumer_not_found")
        return consumer

    def condition(self) -> Condition:
        """How this participant does now."""
        grades: dict[str, list[int]] = {"send": [], "recv": []}
        for transport_id, link in self.links.items():
            grades[self.transports[transport_id].direction].append(link.score)
        pathless = self.pathless - {one.direction for one in self.transports.values() if one.idle}
        for direction in pathless:
            grades[direction].append(0)
        lost = {Trouble.NO_PATH} if pathless else set()
        return condition(
            up=grades["send"],
            down=grades["recv"],
            network=lost.union(*(link.troubles for link in self.links.values())),
            silent=[item.source for item in self.publications.values() if item.silent],
            starved=any(not self.consumers[consumer_id].paused for consumer_id in self.starved),
            reconnecting=self.sid is None and not self.device,
        )

    def hear_of(self, link: TransportQuality) -> None:
        """How one's own transport does now."""
        self.links[link.transport_id] = link
        self.pathless.discard(self.transports[link.transport_id].direction)

    def part_from(self, transport: Transport) -> None:
        """It is closed, and what was on it is known still. Who makes another since it had no path lacks one meanwhile.

        For sending only who sends something makes one; the others would lack a path for good.
        """
        link = self.links.pop(transport.id, None)
        if link is None or Trouble.NO_PATH not in link.troubles:
            return
        senders = [item.producer.transport_id for item in self.publications.values()]
        if transport.direction == "recv" or transport.id in senders:
            self.pathless.add(transport.direction)

    def renew(self, resume_token: str) -> None:
        """Entering again made a new token; the client has it for sure once something further comes from it.

        Of too many the second oldest goes: the oldest is the one that the client had for sure.
        """
        if self.confirmed:
            self.spent_tokens.clear()
        self.spent_tokens.append(self.resume_token)
        if len(self.spent_tokens) > MAX_SPENT_TOKENS:
            del self.spent_tokens[1]
        self.resume_token = resume_token
        self.confirmed = False

    def returns_with(self, token: str) -> bool:
        """Whether `token` is one just spent, by a join whose answer was lost with the connection.

        On a bad network that happens, and several times in a row: the server has let the participant back in, and he
        does not know.
        """
        if self.sid is not None and self.confirmed:
            return False
        known = [hmac.compare_digest(token.encode(), spent.encode()) for spent in self.spent_tokens]
        return any(known)

    def of_sources(self, sources: Collection[Source]) -> list[Publication]:
        """One's own producers of these sources."""
        return [item for item in self.publications.values() if item.source in sources]
