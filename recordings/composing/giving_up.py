"""What becomes of a recording of whose composition there is no further attempt."""

from typing import Any

from recordings.compose.report import Failed
from recordings.composing.briefing import standing_of
from recordings.folders import Folders, bytes_of
from recordings.models import Recording
from recordings.renditions import Rendition
from recordings.states import OF_CAPTURE, Failure, RecordingState

Outcome = tuple[RecordingState, Failure | None, list[Any]]
"""Its state, why, and the renditions that are offered, as `recordings.renditions` keeps them."""


def outcome(recording: Recording, report: Failed, folders: Folders) -> Outcome:
    """Looks at the files: not for the event loop.

    A film that is mended is what it was, and the next look finds again what it lacks: what was in the way may pass. Any
    other that stands is not taken away because something else could not be made.
    """
    if recording.state is RecordingState.MENDING:
        return recording.shown_state, recording.failure, recording.renditions
    failure = recording.failure if recording.failure in OF_CAPTURE else report.failure
    if failure is Failure.NOTHING_CAPTURED and recording.version:  # there was, and a film of it
        failure = Failure.FILES_MISSING
    try:
        whole = _whole(recording, failure, folders)
    except (KeyError, TypeError, ValueError):  # nobody can say of what there should be
        whole = None
    if whole is None:
        return RecordingState.FAILED, failure, recording.renditions
    return RecordingState.DAMAGED, failure, whole


def _whole(recording: Recording, failure: Failure, folders: Folders) -> list[Any] | None:
    """The known renditions of a film that can be watched; None where there is none.

    Where it is in the remote store as well, all of it is, until reconciliation looks.
    """
    standing = standing_of(recording)
    if standing is None or not recording.version:
        return None
    if recording.stored_version == recording.version and failure is not Failure.FILES_MISSING:
        return recording.renditions
    here = {one: bytes_of(folders.rendition(recording.id, one)) for one in standing.outputs.sizes}
    if here[Rendition.FILM] != recording.size_bytes:
        return None
    return [entry for entry in recording.renditions if here[Rendition(entry["name"])] == entry["size"]]
