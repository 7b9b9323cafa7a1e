"""The table of persons in films made elsewhere."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from rooms.attendance.models import NAME_LENGTH


class FilmPerson(Base):
    """One person in one film, in the order in which they were named."""

    __tablename__ = "film_persons"

    recording_id: Mapped[Id] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("members.id"), index=True)  # None: a guest
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
