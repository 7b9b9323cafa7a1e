"""A card entry before and after it is written."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from members.cards.models import CardEntry, CardEntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to be written.

    (member_id, source, reference) names it for good: writing the same again does nothing, so that a retried
    end of a meeting writes each line once. `details` is JSON without personal data of others.
    """

    member_id: str
    kind: CardEntryKind
    occurred_at: datetime
    duration_seconds: int
    organization_id: str
    organization_name: str
    title: str
    source: str  # "meeting", "recording", "consultation"
    reference: str  # its id; for something within it "id/part"
    written_by: str | None = None  # account id; None: the system
    refers_to: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEntryView:
    """A written entry, as shown on the card."""

    id: str
    member_id: str
    sequence: int
    kind: CardEntryKind
    occurred_at: datetime
    duration_seconds: int
    organization_id: str
    organization_name: str
    title: str
    source: str
    reference: str
    written_by: str | None
    written_by_name: str | None  # None for the system
    written_at: datetime
    refers_to: str | None
    details: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, row: CardEntry, written_by_name: str | None) -> Self:
        """The view of a row."""
        return cls(
            id=row.id,
            member_id=row.member_id,
            sequence=row.sequence,
            kind=row.kind,
            occurred_at=row.occurred_at,
            duration_seconds=row.duration_seconds,
            organization_id=row.organization_id,
            organization_name=row.organization_name,
            title=row.title,
            source=row.source,
            reference=row.reference,
            written_by=row.written_by,
            written_by_name=written_by_name,
            written_at=row.written_at,
            refers_to=row.refers_to,
            details=row.details,
            hash=row.hash,
        )
