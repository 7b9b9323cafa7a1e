"""What was said in a deleted recording is forgotten with it: its words, the names in it, who watched which minutes."""

from collections.abc import Sequence

from sqlalchemy import String, cast, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from recordings import repository
from recordings.captions.models import RecordingCaptions
from recordings.models import PictureWish, Recording, Viewing
from recordings.persons.models import FilmPerson
from recordings.persons.service import forget_persons
from recordings.states import RecordingState

_AT_ONCE = 500


async def forget_what_was_said(session: AsyncSession, recording: Recording) -> None:
    """Words and names, who hid and who watched which minutes; that somebody has studied it stays, as on the card.

    Who hid in a meeting whose own recording made way for an uploaded film stays hidden where that is made anew.
    """
    await forget_persons(session, recording.id)
    await session.execute(delete(RecordingCaptions).where(RecordingCaptions.recording_id == recording.id))
    if not recording.is_uploaded:
        await session.execute(delete(PictureWish).where(PictureWish.meeting_id == recording.meeting_id))
    await session.execute(update(Viewing).where(Viewing.recording_id == recording.id).values(intervals=[]))
    recording.renditions, recording.chapters, recording.losses = [], [], []


async def not_forgotten(session: AsyncSession) -> Sequence[str]:
    """The ids of recordings that were deleted when not all of that was forgotten; some at once."""
    nothing = "[]"
    query = (
        select(Recording.id)
        .where(
            Recording.state == RecordingState.DELETED,
            or_(
                exists().where(RecordingCaptions.recording_id == Recording.id),
                exists().where(FilmPerson.recording_id == Recording.id),
                cast(Recording.chapters, String) != nothing,
                cast(Recording.losses, String) != nothing,
            ),
        )
        .limit(_AT_ONCE)
    )
    return (await session.scalars(query)).all()


async def forget_now(session: AsyncSession, recording_id: str) -> bool:
    """Of a deleted recording; answers whether it is one."""
    recording = await repository.get(session, recording_id, lock=True)
    if recording is None or recording.state is not RecordingState.DELETED:
        return False
    await forget_what_was_said(session, recording)
    return True
