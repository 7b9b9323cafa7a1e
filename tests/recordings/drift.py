"""An hour's film of people whose clocks drift, measured: `python -m tests.recordings.drift [--minutes 60] [--read]`.

Composes the film and looks at the finished one. With `--read` it looks at the clips as composition reads them, as the
quick test (`test_drift`) does, for a tenth of the work.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

import av
import numpy as np

from recordings.compose.composer import compose
from recordings.compose.layout import Cast, arrange
from recordings.compose.story import Story, read_story
from tests.recordings.onsets import beeps, beginnings, flashes
from tests.recordings.test_drift import PEOPLE, TOGETHER_SECONDS, hold_meeting

_BRIGHT: Final = 150
_LOUD: Final = 0.1


def main() -> int:
    """Compose, measure, print; 1 where sound and picture part by more than is allowed."""
    parser = argparse.ArgumentParser(prog="tests.recordings.drift", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of the meeting (default: an hour)")
    parser.add_argument("--read", action="store_true", help="read as composition does, and make no film")
    options = parser.parse_args()
    minutes = options.minutes
    with tempfile.TemporaryDirectory(prefix="drift") as name:
        folder = Path(name)
        hold_meeting(folder, minutes)
        if options.read:
            seen, heard = _read(read_story(folder))
        else:
            compose(folder, _show)
            seen, heard = _flashes(folder / "meeting.mp4"), _beeps(folder / "meeting.mp4")
    worst = 0.0
    for peer, moment, skew, card in PEOPLE:
        said = [second for second in heard if abs(second % 10 - moment) < 1]
        if len(said) != len(seen[peer]) or not said:
            print(f"{peer}: {len(seen[peer])} flashes and {len(said)} beeps")  # noqa: T201
            return 1
        apart = np.abs(np.array(seen[peer]) - np.array(said))
        worst = max(worst, float(apart.max()))
        print(  # noqa: T201
            f"{peer}: clock {skew * 1e6:+.0f} ppm, sound card {card * 1e6:+.0f} ppm beside it, {len(said)} beeps: "
            f"apart {apart.mean() * 1e3:.0f} ms on average, {apart.max() * 1e3:.0f} ms at most, "
            f"{apart[-1] * 1e3:.0f} ms at the end"
        )
    print(f"{worst * 1e3:.0f} ms at most of {TOGETHER_SECONDS * 1e3:.0f} ms allowed")  # noqa: T201
    return int(worst >= TOGETHER_SECONDS)


def _read(story: Story) -> tuple[dict[str, list[float]], list[float]]:
    """Flashes by person, and everybody's beeps, in seconds of the film that would be made."""
    seen = {clip.peer_id: flashes(clip, 0.0, story.duration) for clip in story.clips if clip.source.is_video}
    microphones = [clip for clip in story.clips if not clip.source.is_video]
    return seen, sorted(second for clip in microphones for second in beeps(clip, 0.0, story.duration))


def _flashes(film: Path) -> dict[str, list[float]]:
    """By person, when the own place in the picture turns bright."""
    keys = tuple(peer for peer, *_ in PEOPLE)
    places = [tile.picture for tile in arrange(Cast(cameras=keys))]
    bright: dict[str, list[float]] = {key: [] for key in keys}
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            rows = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(-1, frame.planes[0].line_size)
            for key, place in zip(keys, places, strict=True):
                value = rows[place.y + place.height // 2, place.x + place.width // 2]
                if value > _BRIGHT and frame.time is not None:
                    bright[key].append(frame.time)
    return {key: beginnings(times) for key, times in bright.items()}


def _beeps(film: Path) -> list[float]:
    """When anybody's microphone turns loud."""
    loud: list[float] = []
    with av.open(str(film)) as container:
        for frame in container.decode(audio=0):
            if frame.time is not None:
                samples = np.abs(frame.to_ndarray()[0])
                loud += list(frame.time + np.flatnonzero(samples > _LOUD) / frame.sample_rate)
    return beginnings(loud)


def _show(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} ", end="", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
