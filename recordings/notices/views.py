"""What notices tell: frozen, for the person who asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from recordings.states import Failure

# Older is no news; what has an end of its own is told until then.
NEWS: Final = timedelta(days=14)
MOST_OF_A_KIND: Final = 50


class NoticeKind(StrEnum):
    """What a notice tells."""

    CAPTURE_STOPPED = "capture_stopped"  # a meeting that goes on now is not recorded any more
    MAKING_UP_ENDS = "making_up_ends"  # the recording of a meeting one missed will be deleted
    MAKING_UP_LOST = "making_up_lost"  # it was deleted before one made the absence up
    RECORDING_READY = "recording_ready"  # a meeting one missed can be made up by watching
    RECORDING_DAMAGED = "recording_damaged"
    RECORDING_FAILED = "recording_failed"
    RECORDING_WAITS = "recording_waits"  # no film is made of it until there is room on the disk
    INVITED = "invited"
    CONSULTATION_ANSWERED = "consultation_answered"


@dataclass(frozen=True, slots=True)
class NoticeView:
    """`subject_id` is the recording's, meeting's (invited, capture_stopped) or consultation's, `title` its name.

    `until`: when it is too late. `text`: what the expert wrote. `reason`: why a recording is broken, `uploaded`: it was
    made elsewhere. `seen`: by this account, on whatever device.
    """

    kind: NoticeKind
    subject_id: str
    title: str
    organization_name: str
    at: datetime
    until: datetime | None = None
    text: str | None = None
    reason: Failure | None = None
    uploaded: bool = False
    seen: bool = False
