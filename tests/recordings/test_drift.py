"""Sound and picture stay together when clocks do not: each person's own, and that of each sound card."""

from pathlib import Path
from typing import Final

import numpy as np
import pytest

from recordings.compose.story import Clip, read_story
from recordings.tracks import TrackSource
from tests.recordings.hours import PERIOD, beeping, flashing
from tests.recordings.meetings import Meeting, track
from tests.recordings.onsets import beeps, flashes
from tests.recordings.publishers import Publisher

# What people begin to notice on a screen, and what is asked for over a whole meeting.
TOGETHER_SECONDS: Final = 0.080
# What a tenth of the way may use of it, so that a whole hour shows: a picture waits for the film's next frame, 40 ms.
CLOSE_SECONDS: Final = 0.050
PPM: Final = 1e-6
MINUTES: Final = (
    10  # 200 ppm are 120 ms by then; `python -m tests.recordings.drift` looks at a whole hour's film
)
PEOPLE: Final = (
    # (who, moment of ten seconds, the person's clock, the sound card's beside it)
    ("a", 3.0, 200 * PPM, -200 * PPM),
    ("b", 6.0, -200 * PPM, 200 * PPM),
)


def hold_meeting(folder: Path, minutes: float) -> Meeting:
    """Two people whose clocks part by 400 ppm, each with a sound card that drifts again."""
    meeting = Meeting(folder)
    for number, (peer, moment, skew, card) in enumerate(PEOPLE):
        person = Publisher(ntp=3_900_000_000.0 + number * 7_777, skew=skew)
        picture = flashing(person, minutes, moment)
        sound = beeping(person, minutes, moment, pace=card)
        meeting.join(
            (track(picture, peer, TrackSource.CAMERA), picture),
            (track(sound, peer, TrackSource.MICROPHONE), sound),
        )
    meeting.run()
    meeting.end()
    return meeting


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, ...]:
    folder = tmp_path_factory.mktemp("drift")
    hold_meeting(folder, MINUTES)
    story = read_story(folder)
    assert story.failure is None
    assert story.duration == pytest.approx(MINUTES * 60, abs=1.0)
    return story.clips


@pytest.mark.parametrize("peer", [0, 1])
def test_the_last_minute_is_together_as_the_first_however_clocks_drift(
    clips: tuple[Clip, ...], peer: int
) -> None:
    name, moment, _, _ = PEOPLE[peer]
    camera, microphone = (clip for clip in clips if clip.peer_id == name)
    heard = beeps(microphone, 0.0, MINUTES * 60.0)
    wanted = np.arange(MINUTES * 60 // PERIOD) * PERIOD + moment
    # On everybody's time line, not only on its own.
    assert np.abs(np.array(heard) - wanted).max() < CLOSE_SECONDS
    for begin in (0.0, (MINUTES - 1) * 60.0):
        seen = flashes(camera, begin, begin + 60.0)
        said = [second for second in heard if begin <= second < begin + 60.0]
        assert len(seen) == len(said) == 60 // PERIOD
        assert np.abs(np.array(seen) - np.array(said)).max() < CLOSE_SECONDS
