"""Encoders that send H.264's parameter sets once, or name them in their SDP alone: everybody sees them all the same."""

import random

import pytest
from aiortc.rtp import RtcpRrPacket

from media.plane import Depacketizer
from tests.media.plane.pictures import Encoder, Receiver, Sender, units_of
from tests.media.plane.test_retransmission import asked
from tests.media.plane.world import FRAME_US, SUB_VIDEO, World, rtp

SETS = bytes.fromhex("18 0004 6742001f 0002 68ce")
OTHER_SETS = bytes.fromhex("18 0004 67420020 0002 68cf")


@pytest.mark.parametrize("sets", ["once", "never"])
def test_who_comes_later_sees_the_picture_and_so_does_a_recording(sets: str) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    encoder = Encoder("h264", 96, 64)
    signalled = units_of(Encoder("h264", 96, 64).encode(0, key=True)[0])[:2] if sets == "never" else []
    producer = world.video(publisher, codec="h264", parameter_sets=signalled)
    sender = Sender(publisher, encoder, sets=sets, dice=random.Random(1))  # noqa: S311
    for index in range(30):
        sender.frame(index)
        world.advance(FRAME_US)
    receiver = Receiver(subscriber, "h264")
    world.watch(subscriber, producer)
    tap = world.core.add_tap(producer, 1000)
    for index in range(30, 60):
        sender.answer(publisher.rtcp)
        publisher.rtcp.clear()
        sender.frame(index)
        world.advance(FRAME_US)
        receiver.take(world.now)
    assert receiver.shown() == encoder.shown[-len(receiver.shown()) :]
    assert len(receiver.shown()) > 25
    frames = Depacketizer("h264", 96).take(world.core.drain_tap(tap).packets, world.now)
    assert frames[0].units is not None
    assert [unit[0] & 0x1F for unit in frames[0].units] == [7, 8, 5]
    assert all(frame.lost == 0 for frame in frames)


class Bare:
    """A camera whose key pictures have no parameter sets, unless they are sent apart."""

    def __init__(self, sequence: int = 500) -> None:
        self.world = World()
        self.publisher, self.subscriber = self.world.client(), self.world.client()
        self.world.watch(self.subscriber, self.world.video(self.publisher, codec="h264"))
        self.sequence = sequence
        self.timestamp = 9000

    def send(self, *payloads: bytes, lost: tuple[int, ...] = ()) -> None:
        """A picture's packets."""
        for index, payload in enumerate(payloads, 1):
            if index - 1 not in lost:
                packet = rtp(self.sequence, self.timestamp, 1000, payload, marker=index == len(payloads))
                self.publisher.send_clear(packet)
            self.sequence += 1
        self.timestamp += 3000
        self.world.advance(FRAME_US)

    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.subscriber.rtp if packet.payload_type == SUB_VIDEO]


KEY = b"\x65\x88key"
DELTA = b"\x41delta"


def test_sets_go_before_a_key_picture_without_and_numbers_stay_whole() -> None:
    camera = Bare()
    for _ in range(3):
        camera.send(SETS, KEY)
        camera.send(KEY)
        camera.send(DELTA)
    kept = bytes([0x78]) + SETS[1:]
    assert camera.payloads() == [SETS, KEY, kept, KEY, DELTA] * 3
    numbers = camera.subscriber.sequences()
    assert numbers == list(range(numbers[0], numbers[0] + 15))


def test_what_is_missing_before_a_key_picture_may_be_its_sets() -> None:
    """Others than those kept, as where the size changes: nobody begins with the wrong ones."""
    camera = Bare()
    camera.send(SETS, KEY)
    camera.subscriber.rtp.clear()
    camera.send(OTHER_SETS, KEY, lost=(0,))
    assert camera.payloads() == [KEY]
    camera.send(KEY)  # nor do those who have lost the sets for good
    assert camera.payloads()[1][1:] == SETS[1:]


@pytest.mark.parametrize("sequence", [500, *range(65_528, 65_540)])
def test_the_publisher_hears_its_own_numbers(sequence: int) -> None:
    """What is missing on either side of a packet of ours is asked for by the numbers that the publisher sent."""
    camera = Bare(sequence)
    camera.send(SETS, KEY)
    lost = []
    for _ in range(3):
        lost.append(camera.sequence & 0xFFFF)
        camera.send(DELTA, DELTA, DELTA, lost=(0,))
        camera.send(KEY, KEY)
        lost.append((camera.sequence + 1) & 0xFFFF)
        camera.send(DELTA, DELTA, DELTA, lost=(1,))
    assert set(asked(camera.publisher)) == set(lost)
    for number in lost:
        camera.publisher.send_clear(rtp(number, 9000, 1000, DELTA))
    numbers = sorted(
        (number - camera.subscriber.sequences()[0]) & 0xFFFF for number in camera.subscriber.sequences()
    )
    assert numbers == list(range(2 + 3 * 9))
    camera.world.advance(1_500_000)
    (reports, *_) = [one.reports for one in camera.publisher.rtcp if isinstance(one, RtcpRrPacket)][-1:]
    assert reports[0].highest_sequence & 0xFFFF == (camera.sequence - 1) & 0xFFFF
    assert reports[0].packets_lost == 0


def test_of_several_slices_the_first_begins_the_picture() -> None:
    """Its first macroblock is number 0, one bit that is set."""
    camera = Bare()
    camera.send(b"\x65\x88first", b"\x65\x20second", lost=(0,))
    assert camera.payloads() == []
    camera.send(SETS, b"\x65\x88first", b"\x65\x20second")
    assert len(camera.payloads()) == 3
