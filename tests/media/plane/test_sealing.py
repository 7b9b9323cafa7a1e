"""What leaves is sealed as libsrtp, an independent reader, expects it: every profile, over every roll-over."""

import itertools

import pytest

from media.plane import Profile
from tests.media.plane.world import AUDIO, ORIENTATION, SUB_AUDIO, SUB_RTX, Camera, Client, World, rtp, steps

JUMP = 2_900  # the longest gap that is not taken for a restart is 3,000


def call(profile: Profile) -> tuple[World, Client, Client]:
    world = World(profile=profile)
    return world, world.client(), world.client()


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("first", [0, 1, 65_533, 65_535])
def test_sequence_numbers_may_roll_over_again_and_again(profile: Profile, first: int) -> None:
    world, speaker, listener = call(profile)
    world.listen(listener, world.audio(speaker))
    numbers = [first + step * JUMP for step in range(75)]  # three times around
    for number in numbers:
        speaker.send_clear(rtp(number & 0xFFFF, number, 3000, b"voice", payload_type=AUDIO))
    received = listener.sequences(SUB_AUDIO)
    assert len(received) == len(numbers)
    assert steps(received) == {JUMP}
    assert [packet.payload for packet in listener.rtp] == [b"voice"] * len(numbers)


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("orientation", [None, b"\x01"])
def test_retransmissions_and_extensions_are_sealed_too(profile: Profile, orientation: bytes | None) -> None:
    world, publisher, subscriber = call(profile)
    producer = world.video(publisher, header_extensions={ORIENTATION: 7})
    world.watch(subscriber, producer, header_extensions={ORIENTATION: 3})
    camera = Camera(publisher, extensions=() if orientation is None else ((7, orientation),))
    camera.frame(key=True)
    lost = subscriber.sequences()[1]
    subscriber.send_rtcp(b"\x81\xcd\x00\x03" + bytes(4) + (10).to_bytes(4) + lost.to_bytes(2) + b"\x00\x00")
    again = [packet for packet in subscriber.rtp if packet.payload_type == SUB_RTX]
    assert [packet.payload[:2] for packet in again] == [lost.to_bytes(2)]


def test_no_two_packets_share_a_nonce() -> None:
    world, publisher, subscriber = call(Profile.AEAD_AES_128_GCM)
    sealed: list[bytes] = []

    def keep(client: Client, packet: bytes) -> bool:
        """Loses nothing."""
        if client is subscriber:
            sealed.append(packet)
        return False

    world.lose = keep
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    for number in range(40):
        camera.frame(key=number % 10 == 0)
    streams = [(packet[8:12], packet[2:4]) for packet in sealed if not 192 <= packet[1] <= 223]
    assert len(streams) == 120
    assert len(set(streams)) == len(streams)
    assert all(a != b for a, b in itertools.combinations([packet[-16:] for packet in sealed], 2))
