"""Who speaks when, told from levels; and where a film can be entered."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from recordings.compose.brief import AgendaMark, Brief, read_brief, write_brief
from recordings.compose.chapters import find_chapters
from recordings.compose.loudness import RATE, Leveller
from recordings.compose.speech import Speech, Turn, find_turns
from recordings.compose.story import Clip, Interruption, Story, Stretch
from recordings.compose.texts import FilmTexts
from recordings.renditions import Chapter
from recordings.tracks import TrackSource
from tests.recordings.meetings import STARTED

LOUD, QUIET = -23.0, -100.0


def levels(*stretches: tuple[float, float]) -> np.ndarray:
    """(dB, seconds) one after the other."""
    return np.concatenate([np.full(round(seconds * 10), level, np.float32) for level, seconds in stretches])


def who(turns: tuple[Turn, ...]) -> list[str]:
    return [turn.peer_id for turn in turns]


def test_one_after_the_other_has_a_turn() -> None:
    turns = find_turns({"a": levels((LOUD, 5), (QUIET, 10)), "b": levels((QUIET, 8), (LOUD, 5), (QUIET, 2))})
    assert who(turns) == ["a", "b"]
    assert turns[0].begin == pytest.approx(0, abs=0.5)
    assert turns[0].end == pytest.approx(5, abs=0.5)
    assert turns[1].begin == pytest.approx(8, abs=0.5)


def test_a_breath_does_not_end_a_turn() -> None:
    assert who(find_turns({"a": levels((LOUD, 3), (QUIET, 1), (LOUD, 3))})) == ["a"]


@pytest.mark.parametrize("interruption", [0.1, 0.2])
def test_a_cough_is_no_speech(interruption: float) -> None:
    coughs = levels((QUIET, 3), (-10.0, interruption), (QUIET, 3))
    assert who(find_turns({"a": levels((LOUD, 6.2)), "b": coughs})) == ["a"]


def test_silence_is_nobodys_turn() -> None:
    assert find_turns({}) == ()
    assert find_turns({"a": levels((QUIET, 5))}) == ()
    speech = Speech((Turn(1.0, 2.0, "a"), Turn(3.0, 5.0, "b")))
    assert [speech.speaker_at(at) for at in (0.5, 1.0, 1.9, 2.0, 3.0, 5.0)] == [
        None,
        "a",
        "a",
        None,
        "b",
        None,
    ]
    assert speech.loudest(0, 10) == ("b", "a")
    assert speech.loudest(1.5, 3.2) == ("a", "b")
    assert speech.loudest(6, 10) == ()


@pytest.mark.parametrize("amplitude", [0.02, 0.1, 0.5])
def test_a_voice_is_brought_to_the_loudness_of_others(amplitude: float) -> None:
    leveller = Leveller()
    times = np.arange(RATE) / RATE
    second = np.repeat((amplitude * np.sin(2 * np.pi * 300 * times))[:, None], 2, 1).astype(np.float32)
    out = [leveller.process(second)[0] for _ in range(5)][-1]
    assert 10 * np.log10((out**2).mean()) == pytest.approx(-23.0, abs=0.5)


def test_a_room_without_a_voice_is_not_made_louder() -> None:
    noise = np.full((RATE, 2), 0.001, np.float32)
    assert Leveller().process(noise)[0] is noise


def clip(source: TrackSource, *spans: tuple[float, float]) -> Clip:
    return Clip("k", Path("k"), source, "p", "李秀英", float, spans)


def story() -> Story:
    return Story(
        (clip(TrackSource.SCREEN, (50.0, 55.0), (60.0, 100.0)),),
        (Interruption((200.0, 203.0), 750.0),),
        400.0,
        None,
        (0.0, 4.0),
        (Stretch(STARTED, 4.0, 200.0), Stretch(STARTED + timedelta(seconds=946), 203.0, 400.0)),
    )


def test_chapters_are_what_was_written_and_what_happened() -> None:
    marks = tuple(
        AgendaMark((STARTED + timedelta(seconds=at)).isoformat(), title)
        for at, title in ((58.0, "一、学习"), (500.0, "二、讨论"), (1_000.0, "三、\n表决"), (9_999.0, "太晚"))
    )
    found = find_chapters(story(), Brief(title="主题党日", marks=marks), FilmTexts("zh-CN"))
    assert found == (
        Chapter(0.0, "主题党日"),
        Chapter(62.0, "一、学习"),  # and not the screen two seconds before it
        Chapter(203.0, "二、讨论"),  # begun while nothing was captured: where it went on
        Chapter(257.0, "三、 表决"),
    )


def test_without_an_agenda_there_are_screens_and_interruptions() -> None:
    found = find_chapters(story(), Brief(), FilmTexts("zh-CN"))
    assert found == (
        Chapter(0.0, "开始"),
        Chapter(60.0, "李秀英 共享屏幕"),
        Chapter(200.0, "录制中断 12 分 30 秒"),
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 秒"),
        (59.6, "1 分 0 秒"),
        (95, "1 分 35 秒"),
        (3_600, "1 小时 0 分 0 秒"),
        (7_325, "2 小时 2 分 5 秒"),
    ],
)
def test_lengths_are_written_out(seconds: float, text: str) -> None:
    assert FilmTexts("zh-CN").length(seconds) == text


def test_a_brief_is_read_as_it_was_written() -> None:
    brief = Brief(
        "题",
        "支部",
        "今天",
        "en",
        (AgendaMark("2026-11-23T12:00:00+00:00", "一"),),
        hls_seconds=0.0,
    )
    assert read_brief(write_brief(brief)) == brief


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"7", b'{"marks": 7}', b"\xff", b"[" * 10_000])
def test_anything_else_is_no_brief(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_brief(line)
