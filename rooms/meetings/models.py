"""The tables of meetings, their invitations and the further organizations they invite."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from rooms.live.commands import EndReason, Role
from rooms.meetings.agenda import ITEM_LENGTH
from rooms.meetings.states import InvitationOrigin, LeaveState, MeetingKind, MeetingState

TITLE_LENGTH = 200


class Meeting(Base):
    """One meeting of an organization. `started_at` and `ended_at` are what really was."""

    __tablename__ = "meetings"
    __table_args__ = (
        Index("ix_meetings_organization_id_starts_at_id", "organization_id", "starts_at", "id"),
        Index("ix_meetings_starts_at_id", "starts_at", "id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"))
    organizer_account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[MeetingKind]
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    agenda: Mapped[str | None] = mapped_column(Text)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(60))  # IANA name
    state: Mapped[MeetingState] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[EndReason | None]
    record: Mapped[bool]
    lobby: Mapped[bool]
    locked: Mapped[bool]  # the room's door, so that a restart does not open it
    present_share: Mapped[float] = mapped_column(Float)  # 0..1 of the length, for "present"
    late_after_seconds: Mapped[int]
    expected_count: Mapped[int]  # fixed at the start
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AgendaMark(Base):
    """When an item of the agenda began, as a host said during the meeting; kept, since films take chapters from it."""

    __tablename__ = "agenda_marks"

    id: Mapped[Id] = mapped_column(primary_key=True)
    meeting_id: Mapped[Id] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), index=True)
    number: Mapped[
        int
    ]  # from 1, in the order in which they were said: `at` is no order where the clock was set
    item: Mapped[int]  # from 0
    title: Mapped[str] = mapped_column(String(ITEM_LENGTH))
    at: Mapped[datetime]


class MeetingOrganization(Base):
    """A further organization whose members are invited (lecture, work meeting)."""

    __tablename__ = "meeting_organizations"

    meeting_id: Mapped[Id] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"), primary_key=True)


class Invitation(Base):
    """One member on the list. `struck`: taken off by hand, and kept so that the rule does not put him back."""

    __tablename__ = "invitations"

    meeting_id: Mapped[Id] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[Id] = mapped_column(ForeignKey("members.id"), primary_key=True, index=True)
    role: Mapped[Role]
    vote: Mapped[bool]
    origin: Mapped[InvitationOrigin]
    struck: Mapped[bool]
    leave_state: Mapped[LeaveState | None]
    leave_reason: Mapped[str | None] = mapped_column(String(500))
    leave_asked_at: Mapped[datetime | None]
    leave_decided_at: Mapped[datetime | None]
    leave_decided_by: Mapped[Id | None]  # the account
