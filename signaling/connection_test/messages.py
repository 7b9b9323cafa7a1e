"""What clients send in `/connection-test`, beside the references that `/rooms` has too."""

from typing import Literal

from media import Protocol
from signaling.messages import Id, Json, Message


class OpenTransport(Message):
    """`protocol` leaves only candidates of that kind, to see whether it alone gets through."""

    direction: Literal["send", "recv"]
    protocol: Protocol | None = None


class SendTrack(Message):
    """A track to send and have back; nobody else ever gets it."""

    transport_id: Id
    kind: Literal["audio", "video"]
    rtp_parameters: Json
