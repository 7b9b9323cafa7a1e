"""Chapters stand where things happened, whatever somebody does to the server's clock meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest

from recordings.compose.brief import AgendaMark, Brief
from recordings.compose.chapters import find_chapters
from recordings.compose.story import TITLE_SECONDS, read_story
from recordings.compose.texts import FilmTexts
from recordings.tracks import TrackSource
from tests.recordings.meetings import Meeting, track
from tests.recordings.publishers import Publisher, silence

LENGTH = 50.0
SETS = [timedelta(0), timedelta(hours=2), timedelta(minutes=-10), timedelta(seconds=-15)]


def hold(
    folder: Path,
    number: int,
    clock_set: timedelta,
    away: timedelta = timedelta(),
    *,
    boot: str = "",
    later: float = 0.0,
) -> list[AgendaMark]:
    """50 s, in which an item begins after 12 s, the clock is set after 20, and another item begins after 32."""
    sound = Publisher().audio(silence, LENGTH)
    meeting = Meeting(folder, number, away, boot=boot, later=later)
    meeting.join((track(sound, "a", TrackSource.MICROPHONE), sound))
    meeting.run(12.0)
    first = meeting.mark()
    meeting.run(20.0)
    meeting.clock_set = clock_set
    meeting.run(32.0)
    second = meeting.mark()
    meeting.run(LENGTH)
    meeting.end()
    return [AgendaMark(at.isoformat(), f"{number}.{item}") for item, at in ((1, first), (2, second))]


def chapters(folder: Path, marks: list[AgendaMark]) -> dict[str, float]:
    brief = Brief(title="主题党日", marks=tuple(marks))
    found = find_chapters(read_story(folder, brief), brief, FilmTexts("zh-CN"))
    return {chapter.title: chapter.start_seconds for chapter in found[1:]}


@pytest.mark.parametrize("clock_set", SETS, ids=str)
def test_an_item_is_where_it_began_however_the_clock_was_set(tmp_path: Path, clock_set: timedelta) -> None:
    found = chapters(tmp_path, hold(tmp_path, 1, clock_set))
    assert found == {
        "1.1": pytest.approx(TITLE_SECONDS + 12, abs=0.2),
        "1.2": pytest.approx(TITLE_SECONDS + 32, abs=0.2),
    }


@pytest.mark.parametrize("clock_set", SETS, ids=str)
def test_after_a_restart_too_and_the_interruption_is_as_long_as_it_was(
    tmp_path: Path, clock_set: timedelta
) -> None:
    marks = hold(tmp_path, 1, clock_set)
    marks += hold(tmp_path, 2, timedelta(hours=-1), clock_set + timedelta(seconds=LENGTH + 95))
    found = chapters(tmp_path, marks)
    away = TITLE_SECONDS + LENGTH
    interruption = next(title for title in found if title.startswith("录制中断 1 分 "))
    assert int(interruption.split()[3]) == pytest.approx(95 - 60, abs=1)
    assert found == {
        "1.1": pytest.approx(TITLE_SECONDS + 12, abs=0.2),
        "1.2": pytest.approx(TITLE_SECONDS + 32, abs=0.2),
        interruption: pytest.approx(away, abs=0.2),
        "2.1": pytest.approx(away + 3 + 12, abs=0.2),
        "2.2": pytest.approx(away + 3 + 32, abs=0.2),
    }


@pytest.mark.parametrize(
    "away", [timedelta(seconds=-1), timedelta(hours=30), timedelta(days=-365 * 6)], ids=str
)
def test_a_clock_that_is_set_while_the_server_is_down_makes_the_interruption_no_longer(
    tmp_path: Path, away: timedelta
) -> None:
    """As long as the machine runs on, its monotonic clock tells; a machine that was begun anew has the other alone."""
    marks = hold(tmp_path, 1, timedelta(0), boot="one")
    marks += hold(tmp_path, 2, timedelta(0), away, boot="one", later=LENGTH + 25)
    found = chapters(tmp_path, marks)
    assert list(found) == ["1.1", "1.2", "录制中断 25 秒", "2.1", "2.2"]
    assert found["2.1"] == pytest.approx(TITLE_SECONDS + LENGTH + 3 + 12, abs=0.2)


def test_after_the_machine_was_begun_anew_the_clock_tells_how_long_it_was_away(tmp_path: Path) -> None:
    marks = hold(tmp_path, 1, timedelta(0), boot="one")
    hold(tmp_path, 2, timedelta(0), timedelta(seconds=LENGTH + 40), boot="two", later=-1_000)
    assert "录制中断 40 秒" in chapters(tmp_path, marks)


def test_items_that_began_while_a_rooms_time_stood_still_are_where_each_began(tmp_path: Path) -> None:
    """The clock is set back by an hour: for so long everything has the time of what came before."""
    sound = Publisher().audio(silence, LENGTH)
    meeting = Meeting(tmp_path)
    meeting.join((track(sound, "a", TrackSource.MICROPHONE), sound))
    at = meeting.clock()
    for second in (12.0, 24.0, 36.0):
        meeting.run(second)
        meeting.capture.mark(at, meeting.now_us)
    meeting.run(LENGTH)
    meeting.end()
    found = chapters(tmp_path, [AgendaMark(at.isoformat(), title) for title in "abc"])
    assert found == {
        title: pytest.approx(TITLE_SECONDS + second, abs=0.2)
        for title, second in (("a", 12), ("b", 24), ("c", 36))
    }


def forget(folder: Path, *numbers: int) -> None:
    """Capture did not hear of these of the marks in the journals, in order."""
    number = 0
    for journal in sorted(folder.glob("*/journal.jsonl")):
        kept = []
        for line in journal.read_text().splitlines(keepends=True):
            number += '"mark"' in line
            if '"mark"' not in line or number not in numbers:
                kept.append(line)
        journal.write_text("".join(kept))


@pytest.mark.parametrize("away", [timedelta(days=-365 * 6), timedelta(days=365 * 6)], ids=str)
@pytest.mark.parametrize("unheard", [1, 2, 3, 4])
def test_an_item_that_capture_did_not_hear_of_keeps_its_place_among_the_others(
    tmp_path: Path, away: timedelta, unheard: int
) -> None:
    marks = hold(tmp_path, 1, timedelta(hours=-2), boot="one")
    marks += hold(tmp_path, 2, timedelta(hours=2), away, boot="one", later=LENGTH + 25)
    forget(tmp_path, unheard)
    found = chapters(tmp_path, marks)
    order = [title for title in found if not title.startswith("录制中断")]
    assert order == [title for title in ("1.1", "1.2", "2.1", "2.2") if title in found]
    assert len(order) >= 3


def test_an_item_that_capture_did_not_hear_of_is_where_the_clock_says(tmp_path: Path) -> None:
    marks = hold(tmp_path, 1, timedelta(0))
    forget(tmp_path, 1, 2)
    assert chapters(tmp_path, marks) == {
        "1.1": pytest.approx(TITLE_SECONDS + 12, abs=0.2),
        "1.2": pytest.approx(TITLE_SECONDS + 32, abs=0.2),
    }


@pytest.mark.parametrize("at", ['"2026-11-23T12:00:09"', '"soon"', "7", "null", "[]"])
@pytest.mark.parametrize("event", ["mark", "clock"])
def test_a_line_that_is_none_changes_nothing(tmp_path: Path, event: str, at: str) -> None:
    marks = hold(tmp_path, 1, timedelta(0))
    before = chapters(tmp_path, marks)
    with next(tmp_path.glob("*/journal.jsonl")).open("a") as journal:
        journal.write(f'{{"event":"{event}","at":{at},"us":5009000000}}\n')
    assert chapters(tmp_path, marks) == before
