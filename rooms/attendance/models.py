"""The tables of attendance: measured intervals, and one result a person and meeting."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from rooms.attendance.rules import AttendanceState

PERSON_KEY_LENGTH = 64
NAME_LENGTH = 100


class PresenceInterval(Base):
    """One unbroken presence of a person. Open ones are extended by the heartbeat, `closed` ones never change."""

    __tablename__ = "presence_intervals"
    __table_args__ = (Index("ix_presence_intervals_meeting_id_person_key", "meeting_id", "person_key"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    meeting_id: Mapped[Id] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"))
    person_key: Mapped[str] = mapped_column(String(PERSON_KEY_LENGTH))
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("members.id"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    closed: Mapped[bool]


class AttendanceRecord(Base):
    """One person at one meeting. The expected have one from the start on; the others from the end on.

    `state` and what was measured are empty until the end, and never change after it.
    """

    __tablename__ = "attendance_records"
    __table_args__ = (
        Index("ix_attendance_records_meeting_id_place", "meeting_id", "place", unique=True),
        Index("ix_attendance_records_member_id", "member_id"),
    )

    meeting_id: Mapped[Id] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(PERSON_KEY_LENGTH), primary_key=True)
    place: Mapped[int]  # in the list: the expected by name, then the others by when they came
    member_id: Mapped[Id | None] = mapped_column(ForeignKey("members.id"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))  # as the person was called then
    expected: Mapped[bool]
    state: Mapped[AttendanceState | None]
    seconds: Mapped[float] = mapped_column(Float)
    first_seen_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    made_up_at: Mapped[datetime | None]
    made_up_recording_id: Mapped[Id | None]
    corrected_state: Mapped[AttendanceState | None]
    correction_reason: Mapped[str | None] = mapped_column(String(500))
    corrected_at: Mapped[datetime | None]
    corrected_by: Mapped[Id | None]  # the account
