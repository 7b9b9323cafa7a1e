"""Taps: the recorder's copy of a producer."""

import struct

import pytest
from aiortc.rtp import RtpPacket

from media.plane import Encoding, StaleHandleError
from tests.media.plane.world import AUDIO, MID, RID, VIDEO, Camera, World, picture_of, rtp, steps


def test_a_tap_gets_every_packet_with_its_arrival() -> None:
    world = World()
    publisher = world.client()
    tap = world.core.add_tap(world.audio(publisher), 100)
    arrivals = []
    for number in range(65_530, 65_545):
        arrivals.append(world.now)
        publisher.send(rtp(number, 960 * number, 3000, bytes([number & 0xFF]), payload_type=AUDIO))
        world.advance(20_000)
    batch = world.core.drain_tap(tap)
    packets = [RtpPacket.parse(data) for _, data in batch.packets]
    assert [arrival for arrival, _ in batch.packets] == arrivals
    assert [packet.payload[0] for packet in packets] == [number & 0xFF for number in range(65_530, 65_545)]
    assert {packet.payload_type for packet in packets} == {AUDIO}
    assert len({packet.ssrc for packet in packets}) == 1
    assert steps([packet.sequence_number for packet in packets]) == {1}
    assert steps([packet.timestamp for packet in packets], 32) == {960}
    assert (batch.overflow, batch.sender_report) == (0, None)
    assert world.core.drain_tap(tap).packets == []


def test_rtx_is_undone() -> None:
    world = World()
    publisher = world.client()
    tap = world.core.add_tap(world.video(publisher), 100)
    camera = Camera(publisher)
    camera.frame(key=True)
    frame = camera.packetize()
    publisher.send(frame[0])
    publisher.send(frame[2])
    world.advance(10_000)
    camera.resend(504, 1)
    world.advance(5_000)
    packets = [RtpPacket.parse(data) for _, data in world.core.drain_tap(tap).packets]
    assert {packet.payload_type for packet in packets} == {VIDEO}
    base = packets[0].sequence_number
    assert [(packet.sequence_number - base) & 0xFFFF for packet in packets] == [0, 1, 2, 3, 5, 4]


def test_simulcast_is_one_stream_to_a_tap() -> None:
    world = World()
    publisher = world.client()
    encodings = [Encoding(rid="l"), Encoding(rid="h")]
    producer = world.video(publisher, encodings=encodings, header_extensions={MID: 1, RID: 2}, mid="0")
    tap = world.core.add_tap(producer, 1000)
    low, high = (
        Camera(
            publisher,
            ssrc=ssrc,
            sequence=ssrc,
            timestamp=ssrc,
            picture=ssrc,
            extensions=((1, b"0"), (2, rid)),
        )
        for ssrc, rid in ((5001, b"l"), (9002, b"h"))
    )
    low.frame(key=True)
    for index in range(10):
        low.frame(key=False)
        high.frame(key=index == 4)
    packets = [RtpPacket.parse(data) for _, data in world.core.drain_tap(tap).packets]
    assert len(packets) >= 3 * 8
    assert len({packet.ssrc for packet in packets}) == 1
    assert steps([packet.sequence_number for packet in packets]) == {1}
    assert steps([picture_of(packet) for packet in packets], 15) == {0, 1}


def test_a_tap_nobody_drains_overflows_and_says_so() -> None:
    world = World()
    publisher = world.client()
    tap = world.core.add_tap(world.audio(publisher), 10)
    for number in range(25):
        publisher.send(rtp(number, 960 * number, 3000, bytes([number]), payload_type=AUDIO))
    batch = world.core.drain_tap(tap)
    assert [data[-1] for _, data in batch.packets] == list(range(10))
    assert batch.overflow == 15
    assert world.drops() == {"tap_full": 15}
    publisher.send(rtp(25, 960 * 25, 3000, b"\x19", payload_type=AUDIO))
    batch = world.core.drain_tap(tap)
    assert ([data[-1] for _, data in batch.packets], batch.overflow) == ([25], 0)


def test_the_publishers_clock_comes_in_the_taps_own_time() -> None:
    world = World()
    publisher = world.client()
    tap = world.core.add_tap(world.audio(publisher), 100)
    publisher.send(rtp(1, 4_000, 3000, b"x", payload_type=AUDIO))
    publisher.send_rtcp(struct.pack("!BBHIQIII", 0x80, 200, 6, 3000, 77 << 32, 5_000, 0, 0))
    batch = world.core.drain_tap(tap)
    first = RtpPacket.parse(batch.packets[0][1]).timestamp
    assert batch.sender_report is not None
    assert batch.sender_report.ntp == 77 << 32
    assert (batch.sender_report.rtp_timestamp - first) & 0xFFFFFFFF == 1_000
    assert batch.sender_report.arrival_us == world.now


def test_video_to_a_tap_keeps_its_true_time() -> None:
    """No replay with compressed timestamps: a recording waits for a fresh key frame."""
    world = World()
    publisher = world.client()
    producer = world.video(publisher)
    camera = Camera(publisher)
    camera.frame(key=True)
    camera.frame()
    tap = world.core.add_tap(producer, 100)
    camera.frame()
    assert world.core.drain_tap(tap).packets == []
    camera.frame(key=True)
    camera.frame()
    stamps = [RtpPacket.parse(data).timestamp for _, data in world.core.drain_tap(tap).packets]
    assert steps(stamps, 32) == {0, 3000}


def test_a_removed_tap_is_gone() -> None:
    world = World()
    publisher = world.client()
    producer = world.audio(publisher)
    tap = world.core.add_tap(producer, 10)
    world.core.remove_tap(tap)
    publisher.send(rtp(1, 1, 3000, b"x", payload_type=AUDIO))
    with pytest.raises(StaleHandleError):
        world.core.drain_tap(tap)
    other = world.core.add_tap(producer, 10)
    world.core.remove_producer(producer)
    with pytest.raises(StaleHandleError):
        world.core.drain_tap(other)
