"""`Wishes`: who asked not to be in the picture, kept so that neither a restart nor a full disk forgets it."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from recordings import repository
from recordings.models import PictureWish


class Wishes:
    """By meeting and person; a person is the same on all devices. Problem UNAVAILABLE where the database is."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def note(self, meeting_id: str, person_key: str, *, hidden: bool) -> None:
        """Keep the person's last word; nothing is kept of a meeting that is not recorded."""
        async with self._database.transaction() as session:
            if await repository.recorded_meeting(session, meeting_id) is not None:
                await session.merge(
                    PictureWish(meeting_id=meeting_id, person_key=person_key, hidden=hidden, at=self._clock())
                )

    async def hidden(self, meeting_id: str) -> frozenset[str]:
        """Who is not to be in the picture."""
        async with self._database.reading() as session:
            wishes = await wishes_of(session, meeting_id)
        return frozenset(wish.person_key for wish in wishes if wish.hidden)


async def wishes_of(session: AsyncSession, meeting_id: str) -> Sequence[PictureWish]:
    """The last word of each person who said anything, always in the same order."""
    query = select(PictureWish).where(PictureWish.meeting_id == meeting_id)
    return (await session.scalars(query.order_by(PictureWish.person_key))).all()
