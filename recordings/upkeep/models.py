"""The tables of upkeep."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from database.append_only import append_only
from database.base import Json
from rooms.meetings.models import TITLE_LENGTH
from rooms.meetings.states import MeetingKind

REASON_LENGTH = 500


class Cause(StrEnum):
    """Why a recording was deleted."""

    PERSON = "person"
    RETENTION = "retention"


class StorageRules(Base):
    """What one organization says; what it leaves open the ones above it say."""

    __tablename__ = "storage_rules"

    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    keep_days: Mapped[int | None]  # 0: for ever
    keep_days_by_kind: Mapped[dict[str, Any]] = mapped_column(Json)  # {kind: days}
    quota_bytes: Mapped[int | None]
    set_by: Mapped[Id]  # the account
    set_at: Mapped[datetime]


class Uptime(Base):
    """One row: how long the server has run; see `recordings.upkeep.uptime`."""

    __tablename__ = "uptime"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seconds: Mapped[int]


class RecordingHold(Base):
    """One hold, from its laying to its lifting; kept afterwards."""

    __tablename__ = "recording_holds"
    __table_args__ = (Index("ix_recording_holds_recording_id", "recording_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    recording_id: Mapped[Id] = mapped_column(ForeignKey("recordings.id"))
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH))
    set_by: Mapped[Id]  # the account
    set_at: Mapped[datetime]
    lifted_by: Mapped[Id | None]
    lifted_at: Mapped[datetime | None]
    lifted_reason: Mapped[str | None] = mapped_column(String(REASON_LENGTH))


class RecordingDeletion(Base):
    """That a recording was there and is gone; never changed."""

    __tablename__ = "recording_deletions"
    __table_args__ = (Index("ix_recording_deletions_deleted_at_id", "deleted_at", "id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    recording_id: Mapped[Id] = mapped_column(unique=True)
    meeting_id: Mapped[Id | None]
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"), index=True)
    organization_name: Mapped[str] = mapped_column(String(120))  # as it was called then
    kind: Mapped[MeetingKind]
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    recorded_at: Mapped[datetime]
    duration_seconds: Mapped[float | None] = mapped_column(Float)
    size_bytes: Mapped[int | None]
    cause: Mapped[Cause]
    deleted_by: Mapped[Id | None]  # the account; None: the rules
    deleted_by_name: Mapped[str | None] = mapped_column(String(100))
    deleted_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH))


append_only(Base.metadata.tables[RecordingDeletion.__tablename__])
