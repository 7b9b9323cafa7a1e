"""The tables of recordings, of their composition, and of what was watched of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from database.base import Json
from members.policy import Audience
from recordings.states import Failure, RecordingState
from recordings.viewing.coverage import ENOUGH
from rooms.meetings.models import TITLE_LENGTH
from rooms.meetings.states import MeetingKind

DETAIL_LENGTH = 500


class Recording(Base):
    """A meeting's one recording, from the moment its room opened, or a film made elsewhere that somebody uploaded.

    Its files lie in the folder named by its id. Title, kind and organization are the recording's own: the meeting's as
    they were when it began, or what the uploader wrote. A film made elsewhere may belong to a meeting or to none.
    """

    __tablename__ = "recordings"
    __table_args__ = (Index("ix_recordings_started_at_id", "started_at", "id"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    meeting_id: Mapped[Id | None] = mapped_column(ForeignKey("meetings.id"), unique=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organizations.id"), index=True)
    kind: Mapped[MeetingKind]
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    uploader_account_id: Mapped[Id | None] = mapped_column(
        ForeignKey("accounts.id")
    )  # of a film made elsewhere
    audience: Mapped[Audience]
    downloadable: Mapped[bool] = mapped_column(default=False)
    required_share: Mapped[float] = mapped_column(Float, default=ENOUGH)  # 0.5..1, what counts as studied
    prompt_minutes: Mapped[int | None]  # so often who watches is asked whether he still does; None: never
    deletion_warned_at: Mapped[datetime | None]  # since when the deletion by the rules is announced
    deletion_warned_uptime: Mapped[int | None]  # the same, by what counts: see recordings.upkeep.uptime
    state: Mapped[RecordingState] = mapped_column(index=True)
    state_since: Mapped[datetime]
    failure: Mapped[Failure | None]
    progress: Mapped[float] = mapped_column(Float)  # 0..1, of the composition
    segments: Mapped[int]  # runs of capture so far
    version: Mapped[int]  # of the composed file; 0: there is none
    stored_version: Mapped[int] = mapped_column(default=0)  # the one that is wholly in the remote store
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # when capture ended for good
    duration_seconds: Mapped[float | None] = mapped_column(Float)
    size_bytes: Mapped[int | None]  # of the film
    # What a film made elsewhere says that it lasts.
    source_seconds: Mapped[float | None] = mapped_column(Float)
    kept_bytes: Mapped[int] = mapped_column(
        default=0
    )  # of everything: film, sizes, sound, pictures, what was captured
    renditions: Mapped[list[Any]] = mapped_column(Json, default=list)  # see recordings.renditions
    chapters: Mapped[list[Any]] = mapped_column(Json, default=list)  # the same
    losses: Mapped[list[Any]] = mapped_column(
        Json, default=list
    )  # of what was captured; see recordings.losses

    @property
    def shown_state(self) -> RecordingState:
        """What whoever watches is told: a film that is mended is what it was."""
        if self.state is not RecordingState.MENDING:
            return self.state
        return RecordingState.DAMAGED if self.failure else RecordingState.READY

    @property
    def is_uploaded(self) -> bool:
        """Whether it was made elsewhere."""
        return self.uploader_account_id is not None

    @property
    def is_live(self) -> bool:
        """Whether its meeting has not ended: a capture that has stopped goes on when the disk takes files again."""
        return self.meeting_id is not None and self.ended_at is None

    @property
    def settled(self) -> bool:
        """Whether nothing works on it any more, nor will of itself."""
        return self.state.settled and not self.is_live


class CompositionJob(Base):
    """A recording that is to be composed; deleted when that has come to an end, good or bad."""

    __tablename__ = "composition_jobs"

    recording_id: Mapped[Id] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    queued_at: Mapped[datetime]
    not_before: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int]
    worker: Mapped[Id | None]  # who has claimed it
    lease_until: Mapped[datetime | None]
    mends: Mapped[bool] = mapped_column(default=False)  # no more than what is lost of a film that stands
    no_room_since: Mapped[datetime | None]  # the last attempt found the disk full, and all since then
    detail: Mapped[str | None] = mapped_column(String(DETAIL_LENGTH))  # what the last attempt said


class PictureWish(Base):
    """What one person asked last about his picture in a meeting's recording; none: nothing was asked."""

    __tablename__ = "picture_wishes"

    meeting_id: Mapped[Id] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    hidden: Mapped[bool]
    at: Mapped[datetime]


class Viewing(Base):
    """What one member has watched of one recording, on whatever devices."""

    __tablename__ = "recording_viewings"

    recording_id: Mapped[Id] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[Id] = mapped_column(ForeignKey("members.id"), primary_key=True, index=True)
    intervals: Mapped[list[Any]] = mapped_column(Json)  # [[from, to], ...], disjoint, in order
    seconds: Mapped[float] = mapped_column(Float)  # their sum
    resume_at: Mapped[float] = mapped_column(Float)
    credit_seconds: Mapped[float] = mapped_column(Float)  # of the wall clock, not yet spent on watching
    unasked_seconds: Mapped[float] = mapped_column(
        Float, default=0.0
    )  # watched since the last prompt was answered
    prompt: Mapped[Id | None]  # the one that waits for an answer
    prompted_at: Mapped[datetime | None]
    reported_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]  # of the last report that told of watching
    completed_at: Mapped[datetime | None]  # when enough of it had been watched; written to the card then
    settled: Mapped[bool]  # the attendance knows of it
