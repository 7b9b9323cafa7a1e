"""What notices look like on the wire."""

from recordings.notices import NoticeKind
from recordings.states import Failure
from web.api.schemas.base import Id, Input, Moment, Output


class NoticeOut(Output):
    """`subjectId` is the recording's, meeting's or consultation's. `until`: when it is too late. `text`: the answer.

    `reason`: why a recording is broken; `uploaded`: it was made elsewhere. `seen`: it was looked at, on whatever
    device.
    """

    kind: NoticeKind
    subject_id: Id
    title: str
    organization_name: str
    at: Moment
    until: Moment | None
    text: str | None
    reason: Failure | None
    uploaded: bool
    seen: bool


class NoticesSeen(Input):
    """`until`: `at` of the newest notice that was shown."""

    until: Moment
