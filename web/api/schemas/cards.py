"""The activity card."""

from members.cards.models import CardEntryKind
from web.api.schemas.base import Id, Moment, Output, Seconds


class CardEntryOut(Output):
    """One entry; `hash` covers the previous entry's, `refersTo` names the entry a correction corrects.

    `writtenBy` is a person's name, or `system`.
    """

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
