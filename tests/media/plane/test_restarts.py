"""A stream that begins anew: nothing of it can be shown before a key frame, so one is asked for until it comes."""

from collections.abc import Callable

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpSrPacket

from media.plane import Encoding
from tests.media.plane.test_reports import NTP, sender_report
from tests.media.plane.world import FRAME_US, MID, VIDEO, Camera, World, picture_of, steps

LEAP = 1_100  # frames of three packets, more than are taken for an outage


def lose(camera: Camera) -> Camera:
    """The publisher's line is gone for half a minute."""
    for _ in range(LEAP):
        camera.packetize()
        camera.client.world.advance(FRAME_US)
    return camera


def shut_out(camera: Camera) -> Camera:
    """He is not admitted for so long, and goes on sending."""
    camera.client.world.core.set_admitted(camera.client.transport, False)
    for _ in range(LEAP):
        camera.frame()
    camera.client.world.core.set_admitted(camera.client.transport, True)
    return camera


def swap(camera: Camera) -> Camera:
    """Another SSRC without a pause, whose key frame comes before it may be believed."""
    other = Camera(camera.client, ssrc=7777, sequence=9, timestamp=77, extensions=camera.extensions)
    other.frame(key=True)
    return other


def swap_and_lose(camera: Camera) -> Camera:
    """Another SSRC after a second, and the first packet of its key frame is lost."""
    camera.client.world.advance(1_000_000)
    other = Camera(camera.client, ssrc=7777, sequence=9, timestamp=77, extensions=camera.extensions)
    for packet in other.packetize(key=True)[1:]:
        camera.client.send(packet)
    return other


@pytest.mark.parametrize("begin_anew", [lose, shut_out, swap, swap_and_lose])
def test_a_key_frame_is_asked_for_until_there_is_a_picture_again(
    begin_anew: Callable[[Camera], Camera],
) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(
        publisher, encodings=[Encoding()], rtx_payload_type=None, mid="v", header_extensions={MID: 1}
    )
    world.watch(subscriber, producer)
    camera = Camera(publisher, extensions=((1, b"v"),))
    camera.frame(key=True)
    for _ in range(60):
        camera.frame()
    camera = begin_anew(camera)
    subscriber.rtp.clear()
    publisher.rtcp.clear()
    for _ in range(90):
        camera.frame()
    asked = [packet for packet in publisher.rtcp if isinstance(packet, RtcpPsfbPacket)]
    assert 2 <= len(asked) <= 8, "again and again, but not all the time"
    assert subscriber.rtp == []
    camera.frame(key=True)
    camera.frame()
    assert len(subscriber.rtp) == 6
    publisher.rtcp.clear()
    for _ in range(90):
        camera.frame()
    assert not [packet for packet in publisher.rtcp if isinstance(packet, RtcpPsfbPacket)]


def test_it_has_no_time_until_the_publisher_tells_its_new_one() -> None:
    """Its clock may be another: sound and picture would be hours apart until the next report."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    publisher.send_rtcp(sender_report(1000, 3_900_000_000 * NTP, 9_000))
    world.advance(1_500_000)
    assert any(isinstance(packet, RtcpSrPacket) for packet in subscriber.rtcp)
    other = Camera(publisher, sequence=40_000, timestamp=500_000_000)
    other.frame(key=True)
    other.frame(key=True)
    subscriber.rtcp.clear()
    for _ in range(60):
        other.frame()
    assert not any(isinstance(packet, RtcpSrPacket) for packet in subscriber.rtcp)


def test_another_codec_is_dropped_by_name_and_leaves_the_first_alone() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera, other = Camera(publisher), Camera(publisher, codec="h264")
    camera.frame(key=True)
    other.sequence, other.timestamp = camera.sequence, camera.timestamp
    for packet in other.packetize(key=True):
        publisher.send(packet[:1] + bytes([packet[1] & 0x80 | VIDEO + 2]) + packet[2:])
    world.advance(FRAME_US)
    assert world.drops() == {"payload_type": 3}
    camera.sequence, camera.timestamp = other.sequence, other.timestamp
    camera.frame(key=True)
    assert steps(subscriber.sequences()) == {1, 4}, "as if those packets had been lost"
    assert steps([picture_of(packet) for packet in subscriber.rtp], 15) == {0, 1}
