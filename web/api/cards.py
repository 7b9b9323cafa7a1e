"""The activity card."""

from typing import Final

from errors import Kind, Problem
from members.cards.entries import CardEntryView
from web.api.call import Asked
from web.api.paging import page_request
from web.api.schemas.base import Page, PageQuery
from web.api.schemas.cards import CardEntryOut

OWN: Final = "me"
SYSTEM: Final = "system"  # who wrote what nobody wrote by hand


async def card(asked: Asked[PageQuery]) -> Page[CardEntryOut]:
    """A member's card, newest first; `me` is one's own."""
    actor, wanted = asked.caller.person, asked.path("memberId")
    member_id = actor.member_id if wanted == OWN else wanted
    if member_id is None:
        raise Problem(Kind.NOT_FOUND, "not_found")  # signed in, but on no register
    page = await asked.services.cards.list(actor, member_id, page_request(asked.input))
    return Page(items=[_out(entry) for entry in page.items], next_cursor=page.next_cursor)


def _out(entry: CardEntryView) -> CardEntryOut:
    shown = {name: getattr(entry, name) for name in CardEntryOut.model_fields if name != "written_by"}
    return CardEntryOut(**shown, written_by=entry.written_by_name or SYSTEM)
