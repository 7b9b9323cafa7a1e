"""The recording as a listener in a hall: each producer gets a tap that the recorder drains."""

from datetime import datetime

import structlog

from media import MediaError, Router
from recordings.capture.recorder import Recorder, tap_capacity
from recordings.tracks import Track, TrackSource
from signaling.rooms.session import Publication, Session

log = structlog.get_logger(__name__)


class Capture:
    """Does nothing until the meeting's recorder is open, and nothing at all where a meeting is not recorded."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self.recorder: Recorder | None = None
        self._wishes: dict[str, bool] = {}

    def begin(self, recorder: Recorder) -> None:
        """The recorder is open; it hears first of what people asked before."""
        self.recorder = recorder
        for person_key, hidden in self._wishes.items():
            recorder.wished(person_key, hidden=hidden)

    def wished(self, person_key: str, *, hidden: bool) -> None:
        """Noted beside the captured files, so that it holds for what was captured before too."""
        self._wishes[person_key] = hidden
        if self.recorder is not None:
            self.recorder.wished(person_key, hidden=hidden)

    def marked(self, at: datetime) -> None:
        """Noted beside the captured files, on their own clock."""
        if self.recorder is not None:
            self.recorder.marked(at)

    def opened(self, session: Session, publication: Publication) -> None:
        """Record a producer."""
        producer, source = publication.producer, TrackSource(publication.source.value)
        if self.recorder is None or producer.closed:  # it has ended, and that is not told of yet
            return
        try:
            tap = self._router.tap(producer.id, tap_capacity(source))
        except MediaError as error:  # the others see and hear it all the same
            log.warning("track_not_recorded", recording_id=self.recorder.recording_id, code=error.code)
            self.recorder.track_refused(source, session.person_key, session.display_name, error.code)
            return
        self.recorder.track_added(
            Track(
                producer_id=producer.id,
                peer_id=session.peer_id,
                member_id=session.member_id,
                display_name=session.display_name,
                person_key=session.person_key,
                source=source,
                tap=tap,
                paused=producer.paused,
            )
        )

    def paused(self, producer_id: str) -> None:
        """Nothing comes for a while, and that is no loss."""
        if self.recorder is not None:
            self.recorder.track_paused(producer_id)

    def resumed(self, producer_id: str) -> None:
        """It goes on."""
        if self.recorder is not None:
            self.recorder.track_resumed(producer_id)

    def closed(self, producer_id: str) -> None:
        """The track is at its end; the recorder takes what is left in the tap and closes it."""
        if self.recorder is not None:
            self.recorder.track_closed(producer_id)
