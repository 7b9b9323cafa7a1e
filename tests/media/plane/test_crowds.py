"""Rooms as large as they get: one who is seen by a thousand, and thirty who all see and hear each other."""

from collections import Counter

from aiortc.rtp import RtcpRtpfbPacket

from media.plane import Encoding
from tests.media.plane.microphones import Microphone
from tests.media.plane.test_keyframes import requests
from tests.media.plane.world import FRAME_US, SUB_RTX, Camera, Client, World, unbroken

CROWD = 1_000
EVERYBODY = 30
PLACES = 6
SEEN, REPAIRED, HEARD = 10_000, 20_000, 30_000  # SSRCs, and the number of whose it is


def watched_by_a_crowd() -> tuple[World, Client, Camera, list[Client]]:
    """Who have all come within a second, long after the last key frame."""
    world = World()
    publisher = world.client()
    producer = world.video(publisher)
    camera = Camera(publisher)
    camera.frame(key=True)
    world.advance(3_000_000)
    publisher.rtcp.clear()
    crowd = [world.client() for _ in range(CROWD)]
    for one in crowd:
        world.watch(one, producer)
        world.advance(100)
    return world, publisher, camera, crowd


def test_a_thousand_see_one_and_are_one_request_to_him() -> None:
    world, publisher, camera, crowd = watched_by_a_crowd()
    assert len(requests(publisher)) == 1
    camera.frame(key=True)
    for _ in range(3):
        camera.frame()
    assert len(requests(publisher)) == 1
    assert all(len(one.sequences()) == 4 * camera.packets and unbroken(one) for one in crowd)
    assert set(world.drops()) <= {"waiting_for_key_frame"}


def test_while_half_of_a_thousand_leave_within_a_frame_the_others_miss_nothing() -> None:
    world, _, camera, crowd = watched_by_a_crowd()
    camera.frame(key=True)
    first, *rest = camera.packetize()
    camera.client.send(first)
    leaving, staying = crowd[::2], crowd[1::2]
    for one in leaving:
        world.core.remove_transport(one.transport)
    for packet in rest:
        camera.client.send(packet)
    world.advance(FRAME_US)
    camera.frame()
    assert all(len(one.sequences()) == 3 * camera.packets and unbroken(one) for one in staying)
    assert all(len(one.sequences()) < 2 * camera.packets for one in leaving)


def test_what_a_thousand_have_lost_each_is_sent_once_and_the_publisher_is_asked_for_nothing() -> None:
    world, publisher, camera, crowd = watched_by_a_crowd()
    camera.frame(key=True)
    camera.frame()
    publisher.rtcp.clear()
    for one in crowd:
        lost = one.sequences()[-1]
        for _ in range(2):  # who asks again within a round trip has not seen the answer yet
            one.send_rtcp(bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=10, lost=[lost])))
    world.advance(FRAME_US)
    assert all(len(one.sequences(SUB_RTX)) == 1 for one in crowd)
    assert publisher.rtcp == []


def everybody() -> tuple[World, list[Microphone], list[Camera]]:
    """Each with a camera and a microphone, and a consumer of all the others'; the first few speak."""
    world = World()
    floor = world.core.add_floor(PLACES, 200_000)
    microphones = [Microphone(world, floor, number) for number in range(1, EVERYBODY + 1)]
    cameras = [Camera(one.client, ssrc=1000 + one.number) for one in microphones]
    for one in microphones:
        encodings = [Encoding(1000 + one.number, 2000 + one.number)]
        video = world.video(one.client, encodings=encodings)
        for other in microphones:
            if other is not one:
                world.watch(other.client, video, ssrc=SEEN + one.number, rtx_ssrc=REPAIRED + one.number)
                world.listen(other.client, one.producer, ssrc=HEARD + one.number)
    for one in microphones[:PLACES]:
        one.level = -20
    return world, microphones, cameras


def test_thirty_all_see_each_other_and_hear_the_loudest() -> None:
    world, microphones, cameras = everybody()
    for number in range(30):
        if number == 29:
            for one in microphones:
                one.client.rtp.clear()
        for microphone in microphones:
            microphone.tick()
        world.advance(20_000)
    for camera in cameras:
        for packet in camera.packetize(key=True):
            camera.client.send(packet)
    world.advance(FRAME_US)
    numbers = range(1, EVERYBODY + 1)
    for one in microphones:
        came = Counter(packet.ssrc for packet in one.client.rtp)
        seen = {SEEN + other: cameras[0].packets for other in numbers if other != one.number}
        heard = {HEARD + other: 1 for other in numbers[:PLACES] if other != one.number}
        assert came == seen | heard
