"""The table of captions."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from recordings.captions.rules import LABEL_LENGTH, LANGUAGE_LENGTH


class RecordingCaptions(Base):
    """A recording's captions in one language, small enough to lie in the database."""

    __tablename__ = "recording_captions"

    recording_id: Mapped[Id] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    language: Mapped[str] = mapped_column(String(LANGUAGE_LENGTH), primary_key=True)  # BCP 47
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))  # as the player's list shows it
    text: Mapped[str] = mapped_column(Text, deferred=True)
    uploaded_by: Mapped[Id]  # the account
    uploaded_at: Mapped[datetime]
