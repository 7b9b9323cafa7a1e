"""Recordings and the player's reports of what was watched."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from members.policy import Audience
from recordings.renditions import Rendition
from recordings.requests import NamedPerson
from recordings.states import Failure, RecordingState
from rooms.attendance.rules import AttendanceState
from rooms.meetings.states import MeetingKind
from rooms.texts import NAME_LENGTH
from web.api.schemas.base import Id, Input, Moment, Output, PageQuery, Seconds, Text

MAX_INTERVALS = 500
MAX_RATE = 16.0  # what browsers' players offer at most; above 2 a report is refused
MAX_QUERY = 100
MAX_VERSION = 2**31 - 1
MAX_CAPTIONS = 512 * 1024

Interval = tuple[Seconds, Seconds]

Version = Annotated[int, Field(ge=0, le=MAX_VERSION)]


class RecordingsQuery(PageQuery):
    """`GET /api/recordings`: what is absent does not matter.

    `organizationId` means it and all below it, `memberId` who took part, `from` and `to` when it was recorded; `query`
    are words, all of which must stand in title, agenda, the organization's name or the names of who took part.
    """

    meeting_id: Id | None = None
    organization_id: Id | None = None
    kind: MeetingKind | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None
    member_id: Id | None = None
    query: Annotated[Text, StringConstraints(max_length=MAX_QUERY)] | None = None


class PromptOut(Output):
    """The question "are you still there?": `.../viewing/answer` before `answerBy`, or nothing more counts."""

    id: Id
    answer_by: Moment


class CoverageOut(Output):
    """What the asking person has really watched; `share` 0..1, `resumeAt` where the player should go on.

    `studiedAt`: when it was enough; it stays so. `prompt`: a question that waits for an answer.
    """

    seconds: Seconds
    share: Annotated[float, Field(ge=0, le=1)]
    intervals: list[Interval]
    resume_at: Seconds
    studied_at: Moment | None
    prompt: PromptOut | None


class CaptionsOut(Output):
    """Captions in one language, at `.../captions/{language}`."""

    language: str
    label: str


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


class LackOut(Output):
    """What the film lacks of one person's tracks of one kind; without `seconds` it may be all of it.

    `spans`: where in the film, in seconds, in order; few, so that two which lie close may be one. Empty where nobody
    knows.
    `apart` tells him from another of his name in this film: his branch, a number or both; empty where nobody is.
    `kind`: `camera`, `microphone`, `screen`, `screenAudio`, `journal` (a stretch of the meeting), or of a film made
    elsewhere `pictures`, `sound` or `source` (its end); there may be others. `name` is empty where nobody knows whose
    it was.
    """

    name: str
    apart: str
    kind: str
    seconds: Seconds | None
    spans: list[Interval]


class PersonOut(Output):
    """Somebody in a film made elsewhere; `memberId` only of members, and for who manages the recording."""

    name: str
    member_id: Id | None


class RecordingOut(Output):
    """One recording; `progress` 0..1 is the composition's; `renditions` are the calls beside it that have an answer.

    `version` counts how often a film was made of it: players name the one they have begun, and begin anew when it is
    refused. `requiredShare` of it makes an absence up (of 1, 0.99: players tell where they are four times a second);
    every `promptMinutes` who watches is asked whether he still does. `canRemake`: it is broken, and `.../remake` makes
    it anew of what was recorded. `waitsForRoom`: the disk is too full to make the film, which goes on by itself when
    there is room. A list leaves `captions` empty and `canManage`, `canDelete`, `canRemake`, `mending` and
    `waitsForRoom` false: they are said of one recording alone, and so are the `lacks` of a damaged one and whose names
    the `persons` of an uploaded one are. `uploaded`: it was made elsewhere.
    `captureStopped`: it failed while its meeting goes on, so that it may go on too. `mending`: something beside the
    film is lost and is made of it, which whoever manages it is told; meanwhile it is watched as it was.
    """

    id: Id
    meeting_id: Id | None
    title: str
    organization_name: str
    kind: str
    state: RecordingState
    version: int
    progress: Annotated[float, Field(ge=0, le=1)]
    duration_seconds: Seconds | None
    started_at: Moment
    size_bytes: int | None
    failure: Failure | None
    audience: Audience
    downloadable: bool
    required_share: Annotated[float, Field(ge=0, le=1)]
    prompt_minutes: int | None
    can_manage: bool
    can_delete: bool
    can_remake: bool
    uploaded: bool
    capture_stopped: bool
    waits_for_room: bool
    mending: bool
    coverage: CoverageOut | None
    renditions: list[Rendition]
    chapters: list[ChapterOut]
    preview: PreviewOut | None
    captions: list[CaptionsOut]
    lacks: list[LackOut]
    persons: list[PersonOut]


class FilmQuery(Input):
    """Of the film, its sound and its stream: `version` refuses every other than that one (`recording_renewed`)."""

    version: Version | None = None


class ViewingReport(Input):
    """`POST /api/recordings/{id}/viewing`: seconds of the recording; answers the coverage so far.

    `version`: of the film that was played; a report of another one than there is now is refused.
    """

    intervals: Annotated[list[Interval], Field(max_length=MAX_INTERVALS)]
    rate: Annotated[float, Field(gt=0, le=MAX_RATE, allow_inf_nan=False)] = 1.0
    ended: bool = False
    version: Version | None = None


class PromptAnswer(Input):
    """`POST /api/recordings/{id}/viewing/answer`: the `id` of the prompt."""

    prompt: Id


class PersonIn(Input):
    """Somebody in a film made elsewhere: `memberId` of a member, or the `name` of a guest."""

    member_id: Id | None = None
    name: Annotated[Text, StringConstraints(min_length=1, max_length=NAME_LENGTH)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.member_id is None) == (self.name is None):
            raise PydanticCustomError("member_or_name", "either memberId or name is wanted")
        return self

    @property
    def named(self) -> NamedPerson:
        """As the library takes it."""
        return NamedPerson(self.member_id, self.name or "")


class RecordingUpdate(Input):
    """`PATCH /api/recordings/{id}`: what is absent stays as it is; `promptMinutes` 0 asks no more.

    `persons`: all who are seen or heard in a film made elsewhere, in this order, in place of whoever was named before;
    of more than 50 the answer is too_many_persons.
    `personsBefore`: whom the editor saw named; where others are named by now, the answer is persons_renewed.
    """

    audience: Audience | None = None
    downloadable: bool | None = None
    required_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    prompt_minutes: Annotated[int, Field(ge=0, le=600)] | None = None
    persons: list[PersonIn] | None = None
    persons_before: list[PersonIn] | None = None


class CaptionsPut(Input):
    """`PUT /api/recordings/{id}/captions/{language}`: a WebVTT file as text."""

    label: Annotated[Text, StringConstraints(min_length=1, max_length=40)]
    text: Annotated[str, StringConstraints(max_length=MAX_CAPTIONS, strip_whitespace=False)]


class WatcherOut(Output):
    """One member who was expected or has watched; `state` null for who was not expected."""

    member_id: Id
    name: str
    organization_name: str
    state: AttendanceState | None
    seconds: Seconds
    share: Annotated[float, Field(ge=0, le=1)]
    studied_at: Moment | None
    last_watched_at: Moment | None
