"""What clients send in `/rooms`; the names are PROTOCOL's."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from rooms.live.commands import ModerationAction
from rooms.live.events import Source
from rooms.meetings.agenda import MOST_ITEMS
from signaling.messages import ChatText, Id, Json, Message, Name, Priority, Secret, SpatialLayer

KINDS = {
    Source.CAMERA: "video",
    Source.SCREEN: "video",
    Source.MICROPHONE: "audio",
    Source.SCREEN_AUDIO: "audio",
}


class Join(Message):
    """Enter a room, or come back to it with the resume token."""

    meeting_id: Id
    display_name: Name | None = None
    resume_token: Secret | None = None
    record_picture: bool | None = None  # False: not to be in the picture; anything else: as it was


class CreateTransport(Message):
    """`direction` is the client's view."""

    direction: Literal["send", "recv"]


class ConnectTransport(Message):
    """The client's certificate fingerprints; DTLS then begins."""

    transport_id: Id
    dtls_parameters: Json


class TransportReference(Message):
    """One of the client's own transports."""

    transport_id: Id


class Produce(Message):
    """Begin to send a track; `paused` lets one enter muted without a word getting out."""

    transport_id: Id
    kind: Literal["audio", "video"]
    rtp_parameters: Json
    source: Source = Field(strict=False)
    app_data: Json | None = None
    paused: bool = False

    @field_validator("source")
    @classmethod
    def matches_kind(cls, source: Source, info: ValidationInfo) -> Source:
        """A camera is not heard."""
        if KINDS[source] != info.data.get("kind", KINDS[source]):
            raise ValueError(f"{source.value} is {KINDS[source]}")
        return source


class ProducerReference(Message):
    """One of the client's own producers."""

    producer_id: Id


class Consume(Message):
    """Receive another's producer."""

    transport_id: Id
    producer_id: Id
    rtp_capabilities: Json


class ConsumerReference(Message):
    """One of the client's own consumers."""

    consumer_id: Id


class SetPreferredLayers(Message):
    """The best layers the client has use for, in the size it shows."""

    consumer_id: Id
    spatial_layer: SpatialLayer
    temporal_layer: SpatialLayer | None = None


class SetPriority(Message):
    """Who gets the bandwidth first; 1 is least, None the server's own order."""

    consumer_id: Id
    priority: Priority | None


MAX_CONSUMER_IDS = 100


class GetStats(Message):
    """What the server counted of oneself or, for hosts, of `peer_id`; of these consumers, or of as many as go in."""

    peer_id: Id | None = None
    consumer_ids: list[Id] | None = Field(default=None, max_length=MAX_CONSUMER_IDS)


class Chat(Message):
    """A line for everybody."""

    text: ChatText


class RecordPicture(Message):
    """Whether one's own camera may be seen in the recording; without it one's name stands there."""

    wanted: bool


class RaiseHand(Message):
    """Raise or lower one's own hand."""

    raised: bool


class MarkAgenda(Message):
    """A host says which item of the agenda begins, counted from 0."""

    item: int = Field(ge=0, lt=MOST_ITEMS)


# These concern the room; all others one participant.
ROOM_WIDE = frozenset({ModerationAction.MUTE_ALL, ModerationAction.LOCK, ModerationAction.UNLOCK})


class Moderate(Message):
    """A host's action on the room or on `peer_id`."""

    action: ModerationAction = Field(strict=False)
    peer_id: Id | None = Field(default=None, validate_default=True)

    @field_validator("peer_id")
    @classmethod
    def names_somebody(cls, peer_id: str | None, info: ValidationInfo) -> str | None:
        """`remove` without a peer must not guess one."""
        action = info.data.get("action")
        if peer_id is None and action is not None and action not in ROOM_WIDE:
            raise ValueError(f"{action.value} needs a participant")
        return peer_id
