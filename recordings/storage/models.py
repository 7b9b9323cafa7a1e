"""The tables of what is to be stored or removed, and of uploads that are not finished."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from recordings.storage.store import Fault

DETAIL_LENGTH = 500
KEY_LENGTH = 300
UPLOAD_ID_LENGTH = 1024
DIGEST_LENGTH = 32
TAG_LENGTH = 1024


class Task(StrEnum):
    """What is to be done with a recording's files."""

    PUBLISH = "publish"
    REMOVE = "remove"


class StorageJob(Base):
    """A recording whose files are to be published or removed. Outlives its recording: removal is finished after it."""

    __tablename__ = "storage_jobs"

    recording_id: Mapped[Id] = mapped_column(primary_key=True)
    task: Mapped[Task]
    queued_at: Mapped[datetime]
    not_before: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int]
    worker: Mapped[Id | None]  # who has claimed it
    lease_until: Mapped[datetime | None]
    fault: Mapped[Fault | None]  # of the last attempt
    detail: Mapped[str | None] = mapped_column(String(DETAIL_LENGTH))


class StoredUpload(Base):
    """An upload in parts that has begun and is not known to be finished."""

    __tablename__ = "stored_uploads"

    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    upload_id: Mapped[str] = mapped_column(String(UPLOAD_ID_LENGTH))
    size: Mapped[int]
    part_bytes: Mapped[int]


class StoredPart(Base):
    """A part of such an upload that has arrived: what the store calls it, and the MD5 of what was sent."""

    __tablename__ = "stored_parts"

    key: Mapped[str] = mapped_column(ForeignKey("stored_uploads.key", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(DIGEST_LENGTH))
    tag: Mapped[str] = mapped_column(String(TAG_LENGTH))
