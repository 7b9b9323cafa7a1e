"""The table of what must outlive a live room's process: who was removed, who was made host."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id


class RoomMark(StrEnum):
    """What is remembered of a person."""

    REMOVED = "removed"
    HOST = "host"


class RoomMarkRecord(Base):
    """One person's mark in one room. `room_id` is a meeting or a consultation; deleted when it ends."""

    __tablename__ = "room_marks"

    room_id: Mapped[Id] = mapped_column(primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    mark: Mapped[RoomMark]
    peer_id: Mapped[Id]  # by which hosts name the person
    at: Mapped[datetime]
