"""From what was captured to who stands where when."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.capture.journal import JOURNAL_NAME, read_lines
from recordings.compose.scan import Span
from recordings.compose.scenes import frame_at, make_scenes
from recordings.compose.segments import read_segment
from recordings.compose.story import Clip, Interruption, Story
from recordings.tracks import TrackSource


def clip(key: str, source: TrackSource, *spans: Span, peer: str | None = None) -> Clip:
    return Clip(key, Path(key), source, peer or key, key, float, spans)


def told(story: Story) -> list[tuple[int, int, list[str | None]]]:
    return [(scene.begin, scene.end, [tile.key for tile in scene.tiles]) for scene in make_scenes(story)]


CAMERA, MICROPHONE, SCREEN = TrackSource.CAMERA, TrackSource.MICROPHONE, TrackSource.SCREEN


def test_scenes_change_when_somebody_comes_or_goes() -> None:
    story = Story((clip("a", CAMERA, (0, 4)), clip("b", CAMERA, (1, 2), (3, 4))), (), 4.0, None)
    assert told(story) == [(0, 25, ["a"]), (25, 50, ["a", "b"]), (50, 75, ["a"]), (75, 100, ["a", "b"])]


def test_sound_alone_changes_nothing_in_the_picture() -> None:
    story = Story((clip("a", CAMERA, (0, 4)), clip("m", MICROPHONE, (1, 2))), (), 4.0, None)
    assert told(story) == [(0, 100, ["a"])]


def test_people_with_several_microphones_have_one_card() -> None:
    story = Story(
        (clip("m", MICROPHONE, (0, 2), peer="p"), clip("n", MICROPHONE, (0, 2), peer="p")), (), 2.0, None
    )
    assert told(story) == [(0, 50, ["p"])]


def test_a_screen_takes_the_stage_while_it_is_shared() -> None:
    story = Story((clip("a", CAMERA, (0, 3)), clip("s", SCREEN, (1, 2))), (), 3.0, None)
    assert told(story) == [(0, 25, ["a"]), (25, 50, ["s", "a"]), (50, 75, ["a"])]


def test_an_interruption_has_the_stage_for_itself() -> None:
    away = Interruption((1.0, 4.0), 95.0)
    scenes = make_scenes(Story((clip("a", CAMERA, (0, 1)), clip("b", CAMERA, (4, 5))), (away,), 5.0, None))
    assert [(scene.begin, scene.end, scene.interruption) for scene in scenes] == [
        (0, 25, None), (25, 100, away), (100, 125, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "frame"), [(0.0, 0), (0.04, 1), (0.0400001, 1), (0.041, 2), (-1.0, 0), (3600, 90_000)]
)
def test_frames(seconds: float, frame: int) -> None:
    assert frame_at(seconds) == frame


spans = st.lists(
    st.tuples(st.floats(0, 20), st.floats(0, 20)).map(lambda pair: (min(pair), max(pair))),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(TrackSource)), spans), max_size=6))
def test_scenes_follow_each_other_without_gaps(tracks: list[tuple[TrackSource, list[Span]]]) -> None:
    clips = tuple(clip(f"c{index}", source, *each) for index, (source, each) in enumerate(tracks))
    story = Story(clips, (), 20.0, None)
    scenes = make_scenes(story)
    assert (scenes[0].begin, scenes[-1].end) == (0, 500)
    for one, other in itertools.pairwise(scenes):
        assert one.end == other.begin
        assert one.tiles != other.tiles


LINE = {"event": "segment", "version": 1, "startedAt": "2026-11-23T12:00:00+00:00", "us": 10}
TRACK = {
    "event": "track", "track": 1, "file": "a.mkv", "codec": "vp8", "clockRate": 90_000, "source": "camera",
    "peerId": "p", "displayName": "张三", "us": 1_000_010,
}  # fmt: skip


def journal(folder: Path, *lines: object) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / JOURNAL_NAME).write_text("\n".join(texts))
    return folder


def test_a_journal_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    anchor = {"event": "anchor", "track": 1, "position": 90_000, "us": 2_000_010}
    segment = read_segment(journal(tmp_path, LINE, TRACK, anchor, '{"event":"anchor","track":1,"posi'))
    assert segment is not None
    track = segment.tracks[1]
    assert (track.begun, track.anchors, track.display_name) == (1.0, [(1.0, 2.0)], "张三")
    assert segment.ended is None


@pytest.mark.parametrize(
    "line",
    [
        {**TRACK, "file": "../../etc/passwd"}, {**TRACK, "clockRate": 0}, {**TRACK, "clockRate": True},
        {**TRACK, "source": "smell"}, {**TRACK, "us": 1e400}, {"event": "anchor", "track": 7, "position": 1, "us": 1},
        {"event": "end", "failure": "bored"}, {"event": 7}, [], 7, None, "", "[" * 5_000, "\x00",
    ],
)  # fmt: skip
def test_lines_that_make_no_sense_are_left_out(tmp_path: Path, line: object) -> None:
    segment = read_segment(journal(tmp_path, LINE, line, {**TRACK, "track": 2}))
    assert segment is not None
    assert list(segment.tracks) == [2]


def test_a_journal_that_does_not_begin_is_none(tmp_path: Path) -> None:
    assert read_segment(tmp_path) is None
    assert read_segment(journal(tmp_path, TRACK)) is None
    assert read_segment(journal(tmp_path, {**LINE, "startedAt": "2026-11-23T12:00:00"})) is None


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_journal_or_none(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / JOURNAL_NAME).write_bytes(json.dumps(LINE).encode() + b"\n" + data)
    list(read_lines(folder))
    assert read_segment(folder) is not None
