"""`Cards`: append, list, verify."""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, Page, PageRequest, new_id, utc_now
from errors import Kind, Problem
from members.accounts import repository as accounts
from members.cards import repository
from members.cards.chain import entry_hash
from members.cards.entries import CardEntryView, NewEntry
from members.cards.models import CardEntry
from members.cards.repository import End
from members.cards.verification import Verification, first_fault
from members.people import repository as people
from members.policy import Action, Actor, require

VERIFIED_AT_ONCE: Final = 50
"""Cards held in memory while checking."""

WRITTEN_AT_ONCE: Final = 40
"""Cards written before the event loop gets a turn; about 10 ms."""

_Key = tuple[str, str, str]


class Cards:
    """The activity cards of all members."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def append(self, session: AsyncSession, entry: NewEntry) -> CardEntry:
        """Write one entry inside the caller's transaction; see `append_all`."""
        return (await self.append_all(session, [entry]))[0]

    async def append_all(self, session: AsyncSession, entries: Sequence[NewEntry]) -> list[CardEntry]:
        """Write entries inside the caller's transaction; answers them in the order given.

        One that is written already (same member, source and reference) stays as it was and is answered. Call it once a
        transaction, as late as possible: it locks the cards of the members until the transaction ends. The event loop
        gets a turn every `WRITTEN_AT_ONCE` cards, so that a district's meeting may end while others speak.
        """
        cards: dict[str, list[NewEntry]] = {}
        for entry in entries:
            cards.setdefault(entry.member_id, []).append(entry)
        members = sorted(cards)  # everybody locks in this order, so nobody waits in a circle
        written: dict[_Key, CardEntry] = {}
        for start in range(0, len(members), WRITTEN_AT_ONCE):
            some = members[start : start + WRITTEN_AT_ONCE]
            written |= await self._append_some(session, [entry for member in some for entry in cards[member]])
        return [written[_key(entry)] for entry in entries]

    async def _append_some(self, session: AsyncSession, entries: Sequence[NewEntry]) -> dict[_Key, CardEntry]:
        members = {entry.member_id for entry in entries}
        ends = await repository.lock_ends(session, members)
        found = await repository.written(session, members, {entry.reference for entry in entries})
        known = {(row.member_id, row.source, row.reference): row for row in found}
        fresh: list[CardEntry] = []
        for entry in entries:
            if _key(entry) not in known:
                row = self._link(entry, ends[entry.member_id])
                ends[entry.member_id] = End(row.sequence, row.hash)
                known[_key(entry)] = row
                fresh.append(row)
        if fresh:
            await repository.insert_entries(session, fresh)
            await repository.move_ends(session, {row.member_id: ends[row.member_id] for row in fresh})
        return known

    async def list(
        self, actor: Actor, member_id: str, request: PageRequest | None = None
    ) -> Page[CardEntryView]:
        """A member's card, newest first; Problem not_found or forbidden for a card that one may not see."""
        async with self._database.reading() as session:
            member = await people.get(session, member_id)
            if member is None:
                raise Problem(Kind.NOT_FOUND, "not_found")
            require(actor, Action.SEE_CARD, people.subject_of(member))
            page = await repository.page_of_card(session, member_id, request or PageRequest())
            names = await accounts.names(session, [row.written_by for row in page.items if row.written_by])
        return page.map(lambda row: CardEntryView.of(row, names.get(row.written_by or "")))

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> Verification:
        """Check every card; answers the first fault of each. `progress` is told (cards done, cards in all)."""
        async with self._database.reading() as session:
            total = await repository.count_members(session)
            done = checked = 0
            broken = []
            last = ""
            while holders := await repository.holders_after(session, last, VERIFIED_AT_ONCE):
                cards, heads = await repository.cards_of(session, holders)
                faults = [first_fault(holder, cards[holder], heads.get(holder)) for holder in holders]
                broken += [fault for fault in faults if fault is not None]
                checked += sum(len(card) for card in cards.values())
                done, last = done + len(holders), holders[-1]
                session.expunge_all()
                if progress is not None:
                    progress(done, total)
        return Verification(done, checked, tuple(broken))

    def _link(self, entry: NewEntry, end: End) -> CardEntry:
        row = CardEntry(
            id=new_id(),
            member_id=entry.member_id,
            sequence=end.sequence + 1,
            kind=entry.kind,
            occurred_at=entry.occurred_at,
            duration_seconds=entry.duration_seconds,
            organization_id=entry.organization_id,
            organization_name=entry.organization_name,
            title=entry.title,
            source=entry.source,
            reference=entry.reference,
            written_by=entry.written_by,
            written_at=self._clock(),
            refers_to=entry.refers_to,
            details=entry.details,
            previous_hash=end.hash,
        )
        row.hash = entry_hash(row)
        return row


def _key(entry: NewEntry) -> _Key:
    return entry.member_id, entry.source, entry.reference
