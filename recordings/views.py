"""What the library answers: frozen, with the names that pages show, for the person who asked."""

from dataclasses import dataclass
from datetime import datetime

from members.policy import Audience
from recordings.losses import Lack
from recordings.renditions import Chapter, PreviewStrip, Rendition
from recordings.states import Failure, RecordingState
from recordings.storage.store import Entry, Store


@dataclass(frozen=True, slots=True)
class PromptView:
    """The question "are you still there?": without an answer by `answer_by` nothing more counts."""

    id: str
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class CoverageView:
    """What the asking member has really watched, in seconds of the recording; `share` is 0..1.

    `studied_at`: when it was enough, which stays so however the recording changes later.
    """

    seconds: float = 0.0
    share: float = 0.0
    intervals: tuple[tuple[float, float], ...] = ()
    resume_at: float = 0.0
    studied_at: datetime | None = None
    prompt: PromptView | None = None


@dataclass(frozen=True, slots=True)
class CaptionsView:
    """Captions that there are, and what the list of languages shows for them."""

    language: str
    label: str


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody in a film made elsewhere; `member_id` is None of a guest, and for who does not manage the recording."""

    name: str
    member_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingView:
    """One recording as one person sees it; `coverage` is None for whoever is no member."""

    id: str
    meeting_id: str | None  # None: a film made elsewhere that belongs to no meeting
    title: str
    organization_name: str
    kind: str
    state: RecordingState
    version: int  # of the film; another one is another film
    progress: float
    duration_seconds: float | None
    started_at: datetime
    size_bytes: int | None
    failure: Failure | None
    audience: Audience
    downloadable: bool
    required_share: float
    prompt_minutes: int | None
    can_manage: bool
    can_delete: bool
    can_remake: bool  # it is broken, and there is what a film could be made of anew
    uploaded: bool  # a film made elsewhere, be it of a meeting
    capture_stopped: bool  # while its meeting goes on: capture may go on too
    waits_for_room: bool  # the disk is too full to compose it: it goes on when somebody has made room
    mending: bool  # something beside the film is lost and is made of it; told to who manages it
    coverage: CoverageView | None
    renditions: tuple[Rendition, ...]
    chapters: tuple[Chapter, ...]
    preview: PreviewStrip | None
    captions: tuple[CaptionsView, ...] = ()  # of one recording alone: a list names none
    lacks: tuple[Lack, ...] = ()  # the same
    persons: tuple[PersonView, ...] = ()  # of a film made elsewhere; a list tells their names alone


@dataclass(frozen=True, slots=True)
class MeetingRecording:
    """The recording of a meeting; of a deleted one there is only its entry."""

    id: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class OpenedRecording:
    """A recording whose film somebody was let in to: what is needed to find its files without asking the records."""

    id: str
    state: RecordingState
    version: int
    stored_version: int


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A composed file in a store; `etag` is a strong one, quotes included.

    `signed_seconds`: browsers may be sent to the store itself, with an address that is good for so long.
    `download_name`: what a browser is to keep it as.
    """

    store: Store
    entry: Entry
    etag: str
    content_type: str = "video/mp4"
    signed_seconds: int | None = None
    download_name: str | None = None


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What a player says it has played since its last report, in seconds of the recording; none of it is believed."""

    intervals: tuple[tuple[float, float], ...]
    rate: float = 1.0
    ended: bool = False
    version: int | None = None  # of the film that was played, where the player says it


@dataclass(frozen=True, slots=True)
class RecordingStatistics:
    """Gauges and counters since the start, for /metrics."""

    capturing_meetings: int
    capturing_tracks: int
    captured_packets: int
    captured_bytes: int
    lost_packets: int
    overflowed_packets: int
    malformed_packets: int
    failed_captures: int
    stopped_captures: int  # now
    running_compositions: int
    waiting_compositions: int  # as of the last look
    finished_compositions: int
    failed_compositions: int
    storage_waiting: int
    storage_published: int
    storage_removed: int
    storage_failed_attempts: int
    storage_sent_bytes: int
