"""Films made elsewhere that are brought into the library."""

from typing import Annotated

from pydantic import Field, StringConstraints

from members.policy import Audience
from recordings.uploads.rules import FINGERPRINT
from rooms.meetings.models import TITLE_LENGTH
from rooms.meetings.states import MeetingKind
from web.api.schemas.base import Id, Input, Moment, Output, Text
from web.api.schemas.recordings import PersonIn

LARGEST = 2**53 - 1  # what a browser can count to


class UploadCreate(Input):
    """`POST /api/uploads`; `meetingId` where the film shows a meeting that was not recorded here.

    `fingerprint` is whatever the uploader knows the file by again: a chunk that names another is refused.
    `durationSeconds`: how long the film is, where that is known; then a disk that has no room for what is made of it
    says so now. `persons`: who is seen or heard in it, 50 at most, as in `PATCH /api/recordings/{id}`.
    """

    organization_id: Id
    title: Annotated[Text, StringConstraints(min_length=1, max_length=TITLE_LENGTH)]
    kind: MeetingKind
    audience: Audience
    held_at: Moment
    size_bytes: Annotated[int, Field(ge=0, le=LARGEST)]
    meeting_id: Id | None = None
    fingerprint: Annotated[str, StringConstraints(pattern=rf"^{FINGERPRINT.pattern}$")] | None = None
    duration_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    persons: Annotated[list[PersonIn], Field(default_factory=list)]


class UploadOut(Output):
    """A film on its way: the next chunk, of at most `chunkBytes`, begins at `offset`.

    With `recordingId` it is whole, and being made into a recording.
    """

    id: Id
    title: str
    size_bytes: int
    offset: int
    chunk_bytes: int
    expires_at: Moment
    fingerprint: str | None
    recording_id: Id | None
