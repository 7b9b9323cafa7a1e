"""A transport: one ICE-lite and DTLS connection of one client, and what it produces or consumes."""

import secrets
import uuid
from collections.abc import Callable
from typing import Any, Final, Literal
from typing import Protocol as Interface

from media.addresses import Protocol
from media.connection import Connection
from media.consumer import Consumer
from media.context import RouterContext
from media.dtls import DtlsState
from media.dtls_parameters import parse_dtls_parameters
from media.errors import MediaLimitReached, WrongMediaState
from media.events import TransportQuality, TransportState, TransportStateChanged
from media.guard import plane_errors
from media.ice import IceCredentials
from media.known_capabilities import Said
from media.ortc import Numbers, ProducerStream, consumer_parameters, producer_stream
from media.producer import Producer
from media.quality import QualityMeter, Sample
from media.rtp import Rtcp, RtpCapabilities, parse_parameters
from media.statistics import path
from media.wiring import add_consumer, add_producer

Direction = Literal["send", "recv"]

PATH_SECONDS: Final = 8  # for a handshake, of which even one by TCP to another continent needs half
# mediasoup-client's bandwidth prober takes it on every receiving transport.
_PROBATOR_SSRC = 1234
_HIGHEST_SSRC = 0xFFFF_FFFE  # an RTX stream takes the next one


class Surroundings(Interface):
    """What a transport asks of its router."""

    def find_producer(self, producer_id: str) -> Producer:
        """The open producer, or UnknownMedia."""

    def producer_added(self, producer: Producer) -> None:
        """It can be consumed from now on."""

    def producer_gone(self, producer: Producer) -> None:
        """It cannot any more."""


class Transport:
    """Made by `Router.create_transport`. Closing: goodbye, consumers, producers (each with its consumers), itself."""

    def __init__(
        self,
        context: RouterContext,
        router: Surroundings,
        direction: Direction,
        on_gone: "Callable[[Transport], None]",
        protocol: Protocol | None = None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.direction: Direction = direction
        self.producers: dict[str, Producer] = {}
        self.consumers: dict[str, Consumer] = {}
        self._context = context
        self._router = router
        self._protocol = protocol
        self._on_gone = on_gone
        self._closed = False
        self._cname = uuid.uuid4().hex
        self._next_mid = 0
        self._said: Said | None = None
        self._quality = QualityMeter()
        self._waited = 0  # seconds for a path that was asked for
        self._unasked = 0  # seconds
        self._connection = Connection(context.pump, context.identity, self._state_changed)

    @property
    def state(self) -> TransportState:
        """See TransportState."""
        return self._connection.state

    @property
    def dtls_state(self) -> DtlsState:
        """`failed` and `closed` are for good: no ICE restart brings such a transport back."""
        return self._connection.dtls_state

    @property
    def idle(self) -> bool:
        """Nobody has asked for a path for so long that nobody needs one: there is nothing to send or to receive."""
        return not self._connection.asked and self._unasked > PATH_SECONDS

    @property
    def closed(self) -> bool:
        """Whether `close()` was called, here or on the router."""
        return self._closed

    @property
    def admitted(self) -> bool:
        """False at first."""
        return self._connection.admitted

    def parameters(self) -> dict[str, Any]:
        """`{id, iceParameters, iceCandidates, dtlsParameters}`: mediasoup-client's transport options."""
        # One hash is enough, and the only one that every client of the family takes: sha-256.
        fingerprint = self._context.identity.fingerprints[0]
        return {
            "id": self.id,
            "iceParameters": _ice_parameters(self._connection.ice.credentials),
            "iceCandidates": [
                candidate
                for candidate in self._context.candidates()
                if self._protocol in {None, candidate["protocol"]}
            ],
            "dtlsParameters": {
                "role": "auto",
                "fingerprints": [{"algorithm": fingerprint.algorithm, "value": fingerprint.value}],
            },
        }

    async def connect(self, dtls_parameters: Any) -> None:
        """The client's DTLS role and fingerprints. Returns without waiting for the handshake.

        InvalidMedia; WrongMediaState already_connected, except for the same parameters again.
        """
        self._require_open()
        self._connection.connect(parse_dtls_parameters(dtls_parameters))

    def restart_ice(self) -> dict[str, Any]:
        """New iceParameters `{usernameFragment, password, iceLite}`; the old stay valid until the new are used."""
        self._require_open()
        return _ice_parameters(self._connection.restart_ice())

    def set_admitted(self, admitted: bool) -> None:
        """Whether packets may pass. Until True the plane drops everything to and from it (`not_admitted`)."""
        self._require_open()
        self._connection.set_admitted(admitted)

    def produce(
        self, kind: str, rtp_parameters: Any, *, paused: bool = False, microphone: bool = False
    ) -> Producer:
        """A track from the client. InvalidMedia, WrongMediaState, MediaLimitReached.

        `microphone`: one of many, of which a large room forwards only the loudest; other audio is always forwarded.
        """
        self._require("send")
        limit = self._context.limits.producers_per_transport
        if len(self.producers) >= limit:
            raise MediaLimitReached("too_many_producers", limit=limit)
        parameters = parse_parameters(rtp_parameters)
        # Our name for the participant's clock, not the client's: receivers synchronise the tracks of one CNAME, so
        # nobody may take another's.
        parameters = parameters.model_copy(update={"rtcp": Rtcp(cname=self._cname)})
        stream = producer_stream(kind, parameters, self._context.capabilities)
        self._refuse_duplicates(stream)
        producer = Producer(
            self._context,
            add_producer(
                self._context.plane,
                self._connection.handle,
                stream,
                paused=paused,
                floor=self._context.floor if microphone and stream.kind == "audio" else None,
            ),
            self.id,
            stream,
            paused=paused,
            on_gone=self._producer_gone,
        )
        self.producers[producer.id] = producer
        self._router.producer_added(producer)
        return producer

    def consume(
        self,
        producer_id: str,
        rtp_capabilities: Any,
        *,
        paused: bool = True,
        mid: str | None = None,
        numbers: Numbers = "router",
    ) -> Consumer:
        """A producer of the same router to this client; `mid` and `numbers` are for one who made the offer (WHEP).

        InvalidMedia, UnknownMedia, WrongMediaState, MediaLimitReached.
        """
        self._require("recv")
        limit = self._context.limits.consumers_per_transport
        if len(self.consumers) >= limit:
            raise MediaLimitReached("too_many_consumers", limit=limit)
        producer = self._router.find_producer(producer_id)
        capabilities = self._capabilities_of(rtp_capabilities)
        ssrc = self._free_ssrc()
        mid = mid or str(self._next_mid)
        offer = producer.offer(capabilities, numbers)
        handle = add_consumer(
            self._context.plane,
            self._connection.handle,
            producer.handle,
            consumer_parameters(offer, mid=mid, ssrc=ssrc),
            paused=paused,
        )
        self._next_mid += 1
        consumer = Consumer(
            self._context,
            handle,
            producer,
            self.id,
            offer,
            mid=mid,
            ssrc=ssrc,
            paused=paused,
            on_gone=self._consumer_gone,
        )
        self.consumers[consumer.id] = consumer
        producer.consumers[consumer.id] = consumer
        return consumer

    def close(self) -> None:
        """Goodbye to the client; closes its producers (their consumers elsewhere get ConsumerClosed) and consumers."""
        if self._closed:
            return
        self._closed = True
        for consumer in list(self.consumers.values()):
            consumer.forget()
        for producer in list(self.producers.values()):
            producer.forget()
        self._on_gone(self)
        self._connection.close()

    def tick(self, now: float) -> None:
        """Once a second: consent, who sends nothing, and how good the network is."""
        if self._closed:
            return
        self._connection.tick(now)
        if self.state is TransportState.CONNECTED:
            self._waited = 0
            for producer in self.producers.values():
                producer.tick(now, self._connection.ice.last_check)
            self._grade()
            return
        self._waited += self._connection.asked
        self._unasked += not self._connection.asked
        if self.state in {TransportState.DISCONNECTED, TransportState.FAILED} or self._waited > PATH_SECONDS:
            self._context.tallies.take(self.direction, 0, 0, 0)
            if self._quality.lost():
                self._tell_quality(rtt_ms=None, loss=1.0)

    def statistics(self) -> dict[str, Any]:
        """webrtc-stats' `transport`: see media.statistics."""
        self._require_open()
        with plane_errors():
            counted = self._context.plane.transport_statistics(self._connection.handle)
        own = {
            "id": self.id,
            "direction": self.direction,
            "state": self.state.value,
            "admitted": self.admitted,
        }
        return own | self._connection.statistics() | path(counted)

    def _capabilities_of(self, raw: Any) -> RtpCapabilities:
        """A client says the same for each of a room's producers."""
        if self._said is None or self._said.raw != raw:
            self._said = self._context.known.of(raw)
        return self._said.parsed

    def _refuse_duplicates(self, stream: ProducerStream) -> None:
        for other in self.producers.values():
            if stream.mid is not None and stream.mid == other.stream.mid:
                raise WrongMediaState("duplicate_stream", field="mid")
            if _ssrcs(stream) & _ssrcs(other.stream):
                raise WrongMediaState("duplicate_stream", field="encodings.ssrc")

    def _free_ssrc(self) -> int:
        taken = {_PROBATOR_SSRC, *(consumer.ssrc for consumer in self.consumers.values())}
        while True:
            ssrc = 1 + secrets.randbelow(_HIGHEST_SSRC)
            if not {ssrc - 1, ssrc, ssrc + 1} & taken:
                return ssrc

    def _grade(self) -> None:
        seen = self._context.plane.reception(self._connection.handle)
        sample = Sample(
            self.direction,
            loss=seen.fraction_lost_up if self.direction == "send" else seen.fraction_lost_down,
            rtt_ms=seen.rtt_us / 1e3 if seen.rtt_us else None,
            jitter_ms=seen.jitter_us / 1e3,
            supply=min(seen.budget_bps / seen.desired_bps, 1.0)
            if seen.budget_bps and seen.desired_bps
            else 1.0,
            held_back=any(producer.held_back for producer in self.producers.values()),
        )
        if self._quality.sample(sample):
            self._tell_quality(sample.rtt_ms, sample.loss)
        self._context.tallies.take(self.direction, self._quality.score or 0, seen.rtt_us, seen.budget_bps)

    def _tell_quality(self, rtt_ms: float | None, loss: float) -> None:
        meter = self._quality
        self._context.emit(TransportQuality(self.id, meter.score or 0, meter.troubles, rtt_ms, loss))

    def _state_changed(self, state: TransportState) -> None:
        self._context.emit(TransportStateChanged(self.id, state))

    def _producer_gone(self, producer: Producer) -> None:
        self.producers.pop(producer.id, None)
        self._router.producer_gone(producer)

    def _consumer_gone(self, consumer: Consumer) -> None:
        self.consumers.pop(consumer.id, None)

    def _require(self, direction: Direction) -> None:
        self._require_open()
        if self.direction != direction:
            raise WrongMediaState("wrong_direction", direction=self.direction)

    def _require_open(self) -> None:
        if self._closed:
            raise WrongMediaState("media_closed", what="transport")


def _ice_parameters(credentials: IceCredentials) -> dict[str, Any]:
    return {"usernameFragment": credentials.ufrag, "password": credentials.password, "iceLite": True}


def _ssrcs(stream: ProducerStream) -> set[int]:
    known = {e.ssrc for e in stream.encodings if e.ssrc is not None}
    return known | {e.rtx.ssrc for e in stream.encodings if e.rtx is not None}
