"""Recordings and the player's reports of what was watched."""

from typing import Annotated

from pydantic import Field

from members.policy import Audience
from recordings.renditions import Rendition
from recordings.states import Failure, RecordingState
from web.api.schemas.base import Id, Input, Moment, Output, PageQuery, Seconds

MAX_INTERVALS = 500
MAX_RATE = 16.0  # what browsers' players offer at most; above 2 nothing counts as watched

Interval = tuple[Seconds, Seconds]


class RecordingsQuery(PageQuery):
    """`GET /api/recordings?meetingId=`."""

    meeting_id: Id | None = None


class CoverageOut(Output):
    """What the asking person has really watched; `share` 0..1, `resumeAt` where the player should go on."""

    seconds: Seconds
    share: Annotated[float, Field(ge=0, le=1)]
    intervals: list[Interval]
    resume_at: Seconds


class ChapterOut(Output):
    """Where something begins."""

    start_seconds: Seconds
    title: str


class PreviewOut(Output):
    """How `/preview` is read: picture `n` shows second `n * intervalSeconds`, in rows of `columns` from the left."""

    interval_seconds: Annotated[float, Field(gt=0)]
    columns: int
    count: int
    width: int
    height: int


class RecordingOut(Output):
    """One recording; `progress` 0..1 is the composition's; `renditions` are the calls beside it that have an answer."""

    id: Id
    meeting_id: Id | None
    title: str
    organization_name: str
    kind: str
    state: RecordingState
    progress: Annotated[float, Field(ge=0, le=1)]
    duration_seconds: Seconds | None
    started_at: Moment
    size_bytes: int | None
    failure: Failure | None
    audience: Audience
    coverage: CoverageOut | None
    renditions: list[Rendition]
    chapters: list[ChapterOut]
    preview: PreviewOut | None


class ViewingReport(Input):
    """`POST /api/recordings/{id}/viewing`: seconds of the recording; answers the coverage so far."""

    intervals: Annotated[list[Interval], Field(max_length=MAX_INTERVALS)]
    rate: Annotated[float, Field(gt=0, le=MAX_RATE, allow_inf_nan=False)] = 1.0
    ended: bool = False
