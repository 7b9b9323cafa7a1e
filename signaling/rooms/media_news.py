"""What media reports, as messages for those whom it concerns."""

from media.events import (
    ActiveSpeakerChanged,
    AudioLevels,
    CloseReason,
    ConsumerClosed,
    ConsumerLayersChanged,
    ConsumerPaused,
    ConsumerResumed,
    MediaEvent,
    ProducerLayersWanted,
    TransportQuality,
    TransportState,
    TransportStateChanged,
)
from signaling.rooms.hall import Hall

CLOSE_REASONS = {
    CloseReason.PRODUCER_CLOSED: "producerClosed",
    CloseReason.TRANSPORT_CLOSED: "transportClosed",
}


class MediaNews:
    """The listener of one hall's router."""

    def __init__(self) -> None:
        self.hall: Hall | None = None  # the router needs its listener before there can be a hall

    def on_media_event(self, event: MediaEvent) -> None:
        """Tell of one event; events of what is gone already are nobody's."""
        hall = self.hall
        if hall is None:
            return
        match event:
            case TransportStateChanged():
                _transport_state(hall, event)
            case ConsumerClosed():
                _consumer_closed(hall, event)
            case ConsumerPaused() | ConsumerResumed() | ConsumerLayersChanged():
                _consumer_changed(hall, event)
            case ProducerLayersWanted():
                _layers_wanted(hall, event)
            case ActiveSpeakerChanged():
                _active_speaker(hall, event)
            case AudioLevels():
                _audio_levels(hall, event)
            case TransportQuality():
                _quality(hall, event)


def _transport_state(hall: Hall, event: TransportStateChanged) -> None:
    """The client said goodbye to a transport: what was on it is over. Other states are for ICE to mend."""
    session = hall.owner(event.transport_id)
    if session is not None and event.state is TransportState.CLOSED:
        hall.close_transport(session, event.transport_id)


def _consumer_closed(hall: Hall, event: ConsumerClosed) -> None:
    session = hall.owner(event.consumer_id)
    if session is None:
        return
    hall.drop_consumer(session, event.consumer_id)
    hall.tell(
        session,
        "consumerClosed",
        {"consumerId": event.consumer_id, "reason": CLOSE_REASONS[event.reason]},
    )


def _consumer_changed(hall: Hall, event: ConsumerPaused | ConsumerResumed | ConsumerLayersChanged) -> None:
    match event:
        case ConsumerPaused(consumer_id):
            _consumer(hall, consumer_id, "consumerPaused", reason="producerPaused")
        case ConsumerResumed(consumer_id):
            _consumer(hall, consumer_id, "consumerResumed", reason="producerResumed")
        case ConsumerLayersChanged(consumer_id, spatial, temporal):
            owner = hall.owner(consumer_id)
            if owner is not None:
                (owner.starved.add if spatial is None else owner.starved.discard)(consumer_id)
            _consumer(
                hall, consumer_id, "consumerLayersChanged", spatialLayer=spatial, temporalLayer=temporal
            )


def _consumer(hall: Hall, consumer_id: str, name: str, **payload: object) -> None:
    hall.tell(hall.owner(consumer_id), name, {"consumerId": consumer_id, **payload})


def _layers_wanted(hall: Hall, event: ProducerLayersWanted) -> None:
    publication = hall.publications.get(event.producer_id)
    if publication is not None:
        hall.tell(
            hall.session(publication.peer_id),
            "producerLayersWanted",
            {"producerId": event.producer_id, "spatialLayers": event.spatial_layers},
        )


def _active_speaker(hall: Hall, event: ActiveSpeakerChanged) -> None:
    if event.producer_id is None:
        hall.set_speaker(None)
        hall.tell_everybody("activeSpeaker", {"peerId": None})
        return
    publication = hall.publications.get(event.producer_id)
    if publication is not None:
        hall.set_speaker(publication.peer_id)
        hall.tell_everybody("activeSpeaker", {"peerId": publication.peer_id})


def _audio_levels(hall: Hall, event: AudioLevels) -> None:
    """One level for each participant: the loudest of his microphone and his screen's sound."""
    loudest: dict[str, int] = {}
    for producer_id, level in event.levels:
        publication = hall.publications.get(producer_id)
        if publication is not None:
            loudest[publication.peer_id] = max(level, loudest.get(publication.peer_id, -127))
    levels = sorted(loudest.items(), key=lambda pair: -pair[1])
    hall.tell_everybody(
        "audioLevels", {"levels": [{"peerId": peer, "dBov": level} for peer, level in levels]}
    )


def _quality(hall: Hall, event: TransportQuality) -> None:
    """Noted; the quality watch tells."""
    session = hall.owner(event.transport_id)
    if session is not None:
        session.hear_of(event)
