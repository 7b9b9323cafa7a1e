"""The states of a recording and the ways between them."""

from enum import StrEnum
from typing import Final

from recordings.faults import is_full


class RecordingState(StrEnum):
    """Where a recording stands; the values are the interface's."""

    CAPTURING = "capturing"
    COMPOSING = "composing"  # captured; queued or being composed
    MENDING = "mending"  # playable as it was, while what is lost beside the film is made of it
    READY = "ready"
    DAMAGED = "damaged"  # playable, and something known is missing: `failure` says what
    FAILED = "failed"  # not playable, or capture stopped: `failure` says why
    DELETED = "deleted"  # shown to nobody: the row stays, so that nothing takes the recording for lost

    @property
    def settled(self) -> bool:
        """Whether nothing works on it any more."""
        return self in {RecordingState.READY, RecordingState.DAMAGED, RecordingState.FAILED}

    @property
    def in_queue(self) -> bool:
        """Whether there is a job for it."""
        return self in {RecordingState.COMPOSING, RecordingState.MENDING}

    @property
    def playable(self) -> bool:
        """Whether there is an MP4 to watch."""
        return self in {RecordingState.READY, RecordingState.DAMAGED, RecordingState.MENDING}


class Failure(StrEnum):
    """Why a recording is damaged or failed; stable, with a text in the locales."""

    DISK_FULL = "disk_full"
    DISK_FAILED = "disk_failed"
    NOTHING_CAPTURED = "nothing_captured"
    CAPTURE_UNREADABLE = "capture_unreadable"
    TRACK_LOST = "track_lost"  # of somebody's camera or microphone nothing, or not all, could be captured
    COMPOSITION_FAILED = "composition_failed"
    FILES_MISSING = "files_missing"

    @classmethod
    def of(cls, error: OSError) -> "Failure":
        """What a disk's refusal means."""
        return cls.DISK_FULL if is_full(error) else cls.DISK_FAILED


OF_CAPTURE: Final = frozenset({Failure.DISK_FULL, Failure.DISK_FAILED})
"""Found by capture, and still true however well the rest was composed."""

# Composing goes back to capturing when a meeting that a crash cut off goes on as a further segment; a finished
# recording goes back to composing when it is composed anew, and to mending when something beside its film is lost. What
# waits for room of the disk may be deleted.
TRANSITIONS: dict[RecordingState, frozenset[RecordingState]] = {
    RecordingState.CAPTURING: frozenset({RecordingState.COMPOSING, RecordingState.FAILED}),
    RecordingState.COMPOSING: frozenset(
        {
            RecordingState.CAPTURING,
            RecordingState.READY,
            RecordingState.DAMAGED,
            RecordingState.FAILED,
            RecordingState.DELETED,
        }
    ),
    RecordingState.MENDING: frozenset(
        {RecordingState.COMPOSING, RecordingState.READY, RecordingState.DAMAGED, RecordingState.DELETED}
    ),
    RecordingState.READY: frozenset(
        {RecordingState.COMPOSING, RecordingState.MENDING, RecordingState.DELETED}
    ),
    RecordingState.DAMAGED: frozenset(
        {RecordingState.COMPOSING, RecordingState.MENDING, RecordingState.DELETED}
    ),
    RecordingState.FAILED: frozenset(
        {RecordingState.COMPOSING, RecordingState.CAPTURING, RecordingState.DELETED}
    ),
    RecordingState.DELETED: frozenset(),
}


def check_transition(old: RecordingState, new: RecordingState) -> None:
    """Raise ValueError where a recording in `old` cannot become `new`."""
    if new not in TRANSITIONS[old]:
        raise ValueError(f"a recording that is {old.value} cannot become {new.value}")
