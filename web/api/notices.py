"""What waits for the person who asks."""

from web.api.call import Asked, Nothing
from web.api.schemas.base import Page
from web.api.schemas.notices import NoticeOut, NoticesSeen


async def notices(asked: Asked[Nothing]) -> Page[NoticeOut]:
    """Absences to make up and until when, new invitations, answered consultations; all in one page."""
    found = await asked.services.notices.of(asked.caller.person)
    return Page[NoticeOut](items=[NoticeOut.model_validate(one) for one in found], next_cursor=None)


async def see(asked: Asked[NoticesSeen]) -> None:
    """One has looked at them: on no device they count as new any more."""
    await asked.services.notices.see(asked.caller.person, asked.input.until)
