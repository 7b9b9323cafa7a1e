"""Key frames: late joiners see a picture at once, and publishers are never asked too often."""

import itertools
import struct

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSrPacket

from media.plane import Encoding
from tests.media.plane.test_reports import NTP, sender_report
from tests.media.plane.world import FRAME_US, SUB_VIDEO, Camera, Client, World, picture_of, steps

PLI = bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=10))


def requests(client: Client) -> list[RtcpPsfbPacket]:
    return [packet for packet in client.rtcp if isinstance(packet, RtcpPsfbPacket) and packet.fmt == 1]


def running_call() -> tuple[World, Client, int, Camera]:
    """A publisher whose last key frame is long ago."""
    world = World()
    publisher = world.client()
    producer = world.video(publisher)
    camera = Camera(publisher)
    camera.frame(key=True)
    for _ in range(60):
        camera.frame()
    publisher.rtcp.clear()
    return world, publisher, producer, camera


def test_a_late_joiner_causes_one_request_at_once() -> None:
    world, publisher, producer, camera = running_call()
    subscriber = world.client()
    world.watch(subscriber, producer)
    world.collect()
    assert len(requests(publisher)) == 1
    camera.frame()
    assert subscriber.rtp == [], "nothing before the key frame"
    assert world.drops()["waiting_for_key_frame"] == 3
    camera.frame(key=True)
    assert len(subscriber.rtp) == 3


def test_ten_joiners_cause_one_request() -> None:
    world, publisher, producer, camera = running_call()
    for _ in range(10):
        world.watch(world.client(), producer)
        world.advance(10_000)
    assert len(requests(publisher)) == 1
    camera.frame(key=True)
    world.advance(3_000_000)
    assert len(requests(publisher)) == 1, "and no more once it has come"


def test_a_joiner_right_after_a_key_frame_gets_it_replayed() -> None:
    world, publisher, producer, camera = running_call()
    camera.frame(key=True)
    for _ in range(9):
        camera.frame()
    subscriber = world.client()
    world.watch(subscriber, producer)
    world.collect()
    assert len(subscriber.rtp) == 30, "at once, within the call"
    assert requests(publisher) == []
    camera.frame()
    assert len(subscriber.rtp) == 33
    assert steps(subscriber.sequences()) == {1}
    assert steps([picture_of(packet) for packet in subscriber.rtp], 15) == {0, 1}
    stamps = [packet.timestamp for packet in subscriber.rtp]
    assert steps(stamps[:30], 32) == {0, 90}, "the past a millisecond a frame"
    assert (stamps[30] - stamps[29]) & 0xFFFFFFFF == 3000, "the present at its own pace"


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_packet_missing_in_the_replay_finds_its_place_and_time(lost: int) -> None:
    world, publisher, producer, camera = running_call()
    camera.frame(key=True)
    frame = camera.packetize()
    for packet in frame[:lost] + frame[lost + 1 :]:
        publisher.send(packet)
    world.advance(FRAME_US)
    camera.frame()
    subscriber = world.client()
    world.watch(subscriber, producer)
    world.collect()
    assert len(subscriber.rtp) == 8
    camera.resend(int.from_bytes(frame[lost][2:4], "big"), 1)
    world.advance(2_000)
    base = subscriber.rtp[0]
    packets = sorted(
        subscriber.rtp, key=lambda packet: (packet.sequence_number - base.sequence_number) & 0xFFFF
    )
    assert steps([packet.sequence_number for packet in packets]) == {1}
    stamps = [(packet.timestamp - base.timestamp) & 0xFFFFFFFF for packet in packets]
    assert stamps == [0] * 3 + [3000] * 3 + [6000] * 3


def test_an_old_key_frame_is_not_replayed() -> None:
    world, publisher, producer, camera = running_call()
    camera.frame(key=True)
    for _ in range(20):
        camera.frame()
    subscriber = world.client()
    world.watch(subscriber, producer)
    world.collect()
    assert subscriber.rtp == []
    assert len(requests(publisher)) == 1


def test_requests_are_throttled_and_repeated_until_the_key_frame_comes() -> None:
    world, publisher, producer, camera = running_call()
    subscriber = world.client()
    world.watch(subscriber, producer)
    sent_at = []
    for _ in range(1000):
        before = len(requests(publisher))
        subscriber.send_rtcp(PLI)
        world.advance(5_000)
        if len(requests(publisher)) > before:
            sent_at.append(world.now)
    gaps = [b - a for a, b in itertools.pairwise(sent_at)]
    assert all(gap >= 495_000 for gap in gaps)
    assert max(gaps) <= 1_100_000
    camera.frame(key=True)
    before = len(requests(publisher))
    world.advance(3_000_000)
    assert len(requests(publisher)) == before


def test_a_request_is_passed_over_while_a_key_frame_is_on_its_way() -> None:
    """Receivers ask again and again until it is there, and each new one would go to all who watch."""
    world, publisher, producer, camera = running_call()
    subscriber = world.client()
    world.watch(subscriber, producer)
    camera.frame(key=True)
    publisher.rtcp.clear()
    for _ in range(7):
        subscriber.send_rtcp(PLI)
        camera.frame()
    assert requests(publisher) == []
    for _ in range(10):
        camera.frame()
    subscriber.send_rtcp(PLI)
    assert len(requests(publisher)) == 1


def report_a_long_round_trip(world: World, publisher: Client, subscriber: Client) -> None:
    """Longer than what lies between a key frame and the wish in the test below."""
    publisher.send_rtcp(sender_report(1000, NTP, 9_000))
    world.advance(60_000)
    report = next(packet for packet in subscriber.rtcp if isinstance(packet, RtcpSrPacket))
    world.advance(200_000)
    seen = (report.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF
    info = RtcpReceiverInfo(
        ssrc=10, fraction_lost=0, packets_lost=0, highest_sequence=500, jitter=0, lsr=seen, dlsr=0
    )
    subscriber.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=[info])))


@pytest.mark.parametrize(
    ("nack", "near", "again", "expected"),
    [
        (False, True, False, 1),
        (True, True, False, 0),  # it repairs that key frame, and repeats its wish if it must
        (False, False, False, 0),  # asked before anything of that key frame was there
        (False, True, True, 0),  # a newer one has come
    ],
)
def test_the_wish_of_who_asks_once_is_put_off_until_the_key_frame_had_its_time(
    *, nack: bool, near: bool, again: bool, expected: int
) -> None:
    world, publisher, producer, camera = running_call()
    subscriber = world.client()
    world.watch(subscriber, producer, nack=nack, rtx_ssrc=None, rtx_payload_type=None)
    camera.frame(key=True)
    if not near:
        report_a_long_round_trip(world, publisher, subscriber)
    camera.frame(key=True)
    camera.frame()
    publisher.rtcp.clear()
    for _ in range(3):
        subscriber.send_rtcp(PLI)
    camera.frame(key=again)
    world.advance(150_000)
    assert requests(publisher) == [], "not yet"
    world.advance(300_000)
    assert len(requests(publisher)) == expected, "and of many wishes one request"
    camera.frame(key=True)
    world.advance(3_000_000)
    assert len(requests(publisher)) == expected, "and no more once it has come"


def test_a_subscribers_pli_and_fir_reach_the_publisher() -> None:
    world, publisher, producer, camera = running_call()
    subscriber = world.client()
    consumer = world.watch(subscriber, producer)
    camera.frame(key=True)
    world.advance(600_000)
    publisher.rtcp.clear()
    subscriber.send_rtcp(PLI)
    assert [packet.media_ssrc for packet in requests(publisher)] == [1000]
    camera.frame(key=True)
    world.advance(600_000)
    publisher.rtcp.clear()
    subscriber.send_rtcp(struct.pack("!BBHIIII", 0x84, 206, 4, 1, 0, 10, 0))
    assert len(requests(publisher)) == 1
    counted = world.core.consumer_statistics(consumer)
    assert (counted.key_frame_requests_received, counted.firs_received) == (2, 1)


def test_fir_is_sent_where_only_fir_was_negotiated() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher, key_frames_by="fir")
    world.watch(subscriber, producer)
    world.collect()
    camera = Camera(publisher)
    camera.frame()
    world.advance(600_000)
    orders = [p.fci[4] for p in publisher.rtcp if isinstance(p, RtcpPsfbPacket) and p.fmt == 4]
    assert len(orders) >= 2
    assert len(set(orders)) == 1, "a repetition keeps its sequence number"
    camera.frame(key=True)
    world.advance(1_000_000)
    publisher.rtcp.clear()
    world.core.request_key_frame(producer)
    world.collect()
    again = [p.fci[4] for p in publisher.rtcp if isinstance(p, RtcpPsfbPacket) and p.fmt == 4]
    assert again == [orders[0] + 1]


def test_the_control_plane_may_ask_by_any_handle() -> None:
    world, publisher, producer, camera = running_call()
    subscriber = world.client()
    for handle in (producer, world.watch(subscriber, producer), world.core.add_tap(producer, 100)):
        camera.frame(key=True)
        world.advance(700_000)
        publisher.rtcp.clear()
        world.core.request_key_frame(handle)
        world.collect()
        assert len(requests(publisher)) == 1


@pytest.mark.parametrize(
    ("codec", "key", "delta"),
    [
        ("vp8", bytes([0x10, 0x00]), bytes([0x10, 0x01])),
        ("vp9", bytes([0x08, 0]), bytes([0x48, 0])),
        ("h264", bytes([24, 0, 2, 0x67, 1, 0, 2, 0x68, 1]), bytes([0x41, 1])),
        ("h264", bytes([28, 0x85, 0x88]), bytes([28, 0x81, 1])),
        ("h264", bytes([0x65, 0x88]), bytes([28, 0x05, 1])),
    ],
)
def test_every_codec_starts_with_its_key_frame(codec: str, key: bytes, delta: bytes) -> None:
    from tests.media.plane.world import rtp  # noqa: PLC0415

    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher, codec=codec, encodings=[Encoding(1000, 2000)])
    world.watch(subscriber, producer)
    for index, payload in enumerate((delta, delta, key, delta, delta)):
        publisher.send(rtp(index, 3000 * index, 1000, payload, marker=True))
        world.advance(FRAME_US)
    assert [packet.payload for packet in subscriber.rtp] == [key, delta, delta]
    assert {packet.payload_type for packet in subscriber.rtp} == {SUB_VIDEO}
    assert world.core.producer_statistics(producer).key_frames == 1
