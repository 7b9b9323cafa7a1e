"""Every query about cards."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from database import Page, PageRequest, SortKey, fetch_page
from members.cards.chain import FIRST
from members.cards.models import CardEntry, CardHead


class End(NamedTuple):
    """Where a chain ends."""

    sequence: int
    hash: str


async def lock_ends(session: AsyncSession, member_ids: Iterable[str]) -> dict[str, End]:
    """The ends of these members' chains, made where there are none, locked until the transaction ends.

    Locked in order of id, so that two meetings that end at once wait for each other and not in a circle.
    """
    wanted = sorted(set(member_ids))
    none_yet = [{"member_id": member_id, "sequence": 0, "hash": FIRST} for member_id in wanted]
    await session.execute(_insert(session).values(none_yet).on_conflict_do_nothing())
    query = (
        select(CardHead.member_id, CardHead.sequence, CardHead.hash)
        .where(CardHead.member_id.in_(wanted))
        .order_by(CardHead.member_id)
        .with_for_update()
    )
    return {row.member_id: End(row.sequence, row.hash) for row in await session.execute(query)}


def _insert(session: AsyncSession) -> sqlite.Insert | postgresql.Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(CardHead)
    return postgresql.insert(CardHead)


async def move_ends(session: AsyncSession, ends: Mapping[str, End]) -> None:
    """Note where these chains end now."""
    rows = [{"member_id": member_id, **end._asdict()} for member_id, end in sorted(ends.items())]
    await session.execute(update(CardHead), rows)


async def insert_entries(session: AsyncSession, entries: Iterable[CardEntry]) -> None:
    """Write fresh entries, without the bookkeeping that objects which may still change would need."""
    columns = [column.key for column in CardEntry.__table__.columns]
    await session.execute(
        insert(CardEntry), [{name: getattr(row, name) for name in columns} for row in entries]
    )


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
