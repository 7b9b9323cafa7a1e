import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from database import Database, PageRequest
from errors import Kind, Problem
from members.cards import BrokenLink, CardEntry, CardEntryKind, Cards, Fault, NewEntry
from members.cards.chain import FIRST, entry_hash
from members.cards.models import CardHead
from members.organizations import Organization
from members.people import Member
from members.policy import RoleName
from tests.factories import EVENING, FakeClock, Records


@pytest.fixture
def cards(database: Database, clock: FakeClock) -> Cards:
    return Cards(database, clock)


@pytest.fixture
async def branch(records: Records) -> Organization:
    return await records.organization(name="东湖村党支部")


@pytest.fixture
async def member(records: Records, branch: Organization) -> Member:
    return await records.member(branch, "王秀兰")


def attended(member: Member, reference: str, **changes: object) -> NewEntry:
    entry = NewEntry(
        member_id=member.id,
        kind=CardEntryKind.MEETING_ATTENDED,
        occurred_at=EVENING,
        duration_seconds=3600,
        organization_id=member.organization_id,
        organization_name="东湖村党支部",
        title="十一月主题党日",
        source="meeting",
        reference=reference,
        details={"state": "present", "秒": 3600, "share": 1e5, "small": 0.1},
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


async def write(database: Database, cards: Cards, *entries: NewEntry) -> list[CardEntry]:
    async with database.transaction() as session:
        return await cards.append_all(session, entries)


async def all_entries(database: Database) -> Sequence[CardEntry]:
    async with database.reading() as session:
        return (
            await session.scalars(select(CardEntry).order_by(CardEntry.member_id, CardEntry.sequence))
        ).all()


async def tamper(database: Database, statement: str) -> None:
    """As somebody with the database's password would: no trigger looks, change."""
    async with database.transaction() as session:
        if database.is_sqlite:
            await session.execute(text("DROP TRIGGER IF EXISTS card_entries_no_update"))
            await session.execute(text("DROP TRIGGER IF EXISTS card_entries_no_delete"))
        else:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(statement))


async def test_entries_form_a_chain_and_read_newest_first(
    database: Database, cards: Cards, records: Records, branch: Organization, member: Member
) -> None:
    secretary = await records.account((RoleName.SECRETARY, branch), name="郑守田")
    await write(database, cards, attended(member, "m1"), attended(member, "m2"))
    await write(database, cards, attended(member, "m3", written_by=secretary.id))
    first, second, third = await all_entries(database)
    assert [entry.sequence for entry in (first, second, third)] == [1, 2, 3]
    assert (second.previous_hash, third.previous_hash) == (first.hash, second.hash)
    actor = await records.actor(member=member)
    page = await cards.list(actor, member.id, PageRequest(2))
    assert [(view.reference, view.written_by_name) for view in page.items] == [("m3", "郑守田"), ("m2", None)]
    rest = await cards.list(actor, member.id, PageRequest(2, page.next_cursor))
    assert [view.reference for view in rest.items] == ["m1"]
    assert rest.items[0].details == {"state": "present", "秒": 3600, "share": 1e5, "small": 0.1}


async def test_the_same_source_is_written_once(database: Database, cards: Cards, member: Member) -> None:
    [first] = await write(database, cards, attended(member, "m1"))
    again, other = await write(
        database,
        cards,
        attended(member, "m1", duration_seconds=1),
        attended(member, "m1", source="recording"),
    )
    assert (again.id, again.duration_seconds) == (first.id, 3600)
    assert other.sequence == 2
    twice = await write(database, cards, attended(member, "m9"), attended(member, "m9"))
    assert twice[0].id == twice[1].id
    assert len(await all_entries(database)) == 3
    assert await write(database, cards) == []


async def test_what_the_caller_takes_back_was_never_written(
    database: Database, cards: Cards, member: Member
) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await cards.append(session, attended(member, "m1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    [entry] = await write(database, cards, attended(member, "m2"))
    assert entry.sequence == 1
    assert (await cards.verify()).broken == ()


async def test_appends_at_once_never_fork_the_chain(
    database: Database, cards: Cards, records: Records, branch: Organization
) -> None:
    """Twelve meetings of the same people end at once, through two programs, people in every order."""
    people = [await records.member(branch) for _ in range(4)]
    other = Database(database.url.render_as_string(hide_password=False))

    async def end_meeting(number: int) -> None:
        order = people if number % 2 else people[::-1]
        through = other if number % 3 else database
        await write(through, cards, *(attended(member, f"meeting-{number}") for member in order))

    try:
        await asyncio.gather(*(end_meeting(number) for number in range(12)))
        await asyncio.gather(*(end_meeting(number) for number in range(12)))  # and each is told again
    finally:
        await other.dispose()
    entries = await all_entries(database)
    for member in people:
        assert [entry.sequence for entry in entries if entry.member_id == member.id] == list(range(1, 13))
    verification = await cards.verify()
    assert (verification.cards, verification.entries, verification.broken) == (4, 48, ())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE card_entries SET title = 'x'",
        "UPDATE card_entries SET title = title",
        "DELETE FROM card_entries",
    ],
)
async def test_the_database_itself_refuses_to_change_an_entry(
    database: Database, cards: Cards, member: Member, statement: str
) -> None:
    await write(database, cards, attended(member, "m1"))

    async def change() -> None:
        async with database.transaction() as session:
            await session.execute(text(statement))

    with pytest.raises(DBAPIError, match="append-only"):
        await change()
    assert len(await all_entries(database)) == 1


async def test_the_database_itself_refuses_a_fork(database: Database, cards: Cards, member: Member) -> None:
    [entry] = await write(database, cards, attended(member, "m1"))
    columns = {column.key: getattr(entry, column.key) for column in CardEntry.__table__.columns}
    fork = CardEntry(**(columns | {"id": "f" * 32, "reference": "m2"}))

    async def insert() -> None:
        async with database.transaction() as session:
            session.add(fork)

    with pytest.raises(IntegrityError):
        await insert()


CHANGES = {
    "title": "'另一个会议'",
    "duration_seconds": "9",
    "occurred_at": "'2020-01-01 00:00:00+00:00'",
    "kind": "'vote_taken_part'",
    "organization_name": "'别的支部'",
    "reference": "'m9'",
    "details": """'{"state":"late"}'""",
    "written_at": "'2020-01-01 00:00:00+00:00'",
    "id": "'ffffffffffffffffffffffffffffffff'",
    "hash": "'" + "f" * 64 + "'",
}


@pytest.mark.parametrize("column", CHANGES)
async def test_a_change_behind_the_programs_back_shows_where_it_is(
    database: Database, cards: Cards, records: Records, member: Member, column: str
) -> None:
    sound = await records.member(await records.organization())
    for number in (1, 2, 3):
        await write(database, cards, attended(member, f"m{number}"), attended(sound, f"m{number}"))
    value = CHANGES[column]
    if database.is_sqlite:
        value = value.replace("+00:00", ".000000")
    where = f"sequence = 2 AND member_id = '{member.id}'"
    await tamper(database, f"UPDATE card_entries SET {column} = {value} WHERE {where}")  # noqa: S608 - nobody's text
    verification = await cards.verify()
    assert verification.broken == (BrokenLink(member.id, 2, Fault.ENTRY_CHANGED),)
    assert (verification.cards, verification.entries) == (2, 6)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM card_entries WHERE sequence = 2", (2, Fault.ENTRY_MISSING)),
        ("DELETE FROM card_entries WHERE sequence = 1", (1, Fault.ENTRY_MISSING)),
        ("DELETE FROM card_entries WHERE sequence = 3", (3, Fault.END_MISSING)),
        ("DELETE FROM card_entries", (1, Fault.END_MISSING)),
        ("DELETE FROM card_heads", (4, Fault.END_MISSING)),
        ("UPDATE card_entries SET previous_hash = '' WHERE sequence = 2", (2, Fault.CHAIN_BROKEN)),
    ],
)
async def test_a_removal_behind_the_programs_back_shows_even_at_the_end(
    database: Database, cards: Cards, member: Member, statement: str, fault: tuple[int, Fault]
) -> None:
    await write(database, cards, *(attended(member, f"m{number}") for number in (1, 2, 3)))
    await tamper(database, statement)
    assert (await cards.verify()).broken == (BrokenLink(member.id, *fault),)


async def test_checking_tells_how_far_it_is(
    database: Database, cards: Cards, records: Records, branch: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("members.cards.service.VERIFIED_AT_ONCE", 2)
    people = [await records.member(branch) for _ in range(5)]
    await write(database, cards, *(attended(member, "m1") for member in people))
    told: list[tuple[int, int]] = []
    assert (await cards.verify(lambda done, total: told.append((done, total)))).cards == 5
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_the_canonical_form_never_changes() -> None:
    """It is a promise to every card already written: should this fail, the code is wrong and not the value."""
    entry = CardEntry(
        id="0" * 32,
        member_id="1" * 32,
        sequence=1,
        kind=CardEntryKind.MEETING_ATTENDED,
        occurred_at=EVENING,
        duration_seconds=3600,
        organization_id="2" * 32,
        organization_name="东湖村党支部",
        title="主题党日",
        source="meeting",
        reference="3" * 32,
        written_by=None,
        written_at=EVENING,
        refers_to=None,
        details={"b": 1, "a": [True, None]},
        previous_hash=FIRST,
    )
    assert entry_hash(entry) == "8ae9a6f6e59f07d24fbcf286759a02ff5f67b72a68f68d7964d7b90577f33f9b"


async def test_a_card_is_shown_to_its_owner_and_the_officers_of_both_branches_alone(
    database: Database, cards: Cards, records: Records
) -> None:
    tree = await records.tree()
    flowing = await records.member(tree.cousin, "陈雨桐", guest_of=tree.branch)
    mate = await records.member(tree.branch)
    await write(database, cards, attended(flowing, "m1"))
    for role, organization in (
        (RoleName.SECRETARY, tree.cousin),
        (RoleName.SECRETARY, tree.branch),
        (RoleName.COMMITTEE_OFFICER, tree.committee),
        (RoleName.DISTRICT_OFFICER, tree.department),
    ):
        actor = await records.actor((role, organization))
        assert len((await cards.list(actor, flowing.id)).items) == 1
    for actor, kind in (
        (await records.actor((RoleName.SECRETARY, tree.sibling)), Kind.NOT_FOUND),
        (await records.actor((RoleName.RESIDENT, tree.department)), Kind.NOT_FOUND),
        (await records.actor(member=mate), Kind.FORBIDDEN),
    ):
        with pytest.raises(Problem) as caught:
            await cards.list(actor, flowing.id)
        assert caught.value.kind is kind
    with pytest.raises(Problem, match="not_found"):
        await cards.list(actor, "f" * 32)


async def test_heads_stand_where_the_chains_end(database: Database, cards: Cards, member: Member) -> None:
    _, last = await write(database, cards, attended(member, "m1"), attended(member, "m2"))
    async with database.reading() as session:
        head = await session.get_one(CardHead, member.id)
    assert (head.sequence, head.hash) == (2, last.hash)
