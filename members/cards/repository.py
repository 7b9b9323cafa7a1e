"""Every query about cards."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Insert, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from database import Page, PageRequest, SortKey, fetch_page
from members.cards.chain import FIRST
from members.cards.models import CardEntry, CardHead


async def lock_heads(session: AsyncSession, member_ids: Iterable[str]) -> dict[str, CardHead]:
    """The ends of these members' chains, made where there are none, locked until the transaction ends.

    Locked in order of id, so that two meetings that end at once wait for each other and do not deadlock.
    """
    wanted = sorted(set(member_ids))
    await session.execute(
        _insert(session), [{"member_id": member_id, "sequence": 0, "hash": FIRST} for member_id in wanted]
    )
    query = (
        select(CardHead)
        .where(CardHead.member_id.in_(wanted))
        .order_by(CardHead.member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {head.member_id: head for head in await session.scalars(query)}


def _insert(session: AsyncSession) -> Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(CardHead).on_conflict_do_nothing()
    return postgresql.insert(CardHead).on_conflict_do_nothing()


async def written(
    session: AsyncSession, member_ids: Iterable[str], references: Iterable[str]
) -> Sequence[CardEntry]:
    """The entries of these members with these references."""
    query = select(CardEntry).where(
        CardEntry.member_id.in_(set(member_ids)), CardEntry.reference.in_(set(references))
    )
    return (await session.scalars(query)).all()


async def page_of_card(session: AsyncSession, member_id: str, request: PageRequest) -> Page[CardEntry]:
    """A member's entries, newest first."""
    query = select(CardEntry).where(CardEntry.member_id == member_id)
    return await fetch_page(session, query, [SortKey(CardEntry.sequence, descending=True)], request)


async def count_members(session: AsyncSession) -> int:
    """How many cards there are, by entries or by heads."""
    holders = select(CardEntry.member_id).union(select(CardHead.member_id)).subquery()
    return await session.scalar(select(func.count()).select_from(holders)) or 0


async def holders_after(session: AsyncSession, member_id: str, limit: int) -> Sequence[str]:
    """The next members who have a card, in order of id."""
    holders = select(CardEntry.member_id).union(select(CardHead.member_id)).subquery()
    column = holders.c.member_id
    return (
        await session.scalars(select(column).where(column > member_id).order_by(column).limit(limit))
    ).all()


async def cards_of(
    session: AsyncSession, member_ids: Sequence[str]
) -> tuple[dict[str, list[CardEntry]], dict[str, CardHead]]:
    """The whole cards of some members, entries in order of sequence, and where each should end."""
    entries: dict[str, list[CardEntry]] = {member_id: [] for member_id in member_ids}
    query = select(CardEntry).where(CardEntry.member_id.in_(member_ids)).order_by(CardEntry.sequence)
    for entry in await session.scalars(query):
        entries[entry.member_id].append(entry)
    heads = await session.scalars(select(CardHead).where(CardHead.member_id.in_(member_ids)))
    return entries, {head.member_id: head for head in heads}
