"""Simulcast: the best layer that is received, switched at key frames, with continuous counters and true time."""

import struct

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from media.plane import Encoding, EventKind
from tests.media.plane.world import (
    MID,
    REPAIRED_RID,
    RID,
    RTX,
    SUB_RTX,
    SUB_VIDEO,
    Camera,
    Client,
    World,
    picture_of,
    rtp,
    steps,
    unbroken,
    vp8,
)

SSRCS = {"l": 1001, "m": 1002, "h": 1003}
EXTENSIONS = {MID: 1, RID: 2, REPAIRED_RID: 3}


@pytest.fixture(params=["vp8", "h264"])
def codec(request: pytest.FixtureRequest) -> str:
    """Where both are to do the same, though H.264 has neither picture ids nor temporal layers."""
    return str(request.param)


def studio(codec: str = "vp8") -> tuple[World, Client, Client, int, int, dict[str, Camera]]:
    """A publisher with three layers known by RID alone, and one subscriber."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(
        publisher,
        codec=codec,
        encodings=[Encoding(rid=rid) for rid in SSRCS],
        header_extensions=EXTENSIONS,
        mid="0",
    )
    consumer = world.watch(subscriber, producer)
    cameras = {
        rid: Camera(
            publisher,
            ssrc=ssrc,
            sequence=ssrc * 37,
            timestamp=ssrc * 100_003,
            picture=ssrc * 17,
            extensions=((1, b"0"), (2, rid.encode())),
            codec=codec,
        )
        for rid, ssrc in SSRCS.items()
    }
    return world, publisher, subscriber, producer, consumer, cameras


def shoot(world: World, cameras: dict[str, Camera], layers: str, *, key: str = "") -> None:
    """One frame of each of the layers, at the same moment."""
    for rid, camera in cameras.items():
        frame = camera.packetize(key=rid in key, size=100 + 10 * len(rid))
        if rid in layers:
            for packet in frame:
                camera.client.send(packet)
    world.advance(33_333)


def plis(client: Client) -> list[int]:
    return [p.media_ssrc for p in client.rtcp if isinstance(p, RtcpPsfbPacket) and p.fmt == 1]


def report(camera: Camera, ntp_seconds: float, rtp_timestamp: int) -> None:
    """A sender report of one layer."""
    ntp = int(ntp_seconds * 2**32)
    camera.client.send_rtcp(
        struct.pack("!BBHIQIII", 0x80, 200, 6, camera.ssrc, ntp, rtp_timestamp & 0xFFFFFFFF, 0, 0)
    )


def test_streams_are_found_by_rid_and_the_best_is_forwarded(codec: str) -> None:
    world, _, subscriber, producer, consumer, cameras = studio(codec)
    shoot(world, cameras, "lmh", key="lmh")
    world.advance(100_000)
    for _ in range(3):
        shoot(world, cameras, "lmh")
    shoot(world, cameras, "lmh", key="h")
    shoot(world, cameras, "lmh")
    assert world.core.consumer_statistics(consumer).spatial_layer == 2
    assert unbroken(subscriber, codec)
    events = [e for e in world.core.drain_events() if e.kind == EventKind.CONSUMER_LAYERS_CHANGED]
    assert [(event.handle, event.spatial) for event in events][-1] == (consumer, 2)
    assert world.core.producer_statistics(producer).packets_received == 54
    assert "unknown_stream" not in world.drops()


def test_the_old_layer_goes_on_until_the_new_ones_key_frame(codec: str) -> None:
    world, publisher, subscriber, _, consumer, cameras = studio(codec)
    shoot(world, cameras, "l", key="l")
    shoot(world, cameras, "lmh")
    assert len(subscriber.rtp) == 6
    world.advance(100_000)
    assert SSRCS["h"] in plis(publisher)
    for _ in range(5):
        shoot(world, cameras, "lmh")
    assert len(subscriber.rtp) == 21
    shoot(world, cameras, "lmh", key="h")
    assert len(subscriber.rtp) in {24, 27}
    assert world.core.consumer_statistics(consumer).spatial_layer == 2
    assert unbroken(subscriber, codec)


def test_a_layer_that_is_no_longer_sent_is_left(codec: str) -> None:
    world, publisher, subscriber, _, consumer, cameras = studio(codec)
    shoot(world, cameras, "lmh", key="lmh")
    shoot(world, cameras, "lmh", key="h")
    assert world.core.consumer_statistics(consumer).spatial_layer == 2
    publisher.rtcp.clear()
    for _ in range(30):
        shoot(world, cameras, "lm")
    assert SSRCS["m"] in plis(publisher)
    shoot(world, cameras, "lm", key="m")
    shoot(world, cameras, "lm")
    assert world.core.consumer_statistics(consumer).spatial_layer == 1
    assert unbroken(subscriber, codec)


def test_a_publisher_whose_line_narrows_is_seen_in_what_he_still_sends() -> None:
    """The largest size falls silent, and the next one with it, though for a moment that is not known."""
    world, publisher, subscriber, _, consumer, cameras = studio()
    shoot(world, cameras, "lmh", key="lmh")
    shoot(world, cameras, "lmh", key="h")
    for _ in range(30):
        shoot(world, cameras, "lmh")
    assert world.core.consumer_statistics(consumer).spatial_layer == 2
    for _ in range(4):
        shoot(world, cameras, "lm")
    assert not plis(publisher), "a few pictures may be lost, or late"
    shown, silent = len(subscriber.rtp), world.now
    while SSRCS["l"] not in plis(publisher):
        shoot(world, cameras, "l")
    assert world.now - silent < 400_000
    shoot(world, cameras, "l", key="l")
    shoot(world, cameras, "l")
    assert len(subscriber.rtp) == shown + 6
    assert world.core.consumer_statistics(consumer).spatial_layer == 0
    assert steps(subscriber.sequences()) == {1}


@pytest.mark.parametrize(("preferred", "rid"), [(0, "l"), (1, "m"), (2, "h"), (7, "h")])
def test_no_layer_above_the_preferred_one_is_forwarded(codec: str, preferred: int, rid: str) -> None:
    world, _, subscriber, _, consumer, cameras = studio(codec)
    world.core.set_preferred_layers(consumer, preferred)
    shoot(world, cameras, "lmh", key="lmh")
    world.advance(50_000)
    shoot(world, cameras, "lmh", key="lmh")
    shoot(world, cameras, "lmh")
    assert world.core.consumer_statistics(consumer).spatial_layer == "lmh".index(rid)
    assert unbroken(subscriber, codec)


def test_preferring_a_lower_layer_asks_for_its_key_frame(codec: str) -> None:
    world, publisher, _, _, consumer, cameras = studio(codec)
    shoot(world, cameras, "lmh", key="lmh")
    shoot(world, cameras, "lmh", key="lmh")
    world.advance(600_000)
    publisher.rtcp.clear()
    world.core.set_preferred_layers(consumer, 0)
    world.advance(1_000)
    assert plis(publisher) == [SSRCS["l"]]


def test_a_switch_keeps_to_the_publishers_clock(codec: str) -> None:
    """The layers' clocks differ; sender reports say how, and the outgoing time goes on evenly."""
    world, _, subscriber, _, consumer, cameras = studio(codec)
    world.core.set_preferred_layers(consumer, 0)
    shoot(world, cameras, "lmh", key="lmh")
    report(cameras["l"], 1000.0, cameras["l"].timestamp)
    report(cameras["h"], 1001.0, cameras["h"].timestamp + 90_000)
    for _ in range(3):
        shoot(world, cameras, "lmh")
    world.core.set_preferred_layers(consumer, 2)
    world.advance(11_000)  # frames of the layers do not arrive evenly
    shoot(world, cameras, "lmh", key="h")
    stamps = sorted(
        {packet.timestamp for packet in subscriber.rtp},
        key=lambda t: (t - subscriber.rtp[0].timestamp) % 2**32,
    )
    assert world.core.consumer_statistics(consumer).spatial_layer == 2
    assert steps(stamps, 32) <= {3000, 2999, 3001, 1}


def test_without_reports_a_switch_follows_the_arrival_clock(codec: str) -> None:
    world, _, subscriber, _, consumer, cameras = studio(codec)
    world.core.set_preferred_layers(consumer, 0)
    shoot(world, cameras, "lmh", key="lmh")
    for _ in range(3):
        shoot(world, cameras, "lmh")
    world.core.set_preferred_layers(consumer, 2)
    shoot(world, cameras, "h", key="h")
    jump = (subscriber.rtp[-1].timestamp - subscriber.rtp[-4].timestamp) % 2**32
    assert 2900 <= jump <= 3100


def test_rtx_is_found_by_its_repaired_rid() -> None:
    world, publisher, subscriber, producer, _, cameras = studio()
    shoot(world, cameras, "l", key="l")
    camera = cameras["l"]
    frame = camera.packetize()
    publisher.send(frame[0])
    publisher.send(frame[2])
    world.advance(6_000)
    payload = frame[1][2:4] + vp8(camera.picture - 1, first=False, tl0=camera.tl0)
    publisher.send(
        rtp(1, camera.timestamp - 3000, 2001, payload, payload_type=RTX, extensions=((1, b"0"), (3, b"l")))
    )
    assert world.core.producer_statistics(producer).packets_recovered == 1
    assert len(subscriber.rtp) == 6


def test_the_packets_of_the_other_layers_are_counted_for_everybody_who_does_not_get_them() -> None:
    world, _, _, _, _, cameras = studio()
    shoot(world, cameras, "lmh", key="lmh")
    before = world.drops().get("spatial_layer", 0)
    for _ in range(5):
        shoot(world, cameras, "lmh")
    assert world.drops()["spatial_layer"] - before == 5 * (cameras["l"].packets + cameras["m"].packets)
    assert set(world.drops()) <= {"spatial_layer", "waiting_for_key_frame"}


@pytest.mark.parametrize("target", [0, 1, 2])
def test_temporal_layers_above_the_target_are_left_out_without_a_trace(target: int) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    consumer = world.watch(subscriber, world.video(publisher))
    world.core.set_preferred_layers(consumer, 0, target)
    camera = Camera(publisher, sequence=65_500, picture=0x7FF0)
    camera.frame(key=True)
    layers = [2, 1, 2, 0] * 10
    for layer in layers:
        camera.frame(temporal=layer, sync=layer > 0)
    kept = 1 + sum(layer <= target for layer in layers)
    assert len(subscriber.rtp) == 3 * kept
    assert steps(subscriber.sequences()) == {1}
    assert steps([picture_of(packet) for packet in subscriber.rtp], 15) == {0, 1}
    assert {packet.payload[5] >> 6 for packet in subscriber.rtp} == set(range(target + 1))


def from_the_lowest_to(temporal: int) -> tuple[Camera, Client]:
    """A camera, and who has got the lowest temporal layer of it alone and wants as many as that from now on."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    consumer = world.watch(subscriber, world.video(publisher))
    world.core.set_preferred_layers(consumer, 0, 0)
    camera = Camera(publisher)
    camera.frame(key=True)
    camera.frame(temporal=1, sync=True)
    world.core.set_preferred_layers(consumer, 0, temporal)
    return camera, subscriber


def test_a_higher_temporal_layer_is_entered_at_a_sync_point_only() -> None:
    camera, subscriber = from_the_lowest_to(1)
    camera.frame(temporal=1)
    assert len(subscriber.rtp) == 3
    camera.frame()
    camera.frame(temporal=1, sync=True)
    camera.frame(temporal=1)
    assert len(subscriber.rtp) == 12
    assert steps(subscriber.sequences()) == {1}


def test_a_frame_that_comes_late_is_left_out_with_the_layer_it_belongs_to() -> None:
    """It refers to others that were left out, whose picture ids have been closed up: nothing tells of them."""
    camera, subscriber = from_the_lowest_to(0)
    camera.frame(temporal=1)
    late = camera.packetize(temporal=1)
    camera.frame()
    for packet in late:
        camera.client.send(packet)
    numbers = [(subscriber.sequences()[2] + place) & 0xFFFF for place in (1, 2, 3)]
    subscriber.send_rtcp(bytes(RtcpRtpfbPacket(fmt=1, ssrc=9, media_ssrc=10, lost=numbers)))
    assert {packet.payload[5] >> 6 for packet in subscriber.rtp if packet.payload} == {0}
    assert sorted(subscriber.sequences())[2:6] == [numbers[0] - 1, *numbers]  # nobody waits for them
    assert {packet.payload_type for packet in subscriber.rtp} == {SUB_VIDEO}


def test_a_frame_that_comes_late_fills_its_gap_where_its_layer_is_sent() -> None:
    camera, subscriber = from_the_lowest_to(1)
    before = camera.packetize(temporal=1)
    camera.frame(temporal=1, sync=True)
    late = camera.packetize(temporal=1)
    camera.frame()
    for packet in [*before, *late]:  # of them only the latter are of a time when the layer had been entered
        camera.client.send(packet)
    packets = sorted(subscriber.rtp, key=lambda packet: packet.sequence_number)
    assert steps([packet.sequence_number for packet in packets]) == {1}
    assert [bool(packet.payload) for packet in packets] == [True] * 3 + [False] * 3 + [True] * 9


def test_temporal_layers_are_entered_one_after_the_other() -> None:
    """A frame of the third that needs the first alone does not say that what follows needs no second."""
    camera, subscriber = from_the_lowest_to(2)
    camera.frame(temporal=2, sync=True)
    camera.frame(temporal=1)
    assert len(subscriber.rtp) == 3
    for temporal in (0, 2, 1, 2):
        camera.frame(temporal=temporal, sync=temporal > 0)
    assert [packet.payload[5] >> 6 for packet in subscriber.rtp[3::3]] == [0, 1, 2]
    assert steps(subscriber.sequences()) == {1}


def test_nothing_is_sent_again_of_a_size_that_was_left() -> None:
    world, _, subscriber, _, consumer, cameras = studio()
    shoot(world, cameras, "lmh", key="lmh")
    shoot(world, cameras, "lmh")
    world.core.set_preferred_layers(consumer, 0)
    before = subscriber.sequences()
    shoot(world, cameras, "lmh")
    shoot(world, cameras, "lmh", key="l")
    after = [number for number in subscriber.sequences() if number not in before]
    for lost in (before[-1], after[-1]):
        subscriber.send_rtcp(bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=10, lost=[lost])))
    again = [
        int.from_bytes(packet.payload[:2]) for packet in subscriber.rtp if packet.payload_type == SUB_RTX
    ]
    assert again == [after[-1]]
    assert world.drops()["nack_not_in_ring"] == 1


@pytest.mark.parametrize("names", [((3, b"l"),), ((2, b"x"), (3, b"l")), ((3, b"l"), (2, b"m"))])
def test_a_repair_is_known_by_the_stream_that_it_repairs_whatever_it_is_called_itself(
    names: tuple[tuple[int, bytes], ...],
) -> None:
    """RFC 8852 section 3.2."""
    world, publisher, subscriber, producer, _, cameras = studio()
    shoot(world, cameras, "l", key="l")
    first, lost, last = cameras["l"].packetize()
    for packet in (first, last):
        publisher.send(packet)
    world.advance(20_000)
    again = lost[2:4] + RtpPacket.parse(lost).payload
    publisher.send(rtp(7, 0, 2001, again, payload_type=RTX, extensions=((1, b"0"), *names)))
    world.advance(20_000)
    assert sorted(steps(sorted(subscriber.sequences()))) == [1]
    assert world.core.producer_statistics(producer).packets_recovered == 1
