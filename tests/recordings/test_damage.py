"""What of an uploaded film counts as lost."""

import pytest

from recordings.compose.scan import Span
from recordings.uploads.damage import Track, lost

SOUND_PACKET = 0.02


def track(*there: Span, broken: tuple[Span, ...] = (), step: float = 0.04) -> Track:
    """Packets every `step` seconds of what is there; those in `broken` do not decode."""
    made = Track()
    for begin, end in there:
        for number in range(round((end - begin) / step)):
            at = begin + number * step
            decodes = not any(first <= at + 1e-6 < last for first, last in broken)
            made.packet(at, decodes=decodes)
            if decodes:
                made.frame(at, step)
    made.finish()
    return made


@pytest.mark.parametrize(
    ("pictures", "sound", "missing"),
    [
        (track((0, 10)), track((0, 10), step=SOUND_PACKET), []),
        (track((0, 10), broken=((4, 5), (7, 8))), track((0, 10)), [(4, 5), (7, 8)]),
        (track((0, 10), broken=((8, 10),)), track((0, 10)), [(8, 9.96)]),
        (track((0, 10), broken=((0, 3),)), track((0, 10)), []),  # it begins between two key frames
        (track((0, 3), (5, 10)), track((0, 3), (5, 10), step=SOUND_PACKET), [(3, 5)]),
        (track((0, 3), (5, 10)), track((0, 4), (6, 10)), [(4, 5)]),
        (track((0, 1), (2, 3), (4, 5)), track((0, 5)), []),  # pages that stand for a second
        (track((0, 1), (2, 3), (4, 5)), track((0, 2.5), (3.5, 5)), [(3, 3.5)]),
        (track((0, 3), (5, 10)), Track(), []),  # without sound nobody can tell
        (track((0, 5), (0, 5)), track((0, 5), (0, 5)), []),  # a broadcast that comes again
    ],
)
def test_what_does_not_decode_is_lost_and_what_neither_stream_has(
    pictures: Track, sound: Track, missing: list[Span]
) -> None:
    found = lost(pictures, sound)
    assert len(found) == len(missing)
    for one, wanted in zip(found, missing, strict=True):
        assert one == pytest.approx(wanted, abs=0.001)
