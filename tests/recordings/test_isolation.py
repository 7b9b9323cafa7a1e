"""What comes of a track that kills or keeps the process which decodes it."""

import errno
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recordings.compose import sound as film_sound
from recordings.compose.brief import Brief
from recordings.compose.composer import compose
from recordings.compose.isolation import Broken, Interrupted, Isolated
from recordings.compose.layout import Cast, arrange
from recordings.compose.pictures import PictureReader, Showing
from recordings.compose.scan import scan_files
from recordings.compose.sound import unreadable_among
from recordings.compose.story import read_story
from recordings.compose.work import PutOff, Work, composition
from recordings.losses import Loss
from recordings.renditions import COMPOSING_FOLDER
from recordings.states import Failure
from recordings.tracks import TrackSource
from tests.patience import PATIENCE_SECONDS
from tests.recordings.meetings import Meeting, track, watch
from tests.recordings.publishers import GREEN, RED, Publisher, sine, solid
from tests.recordings.strangers import (
    counting,
    crowded,
    dying,
    failing,
    hungry,
    leaving,
    mixing,
    refused,
    scanning_without_files,
    stuck,
    voluminous,
)  # fmt: skip

SECONDS = 3.0


def test_what_is_handed_over_comes_in_order_and_ends() -> None:
    with closing(Isolated[int](counting, 1_000)) as numbers:
        assert list(numbers) == list(range(1_000))
        assert not list(numbers), "an end stays one"


@pytest.mark.parametrize(
    ("work", "argument", "said", "kind"),
    [
        (dying, signal.SIGSEGV, "SIGSEGV", Broken),
        (dying, signal.SIGABRT, "SIGABRT", Broken),
        (dying, signal.SIGKILL, "SIGKILL", Interrupted),
        (failing, None, "KeyError: 'no such thing'", Broken),
        (stuck, None, "no word", Interrupted),
    ],
)
def test_a_process_that_dies_or_says_nothing_is_told_after_what_came_before(
    work: Callable[..., Iterator[int]], argument: int | None, said: str, kind: type[Broken]
) -> None:
    given = () if argument is None else (argument,)
    with closing(Isolated[int](work, *given, silence=1.0 if work is stuck else PATIENCE_SECONDS)) as numbers:
        assert next(numbers) == 1
        with pytest.raises(Broken, match=said) as told:
            next(numbers)
    assert type(told.value) is kind


@pytest.mark.timeout(60)  # it would never end by itself
@pytest.mark.parametrize(
    ("cause", "said"),
    [(signal.SIGSTOP, "no word for 1 s"), (signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV")],
)
def test_a_process_that_ends_or_stands_in_the_middle_of_a_word_is_told(
    cause: signal.Signals, said: str
) -> None:
    with closing(Isolated[bytes](voluminous, 8 << 20, silence=1.0)) as words:  # no pipe holds so much
        begun = select.poll()
        begun.register(words._pipe.fileno(), select.POLLIN)
        assert begun.poll(1000 * PATIENCE_SECONDS)
        os.kill(words.pid, cause)
        with pytest.raises(Broken, match=said):
            next(words)


def test_a_word_that_was_held_up_in_its_middle_is_whole() -> None:
    with closing(Isolated[bytes](voluminous, 8 << 20)) as words:
        words._words.peek()
        for cause in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(words.pid, cause)
        assert next(words) == bytes(8 << 20)


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.EMFILE, "files"), OSError(errno.ENOMEM, "memory")]
)
def test_what_a_starved_machine_refuses_is_not_the_track_s_fault_at_once(error: Exception) -> None:
    with closing(Isolated[int](hungry, error)) as numbers:
        assert next(numbers) == 1
        with pytest.raises(Interrupted):
            next(numbers)


def test_a_file_that_a_starved_machine_does_not_open_is_not_taken_for_broken(tmp_path: Path) -> None:
    track = tmp_path / "0001-camera.mkv"
    track.write_bytes(b"whatever it is")
    with closing(Isolated[object](scanning_without_files, track)) as scans, pytest.raises(Interrupted):
        next(scans)


def test_what_the_disk_refuses_is_what_it_is_here() -> None:
    with closing(Isolated[int](refused)) as numbers:
        assert next(numbers) == 1
        with pytest.raises(OSError, match="No space left") as told:
            next(numbers)
    assert told.value.errno == 28


def test_a_process_that_could_not_begin_is_nobodys_fault() -> None:
    with closing(Isolated[int](leaving)) as numbers:
        assert next(numbers) == 1
        with pytest.raises(ChildProcessError, match="7"):
            next(numbers)


def test_closing_ends_a_process_whatever_it_is_at() -> None:
    numbers = Isolated[int](stuck)
    assert next(numbers) == 1
    process = Path(f"/proc/{numbers.pid}")
    assert process.exists()
    numbers.close()
    numbers.close()
    assert not process.exists()


def readers(path: Path) -> set[int]:
    """Processes that have the file open."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(entry.readlink() == path for entry in folder.iterdir()):
                found.add(int(folder.parent.name))
        except OSError:
            continue
    return found


def two_cameras(folder: Path) -> Meeting:
    """One red, one green, and a microphone."""
    meeting = Meeting(folder)
    for index, colour in enumerate((RED, GREEN)):
        video = Publisher(ntp=index * 100.0).video(solid(colour), SECONDS, key_frames=range(0, 75, 25))
        meeting.join((track(video, f"p{index}", TrackSource.CAMERA), video))
    audio = Publisher().audio(sine(440), SECONDS)
    meeting.join((track(audio, "p0", TrackSource.MICROPHONE), audio))
    meeting.run()
    meeting.end()
    return meeting


def ending(cause: signal.Signals, path: Path, told: list[int], after: float) -> Callable[[float], None]:
    """A listener to progress that ends whoever reads the file by a signal, once, when so much is done."""

    def report(share: float) -> None:
        if share >= after and not told:
            told.extend(readers(path))
            for pid in told:
                os.kill(pid, cause)

    return report


def test_a_film_comes_without_the_track_that_breaks_its_decoder(tmp_path: Path) -> None:
    meeting = two_cameras(tmp_path)
    killed: list[int] = []
    camera = meeting.segment_folder / "0002-camera.mkv"
    made = compose(tmp_path, ending(signal.SIGSEGV, camera, killed, 0.3))
    assert len(killed) == 1
    assert made.failure is Failure.CAPTURE_UNREADABLE
    assert made.losses == (
        Loss("segment-0001/2", "camera", "SIGSEGV", name="p1", spans=((0.0, 3.0),), person="guest:p1"),
    )
    assert made.duration == pytest.approx(SECONDS, abs=0.7)
    film = watch(tmp_path / "meeting.mp4")
    assert film.loudness(440, 0.5, 2.5) > 0.1
    assert all(film.share(RED, at) > 0.2 for at in (0.5, 1.5, 2.5))
    assert [film.share(GREEN, at) > 0.2 for at in (0.5, 2.5)] == [True, False]
    assert says_so(film.frame_at(2.5))


def says_so(frame: np.ndarray) -> bool:
    """Whether words stand where the second picture was."""
    place = frame[200:520, 648:1272]
    return bool(300 < (place > 180).sum() < 20_000 and (place < 60).mean() > 0.8)


def test_whoever_goes_on_with_a_film_does_not_try_the_same_track_again(tmp_path: Path) -> None:
    meeting = two_cameras(tmp_path)
    Work(tmp_path / COMPOSING_FOLDER, composition(tmp_path, Brief())).leave_out("segment-0001/2", "SIGSEGV")
    again: set[int] = set()
    made = compose(tmp_path, lambda _share: again.update(readers(meeting.segment_folder / "0002-camera.mkv")))
    assert not again
    assert made.failure is Failure.CAPTURE_UNREADABLE
    assert says_so(watch(tmp_path / "meeting.mp4").frame_at(0.5))


def test_a_decoder_that_somebody_killed_once_is_nobodys_fault(tmp_path: Path) -> None:
    """As the kernel does when memory runs out; the next attempt goes on."""
    camera = two_cameras(tmp_path).segment_folder / "0002-camera.mkv"
    with pytest.raises(PutOff, match="SIGKILL"):
        compose(tmp_path, ending(signal.SIGKILL, camera, [], 0.3))
    made = compose(tmp_path, lambda _share: None)
    assert (made.failure, made.losses) == (None, ())
    film = watch(tmp_path / "meeting.mp4")
    assert all(film.share(colour, 2.5) > 0.2 for colour in (RED, GREEN))
    assert film.loudness(440, 0.5, 2.5) > 0.1


def test_a_track_whose_decoder_is_killed_each_time_is_left_out_and_named(tmp_path: Path) -> None:
    camera = two_cameras(tmp_path).segment_folder / "0002-camera.mkv"
    with pytest.raises(PutOff):
        compose(tmp_path, ending(signal.SIGKILL, camera, [], 0.3))
    made = compose(tmp_path, ending(signal.SIGKILL, camera, [], 0.3))
    assert made.failure is Failure.CAPTURE_UNREADABLE
    assert made.losses == (
        Loss("segment-0001/2", "camera", "SIGKILL", name="p1", spans=((0.0, 3.0),), person="guest:p1"),
    )
    assert says_so(watch(tmp_path / "meeting.mp4").frame_at(2.5))


def unwritten(folder: Path) -> Path:
    """What keeps whoever opens it: a pipe into which nobody writes."""
    path = folder / "endless.mkv"
    os.mkfifo(path)
    return path


def test_a_decoder_that_hangs_is_given_up(tmp_path: Path) -> None:
    two_cameras(tmp_path)
    clip = replace(read_story(tmp_path).clips[0], path=unwritten(tmp_path))
    (tile,) = arrange(Cast(cameras=(clip.key,)))
    reader = PictureReader(clip, [Showing(0, 75, tile)], silence=1.0)
    with closing(reader), pytest.raises(Broken, match="no word"):
        reader.advance(0)


def test_sound_that_keeps_whoever_decodes_it_is_found_among_the_others(tmp_path: Path) -> None:
    two_cameras(tmp_path)
    sound = next(clip for clip in read_story(tmp_path).clips if not clip.source.is_video)
    clips = [sound, replace(sound, key="endless", path=unwritten(tmp_path)), sound]
    found = unreadable_among(clips, silence=1.0)
    assert {key: str(broken) for key, broken in found.items()} == {"endless": "no word for 1 s"}


def test_a_mix_that_was_killed_is_tried_again_and_costs_nobody_the_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_cameras(tmp_path)
    monkeypatch.setattr(film_sound, "read_seconds", mixing)
    with pytest.raises(PutOff, match="mix: SIGKILL"):
        compose(tmp_path, lambda _share: None)
    with pytest.raises(ValueError, match="none of its clips alone"):
        compose(tmp_path, lambda _share: None)
    assert not Work(tmp_path / COMPOSING_FOLDER, composition(tmp_path, Brief())).unreadable


def test_waiting_for_a_processor_is_no_silence() -> None:
    """Work of 0.4 s takes 0.8 and more beside somebody else, and may say nothing for 0.5."""
    core = min(os.sched_getaffinity(0))
    beside = "import os; os.sched_setaffinity(0, {%d}); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", beside % core], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            with closing(Isolated[int](crowded, core, 0.4, silence=0.5)) as numbers:
                assert list(numbers) == [1, 2]
        finally:
            other.kill()


def test_a_file_that_keeps_whoever_opens_it_keeps_none_of_the_others(tmp_path: Path) -> None:
    meeting = two_cameras(tmp_path)
    camera = meeting.segment_folder / "0001-camera.mkv"
    endless = unwritten(tmp_path)
    blamed: list[tuple[int, str]] = []
    found = scan_files(
        [(camera, 5.0), (endless, 5.0), (camera, 5.0)],
        lambda *told: blamed.append((told[0], str(told[1]))),
        1.0,
    )
    assert [scan is not None for scan in found] == [True, False, True]
    assert blamed == [(1, "no word for 1 s")]


def test_the_processor_time_of_decoders_is_known_when_they_are_not_needed_any_more() -> None:
    """What a composition costs is what the system says of its process and of those that it has waited for."""
    code = (
        "import resource; from recordings.compose.isolation import Isolated, end; "
        "from tests.recordings.strangers import busy; work = Isolated(busy, 0.5); list(work); work.close(); end(); "
        "spent = resource.getrusage(resource.RUSAGE_CHILDREN); print(spent.ru_utime + spent.ru_stime)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert float(done.stdout) > 0.5
