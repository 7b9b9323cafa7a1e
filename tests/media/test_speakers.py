"""The active speaker over simulated time."""

from collections.abc import Iterator

from media.events import ActiveSpeakerChanged, AudioLevels
from media.speakers import LEAD_SECONDS, REPORT_SECONDS, SILENCE_SECONDS, Level, SpeakerDetector

STEP = 0.2
QUIET = -127


class Room:
    """Feeds a detector five times a second."""

    def __init__(self) -> None:
        self.detector = SpeakerDetector()
        self.now = 100.0
        self.events: list[ActiveSpeakerChanged | AudioLevels] = []

    def hear(self, seconds: float, **levels: int) -> Iterator[str | None]:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            self.events += self.detector.update([Level(*item) for item in levels.items()], self.now)
            yield self.detector.active

    def settle(self, seconds: float, **levels: int) -> str | None:
        return list(self.hear(seconds, **levels))[-1]

    def changes(self) -> list[str | None]:
        return [event.producer_id for event in self.events if isinstance(event, ActiveSpeakerChanged)]


def test_whoever_speaks_first_has_the_floor_within_half_a_second() -> None:
    room = Room()
    assert room.settle(1, ann=QUIET, bob=QUIET) is None
    assert room.settle(0.6, ann=-25, bob=QUIET) == "ann"
    assert room.changes() == ["ann"]


def test_a_cough_does_not_take_the_floor() -> None:
    room = Room()
    room.settle(2, ann=-30, bob=QUIET)
    assert room.settle(0.4, ann=-30, bob=-10) == "ann"
    assert room.settle(2, ann=-30, bob=QUIET) == "ann"
    assert room.changes() == ["ann"]


def test_a_pause_for_breath_does_not_give_it_away() -> None:
    room = Room()
    room.settle(2, ann=-30, bob=QUIET)
    assert room.settle(SILENCE_SECONDS - 1, ann=QUIET, bob=QUIET) == "ann"


def test_somebody_else_takes_over_after_a_moment() -> None:
    room = Room()
    room.settle(2, ann=-30, bob=QUIET)
    taken = [active == "bob" for active in room.hear(3, ann=QUIET, bob=-28)]
    assert LEAD_SECONDS <= taken.index(True) * STEP + STEP <= LEAD_SECONDS + 1.2


def test_pauses_between_words_do_not_make_a_voice_softer_than_a_murmur() -> None:
    """The plane hears nobody between words; the other goes on without any pause."""
    room = Room()
    room.settle(2, ann=-25, bob=QUIET)
    for _ in range(10):
        room.settle(0.6, ann=-25, bob=-48)
        room.settle(0.6, ann=QUIET, bob=-48)
    assert room.changes() == ["ann"]


def test_the_softest_voice_is_found_within_half_a_second() -> None:
    room = Room()
    assert room.settle(0.6, ann=-50, bob=QUIET) == "ann"


def test_two_equally_loud_voices_do_not_flicker() -> None:
    room = Room()
    for step in range(100):
        room.settle(STEP, ann=-30 + step % 3, bob=-30 - step % 3)
    assert len(room.changes()) == 1


def test_long_silence_leaves_nobody() -> None:
    room = Room()
    room.settle(2, ann=-30)
    assert room.settle(SILENCE_SECONDS + 1.5, ann=QUIET) is None
    assert room.changes() == ["ann", None]


def test_a_speaker_who_leaves_is_nobodys_any_more() -> None:
    room = Room()
    room.settle(2, ann=-30, bob=QUIET)
    assert room.settle(STEP, bob=QUIET) is None


def test_levels_come_once_a_second_loudest_first_and_stop_in_silence() -> None:
    room = Room()
    room.settle(5, ann=-40, bob=-20, cid=QUIET)
    levels = [event.levels for event in room.events if isinstance(event, AudioLevels)]
    assert len(levels) in {round(5 / REPORT_SECONDS), round(5 / REPORT_SECONDS) + 1}
    assert levels[-1] == (("bob", -20), ("ann", -40))
    room.events.clear()
    room.settle(5, ann=QUIET, bob=QUIET, cid=QUIET)
    assert [e.levels for e in room.events if isinstance(e, AudioLevels)][-1] == ()
    room.events.clear()
    room.settle(5, ann=QUIET, bob=QUIET, cid=QUIET)
    assert room.events == []
