"""What becomes of captured files out of which something is missing: the rest is saved, and what is missing is said."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from recordings.capture.codecs.frames import Frame
from recordings.capture.codecs.registry import find_codec
from recordings.capture.matroska import MatroskaTrack
from recordings.compose.brief import Brief, Wish
from recordings.compose.composer import NothingToCompose
from recordings.compose.scan import scan
from recordings.compose.story import read_story
from recordings.losses import Lack, Loss, bounded, lacks, losses_in, losses_out, told_apart
from recordings.states import Failure
from recordings.tracks import TrackSource
from tests.recordings.av1 import Colour
from tests.recordings.films import overwrite
from tests.recordings.meetings import Meeting, composed, track, watch
from tests.recordings.publishers import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    BrokenTap,
    MemoryTap,
    Publisher,
    Stream,
    sine,
)

SECONDS = 5.5
CHANGE = 4.6
DAMAGE = (2.4, 3.6)
AT = "2026-11-23T12:00:00+00:00"


def changing(before: Colour, after: Colour) -> Callable[[float], Colour]:
    return lambda at: before if at < CHANGE else after


def changing_tone(at: np.ndarray) -> np.ndarray:
    return np.where(at < CHANGE, sine(440)(at), sine(880)(at))


def held(folder: Path, *, cameras: int = 2) -> Meeting:
    """Cameras of two codecs, which change their colour near the end, each with a microphone, which changes its tone."""
    meeting = Meeting(folder)
    for index, (codec, colours) in enumerate((("vp8", (RED, GREEN)), ("h264", (BLUE, YELLOW)))[:cameras]):
        person = Publisher(ntp=index * 100.0)
        video = person.video(changing(*colours), SECONDS, codec=codec, key_frames=range(0, 137, 20))
        audio = person.audio(changing_tone, SECONDS)
        meeting.join(
            (track(video, f"p{index}", TrackSource.CAMERA), video),
            (track(audio, f"p{index}", TrackSource.MICROPHONE), audio),
        )
    meeting.run()
    meeting.end()
    return meeting


def packets(path: Path, begin: float, end: float) -> Iterator[tuple[int, int]]:
    """Where in the file, and how long, the frames between two seconds are."""
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.pts is not None and begin <= packet.pts * packet.time_base < end:
                assert packet.pos is not None
                yield packet.pos, packet.size


def test_what_comes_after_a_damaged_stretch_is_in_the_film_and_the_damage_is_said(tmp_path: Path) -> None:
    meeting = held(tmp_path)
    files = sorted(meeting.segment_folder.glob("*.mkv"))
    for path in files[:2]:  # as a disk leaves them that lost what it had not written
        places = list(packets(path, *DAMAGE))
        overwrite(path, places[0][0], bytes(places[-1][0] - places[0][0]))
    for path in files[2:]:  # blocks are whole, and there is neither picture nor sound in them
        for place, size in packets(path, *DAMAGE):
            overwrite(path, place + 4, b"\xff" * size)
    result, path = composed(tmp_path)
    assert result.failure is Failure.CAPTURE_UNREADABLE
    assert [(loss.track, loss.kind, loss.name) for loss in result.losses] == [
        ("segment-0001/1", "camera", "p0"), ("segment-0001/2", "microphone", "p0"),
        ("segment-0001/3", "camera", "p1"), ("segment-0001/4", "microphone", "p1"),
    ]  # fmt: skip
    assert all(1.0 < (loss.seconds or 0) < 2.6 for loss in result.losses), result.losses
    for loss in result.losses:
        begin, end = loss.spans[0][0], loss.spans[-1][1]
        assert begin == pytest.approx(DAMAGE[0], abs=0.15)
        assert loss.seconds == pytest.approx(end - begin, abs=0.1)
    assert result.duration == pytest.approx(SECONDS, abs=0.7)
    film = watch(path)
    for at, colours in ((1.5, (RED, BLUE)), (5.2, (GREEN, YELLOW))):
        assert all(film.share(colour, at) > 0.2 for colour in colours)
    assert film.loudness(440, 0.5, 2.0) > 0.1
    assert film.loudness(880, 4.8, 5.4) > 0.1


def test_a_film_that_lacks_what_could_not_be_captured_says_so(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    sound = Publisher().audio(sine(440), 0.6)
    broken = Stream(BrokenTap("opus", 48_000, 111), [])
    meeting.join(
        (track(sound, "a", TrackSource.MICROPHONE), sound),
        (track(broken, "b", TrackSource.MICROPHONE), broken),
    )
    for _ in range(2):  # he turns it off and on again
        camera = Stream(MemoryTap("video/H265", 90_000, 45), [])
        meeting.join((track(camera, "c", TrackSource.CAMERA), camera))
    meeting.capture.lose(TrackSource.SCREEN, "guest:d", "丁", "too_many_taps", meeting.now_us)
    meeting.run()
    meeting.end()
    lost = (
        Loss("segment-0001/3", "camera", "video/H265 cannot be captured", name="c", person="guest:c"),
        Loss("segment-0001/5", "screen", "too_many_taps", name="丁", person="guest:d"),
        Loss("segment-0001/2", "microphone", "capture failed: RuntimeError", name="b", person="guest:b"),
    )
    result, _ = composed(tmp_path)
    assert result.failure is Failure.TRACK_LOST
    assert tuple(replace(loss, spans=()) for loss in result.losses) == lost
    for loss in result.losses:  # from the first packet of what could be captured, to the end
        assert np.array(loss.spans) == pytest.approx(np.array([(0.0, result.duration)]), abs=0.2)
    nobody_seen = Brief(wishes=tuple(Wish(f"guest:{who}", hidden=True, at=AT) for who in "cd"))
    missed = read_story(tmp_path, nobody_seen).uncaptured
    assert [loss.kind for loss in missed] == ["screen", "microphone"], "a screen is to be in it all the same"


def test_of_a_meeting_of_which_nothing_could_be_captured_nobody_says_that_nothing_was_to_be(
    tmp_path: Path,
) -> None:
    meeting = Meeting(tmp_path)
    meeting.capture.lose(TrackSource.MICROPHONE, "guest:a", "甲", "too_many_taps", meeting.now_us)
    meeting.end()
    with pytest.raises(NothingToCompose) as found:
        composed(tmp_path)
    assert found.value.failure is Failure.TRACK_LOST


def test_a_picture_with_a_hole_is_none(tmp_path: Path) -> None:
    """Its block is whole, and a decoder would draw something."""
    path = tmp_path / "camera.mkv"
    codec = find_codec("VP8")
    assert codec is not None
    chance = random.Random(1)  # noqa: S311 - the same every time
    frames = [Frame(chance.randbytes(2_000), key=index % 5 == 0, size=(160, 90)) for index in range(10)]
    file = MatroskaTrack(path, codec, 90_000, frames[0])
    for index, frame in enumerate(frames):
        file.add(frame, index * 3_600)
    file.close()
    whole = scan(path, 5.0)
    assert (whole.packets, whole.torn) == (10, ())
    ((place, _),) = packets(path, 0.23, 0.25)
    overwrite(path, place + 700, bytes(512))
    torn = scan(path, 5.0)
    assert torn.packets == 9
    assert np.array(torn.torn) == pytest.approx(np.array([(0.2, 0.28)]))


def test_what_was_written_once_and_is_not_there_any_more_is_lost(tmp_path: Path) -> None:
    meeting = held(tmp_path, cameras=1)
    story = read_story(tmp_path)
    assert [clip.lost for clip in story.clips] == [(), ()]
    assert story.losses == ()
    for path in meeting.segment_folder.glob("*.mkv"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for clip in read_story(tmp_path).clips:
        ((begin, end),) = clip.lost
        assert 1.5 < begin < 3.5
        assert end == pytest.approx(SECONDS, abs=0.1)
    (meeting.segment_folder / "0001-camera.mkv").unlink()
    story = read_story(tmp_path)
    (gone,) = story.losses
    assert (gone.cause, gone.name, gone.person) == ("there is no file", "p0", "guest:p0")
    assert np.array(gone.spans) == pytest.approx(np.array([(0.0, story.duration)]), abs=0.01), "all of it"


def test_nobody_misses_the_camera_of_who_asked_not_to_be_in_the_picture(tmp_path: Path) -> None:
    meeting = held(tmp_path)
    hidden = Brief(wishes=(Wish("guest:p0", hidden=True, at=AT),))
    (meeting.segment_folder / "0001-camera.mkv").write_bytes(b"nothing that anybody reads")
    (meeting.segment_folder / "0002-microphone.mkv").unlink()
    assert [loss.kind for loss in read_story(tmp_path).losses] == ["microphone", "camera"]
    assert [loss.kind for loss in read_story(tmp_path, hidden).losses] == ["microphone"]


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        ([], ()),
        ([(5.0, 6.0), (1.0, 2.0), (1.5, 3.0)], ((1.0, 3.0), (5.0, 6.0))),
        ([(-2.0, -1.0), (-1.0, 1.0)], ((0.0, 1.0),)),
        ([(4.0, 4.0)], ((4.0, 4.0),)),
        ([(0.0, 1.0), (9.0, 10.0), (2.0, 3.0), (20.0, 21.0)], ((0.0, 3.0), (9.0, 10.0), (20.0, 21.0))),
    ],
)
def test_places_are_in_order_and_few(
    spans: list[tuple[float, float]], told: tuple[tuple[float, float], ...]
) -> None:
    assert bounded(spans, most=3) == told


@pytest.mark.parametrize(
    "spans", [[[1.0]], [[3.0, 2.0]], [[-1.0, 2.0]], [[0.0, float("inf")]], [["x", 1.0]], 7]
)
def test_places_that_nobody_wrote_are_refused(spans: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        losses_in([{"track": "t", "kind": "camera", "cause": "damaged", "seconds": 2.0, "spans": spans}])


def test_people_are_told_of_each_person_and_kind_once_and_of_the_longest_first() -> None:
    losses = (
        Loss("segment-0001/1", "microphone", "damaged", 2.0, "李秀兰", ((5.0, 7.0),)),
        Loss("segment-0001/2", "camera", "damaged", 5.0, "李秀兰"),
        Loss("segment-0002/1", "microphone", "damaged", 4.0, "李秀兰", ((1.0, 3.0), (6.0, 8.0))),
        Loss("segment-0001/3", "camera", "damaged", 3.0, "王德顺"),
        Loss("segment-0002/2", "camera", "SIGSEGV", name="王德顺"),
        Loss("segment-0003", "journal", "not to be read"),
    )
    assert lacks(losses) == (
        Lack("王德顺", "camera", None),
        Lack("", "journal", None),
        Lack("李秀兰", "microphone", 6.0, ((1.0, 3.0), (5.0, 8.0))),
        Lack("李秀兰", "camera", 5.0),
    )
    assert losses_in(losses_out(losses)) == losses
    older = [{"track": "segment-0001/1", "kind": "camera", "cause": "damaged", "seconds": 2.0}]
    assert losses_in(older) == (Loss("segment-0001/1", "camera", "damaged", 2.0),)


def test_two_people_of_one_name_are_two_and_known_by_their_branches_or_numbers() -> None:
    losses = [
        Loss(f"segment-0001/{number}", "camera", "damaged", 9.0 - number, name, person=person)
        for number, (person, name) in enumerate(
            [
                ("member:east", "王芳"), ("member:west", "王芳"), ("guest:a", "李娜"), ("guest:b", "李娜"),
                ("member:e1", "陈静"), ("member:e2", "陈静"), ("member:alone", "赵敏"), ("", ""), ("guest:c", ""),
            ]
        )
    ]  # fmt: skip
    losses += [replace(losses[0], track="segment-0002/1", kind="microphone", seconds=0.5)]
    words = {"member:east": "东湖支部", "member:west": "西湖支部", "member:alone": "东湖支部"}
    words |= {"member:e1": "东湖支部", "member:e2": "东湖支部"}
    told = [(one.name, one.apart, one.seconds) for one in told_apart(lacks(losses), words)]
    assert told == [
        ("王芳", "东湖支部", 9.0), ("王芳", "西湖支部", 8.0), ("李娜", "1", 7.0), ("李娜", "2", 6.0),
        ("陈静", "东湖支部 1", 5.0), ("陈静", "东湖支部 2", 4.0), ("赵敏", "", 3.0), ("", "", 2.0), ("", "", 1.0),
        ("王芳", "东湖支部", 0.5),
    ]  # fmt: skip
