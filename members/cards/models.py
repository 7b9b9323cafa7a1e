"""The tables of activity cards: their entries, which never change, and where each card's chain ends."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from database.append_only import append_only

HASH_LENGTH = 64


class CardEntryKind(StrEnum):
    """What an entry tells of."""

    MEETING_ATTENDED = "meeting_attended"
    RECORDING_STUDIED = "recording_studied"
    CONSULTATION_GIVEN = "consultation_given"
    VOTE_TAKEN_PART = "vote_taken_part"  # never how
    CORRECTION = "correction"


class CardEntry(Base):
    """One line of a member's card. Triggers of the database refuse UPDATE and DELETE."""

    __tablename__ = "card_entries"
    __table_args__ = (
        UniqueConstraint("member_id", "sequence"),
        UniqueConstraint("member_id", "source", "reference"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    member_id: Mapped[Id] = mapped_column(ForeignKey("members.id"))
    sequence: Mapped[int]  # 1, 2, 3 ... without a gap within a member's card
    kind: Mapped[CardEntryKind]
    occurred_at: Mapped[datetime]
    duration_seconds: Mapped[int]
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"))
    organization_name: Mapped[str] = mapped_column(String(120))  # as it was called then
    title: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(
        String(40)
    )  # what kind of thing it comes from: "meeting", "recording"
    reference: Mapped[str] = mapped_column(String(120))  # which one; unique with member and source
    written_by: Mapped[Id | None]  # the account that wrote it, None for the system
    written_at: Mapped[datetime]
    refers_to: Mapped[Id | None] = mapped_column(ForeignKey("card_entries.id"))  # what a correction corrects
    # As text on both databases: PostgreSQL's binary JSON writes 1e5 as 100000, and the hash would differ.
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(HASH_LENGTH))
    hash: Mapped[str] = mapped_column(String(HASH_LENGTH))


class CardHead(Base):
    """The end of a member's chain: locked by whoever appends, and proof against entries cut off at the end."""

    __tablename__ = "card_heads"

    member_id: Mapped[Id] = mapped_column(ForeignKey("members.id"), primary_key=True)
    sequence: Mapped[int]
    hash: Mapped[str] = mapped_column(String(HASH_LENGTH))


append_only(Base.metadata.tables[CardEntry.__tablename__])
