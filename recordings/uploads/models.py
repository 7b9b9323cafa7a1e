"""The table of films on their way."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from database.base import Json
from members.policy import Audience
from recordings.uploads.rules import FINGERPRINT_LENGTH
from rooms.meetings.models import TITLE_LENGTH
from rooms.meetings.states import MeetingKind


class Upload(Base):
    """One film on its way; its id becomes the recording's. How much of it is there, the file says."""

    __tablename__ = "film_uploads"

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), index=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"))
    meeting_id: Mapped[Id | None] = mapped_column(ForeignKey("meetings.id"))
    kind: Mapped[MeetingKind]
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    audience: Mapped[Audience]
    held_at: Mapped[datetime]
    size_bytes: Mapped[int]
    seconds: Mapped[float | None] = mapped_column(Float)  # what the uploader says that it lasts
    persons: Mapped[list[Any]] = mapped_column(Json, default=list)  # see recordings.persons.service
    fingerprint: Mapped[str | None] = mapped_column(String(FINGERPRINT_LENGTH))
    created_at: Mapped[datetime]
    touched_uptime: Mapped[int]  # when the last chunk came; see recordings.upkeep.uptime
