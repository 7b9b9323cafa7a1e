"""What recordings tell the rest: the seam towards signaling."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recordings.states import Failure, RecordingState


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """What `recordingState` carries; `reason` where the state is damaged or failed."""

    state: RecordingState
    since: datetime
    reason: Failure | None = None


class RecordingListener(Protocol):
    """Told on the event loop; must not wait and must not raise."""

    def on_recording_event(self, meeting_id: str, status: RecordingStatus) -> None:
        """A meeting's recording has come into another state."""
