"""A transport: one ICE-lite and DTLS connection of one client."""

from typing import Any, Literal

from media.consumer import Consumer
from media.events import TransportState
from media.producer import Producer


class Transport:
    """Made by `Router.create_transport`."""

    id: str
    direction: Literal["send", "recv"]

    @property
    def state(self) -> TransportState:
        """See TransportState."""
        raise NotImplementedError

    @property
    def admitted(self) -> bool:
        """False at first."""
        raise NotImplementedError

    def parameters(self) -> dict[str, Any]:
        """`{id, iceParameters, iceCandidates, dtlsParameters}`: mediasoup-client's transport options."""
        raise NotImplementedError

    async def connect(self, dtls_parameters: Any) -> None:
        """The client's DTLS role and fingerprints. Returns without waiting for the handshake.

        InvalidMedia; WrongMediaState already_connected, except for the same parameters again.
        """
        raise NotImplementedError

    def restart_ice(self) -> dict[str, Any]:
        """New iceParameters `{usernameFragment, password, iceLite}`; the old stay valid until the new are used."""
        raise NotImplementedError

    def set_admitted(self, admitted: bool) -> None:
        """Whether packets may pass. Until True the plane drops everything to and from it (`not_admitted`)."""
        raise NotImplementedError

    def produce(self, kind: str, rtp_parameters: Any, *, paused: bool = False) -> Producer:
        """A track from the client. InvalidMedia, WrongMediaState, MediaLimitReached."""
        raise NotImplementedError

    def consume(self, producer_id: str, rtp_capabilities: Any, *, paused: bool = True) -> Consumer:
        """A producer of the same router to this client.

        InvalidMedia, UnknownMedia, WrongMediaState, MediaLimitReached.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Goodbye to the client; closes its producers (their consumers elsewhere get ConsumerClosed) and consumers."""
        raise NotImplementedError

    def statistics(self) -> dict[str, Any]:
        """webrtc-stats' transport and candidate-pair names, and what the plane dropped by reason."""
        raise NotImplementedError
