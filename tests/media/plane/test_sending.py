"""How datagrams become kernel messages: one frame for one subscriber is one message."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.plane import Encoding
from tests.media.plane.world import AUDIO, ORIENTATION, Camera, Client, World, rtp, vp8


def call(subscribers: int, *, rtx: bool = True) -> tuple[World, Client, list[Client], Camera]:
    world = World()
    publisher = world.client()
    producer = world.video(publisher, header_extensions={ORIENTATION: 7})
    clients = [world.client() for _ in range(subscribers)]
    for client in clients:
        options: dict[str, Any] = {} if rtx else {"rtx_ssrc": None, "rtx_payload_type": None}
        world.watch(client, producer, header_extensions={ORIENTATION: 7}, **options)
    camera = Camera(publisher, packets=4)
    camera.frame(key=True)
    return world, publisher, clients, camera


def push(world: World, publisher: Client, packets: list[bytes]) -> None:
    for packet in packets:
        world.core.receive(publisher.outbound.protect(packet), publisher.address, world.now)
    while world.core.advance(world.now) <= world.now:
        pass  # a slice of what is left


def frame(camera: Camera, sizes: list[int]) -> list[bytes]:
    packets = []
    for index, size in enumerate(sizes):
        payload = vp8(camera.picture, first=index == 0, size=size)
        marker = index == len(sizes) - 1
        packets.append(rtp(camera.sequence, camera.timestamp, 1000, payload, marker=marker))
        camera.sequence += 1
    camera.picture += 1
    camera.timestamp += 3000
    return packets


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [
        ([1000, 1000, 1000, 1000], [4]),
        ([1000, 1000, 1000, 200], [4]),  # the last may be shorter
        ([1000, 1000, 1001, 1001], [4]),  # libwebrtc's nearly equal split is padded to equal
        ([1001, 1000, 999, 990], [4]),
        ([100, 1000, 1000, 1000], [1, 3]),  # too different for padding
        ([1000, 100, 1000, 1000], [2, 2]),
        ([500], [1]),
        ([1100] * 64, [56, 8]),  # what one UDP message can hold
    ],
)
def test_a_frame_is_as_few_messages_as_its_sizes_allow(sizes: list[int], runs: list[int]) -> None:
    world, publisher, (one, two), camera = call(2)
    push(world, publisher, frame(camera, sizes))
    messages = world.core.send_runs()
    for client in (one, two):
        mine = [(len(data), segment) for to, data, segment in messages if to == client.address]
        assert [math.ceil(length / segment) if segment else 1 for length, segment in mine] == runs


def test_each_subscribers_packets_lie_together() -> None:
    world, publisher, clients, camera = call(30)
    push(world, publisher, frame(camera, [1000] * 4))
    assert [to for to, _, _ in world.core.send_runs()] == [client.address for client in clients]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.integers(20, 1300), st.integers(998, 1002)), min_size=1, max_size=20), st.booleans()
)
def test_whatever_the_sizes_every_packet_arrives_as_it_was(sizes: list[int], rtx: bool) -> None:
    world, publisher, (subscriber,), camera = call(1, rtx=rtx)
    packets = frame(camera, sizes)
    push(world, publisher, packets)
    subscriber.rtp.clear()
    world.collect()
    assert [packet.payload[6:] for packet in subscriber.rtp] == [packet[12 + 6 :] for packet in packets]


def test_a_frame_without_its_end_waits_one_millisecond() -> None:
    world, publisher, _, camera = call(1)
    push(world, publisher, frame(camera, [1000] * 4)[:2])
    assert world.core.send_runs() == []
    assert world.core.advance(world.now) == world.now + 1_000
    world.core.advance(world.now + 999)
    assert world.core.send_runs() == []
    world.core.advance(world.now + 1_000)
    assert [segment for _, _, segment in world.core.send_runs()] != []


def test_sound_does_not_wait() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.listen(subscriber, world.audio(publisher))
    push(world, publisher, [rtp(1, 1, 3000, b"x", payload_type=AUDIO)])
    assert subscriber.address in [to for to, _, _ in world.core.send_runs()]


def test_a_long_frame_is_sent_before_the_waiting_room_overflows() -> None:
    world, publisher, (subscriber,), camera = call(1)
    subscriber.rtp.clear()
    push(world, publisher, frame(camera, [50] * 500))
    world.collect()
    assert len(subscriber.rtp) == 500


def test_many_streams_at_once_are_all_sent() -> None:
    world = World()
    subscriber = world.client()
    publishers = [world.client() for _ in range(90)]
    for index, publisher in enumerate(publishers):
        for number in range(4):
            producer = world.video(publisher, encodings=[Encoding(100 + number)], rtx_payload_type=None)
            world.watch(
                subscriber, producer, ssrc=10_000 + 4 * index + number, rtx_ssrc=None, rtx_payload_type=None
            )
    for publisher in publishers:
        for number in range(4):  # no frame is complete: 360 wait, more than the plane remembers
            packet = rtp(1, 1, 100 + number, vp8(1, key=True))
            world.core.receive(publisher.outbound.protect(packet), publisher.address, world.now)
    world.advance(2_000)
    assert len(subscriber.rtp) == 360
