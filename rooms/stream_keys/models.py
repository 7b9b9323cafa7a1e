"""The table of stream keys."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Id
from rooms.stream_keys.views import StreamUse


class StreamKey(Base):
    """One key; a revoked one stays, so that it is known who let what in."""

    __tablename__ = "stream_keys"

    id: Mapped[Id] = mapped_column(primary_key=True)
    meeting_id: Mapped[Id] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    use: Mapped[StreamUse]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[Id] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
