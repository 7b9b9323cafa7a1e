"""What is told of a line's losses: what it lost before anything was sent again, and nothing of what is long past."""

import random
import struct

import pytest
from aiortc.rtp import RtcpRrPacket, RtcpRtpfbPacket

from tests.media.plane.world import AUDIO, Camera, Client, World, rtp


def nacked(publisher: Client) -> list[int]:
    """What the publisher is asked to send again, since it was looked at last."""
    lost = [n for packet in publisher.rtcp if isinstance(packet, RtcpRtpfbPacket) for n in packet.lost]
    publisher.rtcp = [packet for packet in publisher.rtcp if not isinstance(packet, RtcpRtpfbPacket)]
    return lost


def test_what_a_publisher_had_to_send_again_was_lost_on_his_line() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.watch(subscriber, producer)
    camera = Camera(publisher, packets=4)
    dice = random.Random(1)  # noqa: S311 - a line, not a secret
    lost = again = 0
    for number in range(300):
        for packet in camera.packetize(key=number == 0):
            if number > 5 and dice.random() < 0.1:
                lost += 1
            else:
                publisher.send(packet)
        for _ in range(2):
            world.advance(16_667)
            for sequence in nacked(publisher):
                again += 1
                camera.resend(sequence, 30_000 + again)
    world.advance(1_000_000)
    counted = world.core.producer_statistics(producer)
    assert counted.packets_recovered == again == lost
    assert (counted.packets_received, counted.packets_lost) == (1200, lost)
    told = [packet for packet in publisher.rtcp if isinstance(packet, RtcpRrPacket)]
    assert told[-1].reports[0].packets_lost == lost
    assert sum(packet.reports[0].fraction_lost for packet in told[1:-1]) / (len(told) - 2) > 0.08 * 256


@pytest.mark.parametrize("ending", ["silent", "paused", "removed"])
def test_a_line_that_carries_nothing_more_up_loses_nothing(ending: str) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.audio(publisher)
    world.listen(subscriber, producer)
    for number in range(500):
        if number % 5:
            publisher.send(rtp(number, 960 * number, 3000, b"x", payload_type=AUDIO))
        world.advance(20_000 + 15_000 * (number % 2))
    assert world.core.reception(publisher.transport).fraction_lost_up > 0.1
    assert world.core.reception(publisher.transport).jitter_us > 3_000
    if ending == "paused":
        world.core.set_producer_paused(producer, True)
    if ending == "removed":
        world.core.remove_producer(producer)
    world.advance(10_000_000)
    now = world.core.reception(publisher.transport)
    assert (now.fraction_lost_up, now.jitter_us) == (0, 0)


def test_a_line_that_carries_nothing_more_down_loses_nothing() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.listen(subscriber, world.audio(publisher))
    for number in range(200):
        publisher.send(rtp(number, 960 * number, 3000, b"x", payload_type=AUDIO))
        world.advance(20_000)
        if number % 50 == 49:
            block = struct.pack("!IB3xIIII", 20, 77, subscriber.rtp[-1].sequence_number, 0, 0, 0)
            subscriber.send_rtcp(struct.pack("!BBHI", 0x81, 201, 7, 99) + block)
    assert world.core.reception(subscriber.transport).fraction_lost_down > 0.1
    world.advance(5_000_000)
    assert world.core.reception(subscriber.transport).fraction_lost_down > 0.1, "sound is reported as seldom"
    world.advance(10_000_000)
    assert world.core.reception(subscriber.transport).fraction_lost_down == 0


def test_packets_that_are_sent_again_are_sent() -> None:
    """As the standard's statistics have it: `retransmittedPacketsSent` is a part of `packetsSent`."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    consumer = world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    camera.frame()
    for sequence in subscriber.sequences()[-2:]:
        subscriber.send_rtcp(struct.pack("!BBHIIHH", 0x81, 205, 3, 99, 10, sequence, 0))
    world.advance(100_000)
    counted = world.core.consumer_statistics(consumer)
    assert (counted.packets_sent, counted.packets_retransmitted) == (8, 2)
