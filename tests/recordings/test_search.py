"""Full-text search without word breaks: the terms, and the index on both databases."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from database import Database, PageRequest, new_id
from errors import Problem
from members.policy import Actor, RoleName
from recordings import repository
from recordings.library import Library
from recordings.models import Recording
from recordings.requests import RecordingsFilter
from recordings.searching.index import found, index_some, to_index
from recordings.searching.models import RecordingTerm, RecordingText
from recordings.searching.terms import MOST_TERMS, TERM_LENGTH, matches, normal, sought, terms
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from recordings.storage.shelf import Shelf
from rooms.attendance.models import PresenceInterval
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind, MeetingState
from rooms.persons import member_key
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS
from tests.recordings.conftest import MakeMeeting

TEXT = normal("十一月主题党日：学习《党章》\n东湖村党支部 王秀英 第3组 Zoom-Lecture ＡＢＣ 100%_sure")


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("党日", True), ("主题党日", True), ("党", True), ("部", True), ("日", True), ("王秀英", True), ("秀英", True),
        ("东湖 党章", True), ("lect", True), ("ecture", False), ("abc", True), ("ＡＢ", True), ("第3组", True),
        ("3组", True), ("zoom-lecture", True), ("100%", True), ("月题", False), ("东湖 西湖", False), ("湖东", False),
        ("党日章", False),
        ("日学", False), ("日：学习", True), ("王英", False), ("0%_s", False),
    ],
)  # fmt: skip
def test_words_are_found_where_they_stand(query: str, *, there: bool) -> None:
    assert matches(TEXT, sought(query)) is there


@pytest.mark.parametrize("query", ["", " ", "，。！", "%%%", "\x00", "___", "-->"])
def test_signs_alone_are_nothing_to_look_for(query: str) -> None:
    assert sought(query).is_nothing


@given(st.text(max_size=60), st.data())
def test_every_piece_of_chinese_is_found(text: str, data: st.DataObject) -> None:
    whole = normal(text + "东湖村党支部主题党日")
    start = data.draw(st.integers(len(whole) - 9, len(whole) - 1))
    assert matches(whole, sought(whole[start : data.draw(st.integers(start + 1, len(whole)))]))


@given(st.text(max_size=500), st.text(max_size=200))
def test_any_text_has_terms_and_any_query_an_answer(text: str, query: str) -> None:
    own = terms(normal(text))
    assert all(0 < len(term) <= TERM_LENGTH for term in own)
    wanted = sought(query)
    assert (
        wanted.is_nothing or matches(normal(query[:100]), wanted) or len(query) > 80 or " " in normal(query)
    )


def test_a_text_of_any_length_has_a_bounded_number_of_terms() -> None:
    assert len(terms("".join(chr(0x4E00 + at) for at in range(20_000)))) == MOST_TERMS


async def put(database: Database, meeting: Meeting, clock: FakeClock, *names: str, agenda: str = "") -> str:
    async with database.transaction() as session:
        row = repository.add(session, meeting, clock())
        row.state, row.ended_at, row.duration_seconds = RecordingState.READY, clock(), 60.0
        kept = await session.get_one(Meeting, meeting.id)
        kept.agenda = agenda
        for name in names:
            session.add(
                PresenceInterval(
                    id=new_id(),
                    meeting_id=meeting.id,
                    person_key=member_key(name),
                    name=name,
                    opened_at=clock(),
                    last_seen_at=clock(),
                    closed=True,
                )
            )
    clock.advance(1)
    return row.id


async def test_the_index_says_what_the_rules_say_on_both_databases(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    first = await put(
        database, await make_meeting(), clock, "王秀英", "O'Neil", agenda="一、学习党章 100%_sure"
    )
    second = await put(
        database, await make_meeting(MeetingKind.LECTURE), clock, "李大明", agenda="Climate 气候"
    )
    live = await make_meeting()
    async with database.transaction() as session:
        repository.add(session, live, clock())
    for expected in (2, 0):
        async with database.transaction() as session:
            indexed = await index_some(session, await to_index(session, "", 100))
            assert len(indexed) == expected, "once, and not what is still going on"
    async with database.reading() as session:
        texts = {row.recording_id: row.text for row in await session.scalars(select(RecordingText))}
        for query in (
            "党章",
            "主题党日",
            "王秀英 党章",
            "李",
            "clim",
            "o'neil",
            "100%_s",
            "气候",
            "湖村",
            "无此",
            "村东",
        ):
            ids = set(await session.scalars(select(Recording.id).where(found(sought(query)))))
            assert ids == {key for key, text in texts.items() if matches(text, sought(query))}, query
        assert set(texts) == {first, second}
        assert await session.scalar(select(RecordingTerm.term).where(RecordingTerm.term == "党章"))


async def test_what_somebody_is_changing_is_indexed_when_he_is_done(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    """Else a name that he takes away, or all of a recording that he deletes, would come in behind him."""
    if database.is_sqlite:
        pytest.skip("one writer at a time")
    changed, other = [await put(database, await make_meeting(), clock) for _ in range(2)]
    done = asyncio.Event()

    async def change() -> None:
        async with database.transaction() as session:
            assert await repository.with_organization(session, changed, lock=True) is not None
            locked.set()
            await done.wait()

    locked = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(change())
        await locked.wait()
        async with asyncio.timeout(PATIENCE_SECONDS), database.transaction() as session:
            assert await index_some(session, await to_index(session, "", 100)) == [other]
            assert list(await session.scalars(select(RecordingText.recording_id))) == [other]
        done.set()


async def test_the_library_is_narrowed_by_everything_one_knows(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    records: Records,
    tree: Tree,
    settings: RecordingSettings,
) -> None:
    library = Library(database, Shelf(settings.folder, None), clock)
    officer: Actor = await records.actor((RoleName.DISTRICT_OFFICER, tree.department))
    person = await records.member(tree.branch)
    ended = MeetingState.ENDED
    first = await put(database, await make_meeting(state=ended), clock, person.id)
    between = clock()
    second = await put(
        database, await make_meeting(MeetingKind.LECTURE, ended, organization_id=tree.cousin.id), clock
    )
    async with database.transaction() as session:
        await index_some(session, await to_index(session, "", 100))

    async def ids(**wanted: object) -> list[str]:
        page = await library.list(officer, PageRequest(), RecordingsFilter(**wanted))  # type: ignore[arg-type]
        return [view.id for view in page.items]

    assert await ids() == [second, first]
    assert await ids(organization_id=tree.committee.id) == [first]
    assert await ids(organization_id=tree.department.id) == [second, first]
    assert await ids(kind=MeetingKind.LECTURE) == [second]
    assert await ids(from_=between) == [second]
    assert await ids(to=between) == [first]
    assert await ids(member_id=person.id) == [first]
    assert await ids(query="河西社区") == [second]
    assert await ids(query="党日", kind=MeetingKind.THEME_DAY) == [first]
    assert await ids(query="党日", organization_id=tree.sibling.id) == []
    member = await records.actor(member=await records.member(tree.branch))
    for wanted in (RecordingsFilter(organization_id=tree.cousin.id), RecordingsFilter(member_id="0" * 32)):
        with pytest.raises(Problem) as refused:
            await library.list(member, PageRequest(), wanted)
        assert refused.value.code == "not_found"
    with pytest.raises(Problem) as refused:
        await ids(query="！！")
    assert refused.value.code == "nothing_to_look_for"
