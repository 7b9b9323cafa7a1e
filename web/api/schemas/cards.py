"""The activity card."""

from typing import Literal

from web.api.schemas.base import Id, Moment, Output, Seconds

CardEntryKind = Literal[
    "meeting_attended", "recording_studied", "consultation_given", "vote_taken_part", "correction"
]


class CardEntryOut(Output):
    """One entry; `hash` covers the previous entry's, `refersTo` names the entry a correction corrects."""

    id: Id
    sequence: int
    kind: CardEntryKind
    occurred_at: Moment
    duration_seconds: Seconds
    organization_id: Id
    organization_name: str
    title: str
    source: str
    written_by: str
    refers_to: Id | None
    hash: str
