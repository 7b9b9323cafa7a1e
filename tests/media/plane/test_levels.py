"""How loud everybody is, by which the one who speaks is found: forwarded or not, and however loud the room is."""

import random

import pytest

from tests.media.plane.microphones import NOISY, VOICE, Room, make_noise
from tests.media.plane.world import AUDIO, AUDIO_LEVEL, World, rtp


def test_audio_levels_are_smoothed_and_fall_silent() -> None:
    world = World()
    publisher = world.client()
    producer = world.audio(publisher, header_extensions={AUDIO_LEVEL: 2})
    assert world.core.audio_levels() == []
    levels = []
    for number in range(30):
        publisher.send(
            rtp(number, 960 * number, 3000, b"x", payload_type=AUDIO, extensions=((2, bytes([0x80 | 30])),))
        )
        world.advance(20_000)
        levels.append(dict(world.core.audio_levels())[producer])
    assert levels == sorted(levels), "it rises without jumping back"
    assert -42 <= levels[0] < -36, "from near its own, not from the silence before it"
    assert -33 <= levels[-1] <= -30
    world.advance(1_000_000)
    assert world.core.audio_levels() == [(producer, -127)]


def test_levels_of_those_who_are_out_are_still_measured() -> None:
    """The active speaker is found among all, forwarded or not."""
    room = Room(3, places=1)
    room.microphones[0].level = room.microphones[1].level = VOICE
    room.run(1000)
    assert len(room.now_heard()) == 1
    assert room.levels() == pytest.approx([VOICE, VOICE, -127], abs=1)


@pytest.mark.parametrize("noise", [-52, -42, -36])
def test_a_loud_room_is_nobody_who_speaks_and_a_soft_voice_in_it_is(noise: int) -> None:
    dice = random.Random(noise)  # noqa: S311 - a fan, not a secret
    room = Room(2, places=2)
    fan = room.microphones[0]

    def listen(milliseconds: int, level: int) -> list[int]:
        heard = []
        for _ in range(milliseconds // 20):
            make_noise([fan], level, dice)
            room.run(20)
            heard.append(room.levels()[0])
        return heard

    listen(NOISY, noise)
    assert set(listen(2_000, noise)) == {-127}
    assert min(listen(200, noise + 14)[1:]) > noise
    assert set(listen(1_000, noise)[-30:]) == {-127}
    assert room.levels()[1] == -127
