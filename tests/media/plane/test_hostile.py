"""Bad input: each kind is counted under its name, has a bound, and leaves the others alone."""

import random
import struct

import pytest
from aiortc.rtp import RtcpPsfbPacket

from media.plane import Encoding
from tests.media.plane.world import (
    AUDIO,
    MID,
    RTX,
    SUB_AUDIO,
    TRANSPORT_CC,
    VIDEO,
    Camera,
    Client,
    World,
    address,
    rtp,
    steps,
    unbroken,
    vp8,
)

MEGABIT = 1_000_000 // 8
PACKET = 1_100


def room() -> tuple[World, Client, Client, Camera]:
    """A publisher whose camera a subscriber watches, with the first key frame sent."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    assert len(subscriber.rtp) == 3
    return world, publisher, subscriber, camera


def feedback(kind: int, count: int, ssrc: int, body: bytes = b"") -> bytes:
    """RTPFB (205) or PSFB (206) about `ssrc`."""
    return struct.pack("!BBHII", 0x80 | count, kind, 2 + len(body) // 4, 1, ssrc) + body


def nack(ssrc: int, first: int) -> bytes:
    return feedback(205, 1, ssrc, struct.pack("!HH", first & 0xFFFF, 0xFFFF) * 16)


def sender_report(ssrc: int) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, 1 << 40, 9, 0, 0)


def test_forged_packets_are_counted_and_change_nothing() -> None:
    world, publisher, subscriber, camera = room()
    dice = random.Random(1)  # noqa: S311 - a forger, not a key
    for number in range(500):
        forged = rtp(503 + number, 9000, 1000, dice.randbytes(100), marker=True)
        world.core.receive(forged, publisher.address, world.now)
        world.core.receive(b"\x81\xc8" + dice.randbytes(60), publisher.address, world.now)
    world.collect()
    assert world.drops() == {"authentication": 1000}
    camera.frame()
    assert len(subscriber.rtp) == 6


def test_truncated_packets_are_counted_and_change_nothing() -> None:
    world, publisher, subscriber, camera = room()
    media = publisher.outbound.protect(rtp(503, 12_000, 1000, vp8(101), extensions=((1, b"0"),)))
    control = publisher.outbound.protect_rtcp(sender_report(1000))
    for whole in (media, control):
        for length in range(len(whole)):
            world.core.receive(whole[:length], publisher.address, world.now)
    world.collect()
    assert len(subscriber.rtp) == 3
    assert sum(world.drops().values()) == len(media) + len(control)
    camera.sequence += 1
    camera.frame()
    assert len(subscriber.rtp) == 6


def test_what_is_cut_short_before_it_is_encrypted_is_refused_or_forwarded_as_it_is() -> None:
    _, publisher, subscriber, _ = room()
    whole = rtp(503, 12_000, 1000, vp8(101), extensions=((1, b"0"),))
    for length in range(len(whole)):
        publisher.send_clear(whole[:length])
    assert steps([packet.sequence_number for packet in subscriber.rtp]) == {1}
    for length in range(28):
        publisher.send_clear(sender_report(1000)[:length])


@pytest.mark.parametrize("seed", range(4))
def test_reordered_packets_keep_their_numbers_and_come_once(seed: int) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.listen(subscriber, world.audio(publisher))
    dice = random.Random(seed)  # noqa: S311 - an order, not a secret
    order = sorted(range(1, 400), key=lambda n: n + dice.uniform(0, 30))
    publisher.send(rtp(100, 0, 3000, b"first", payload_type=AUDIO))
    for number in order:
        publisher.send(rtp(100 + number, 960 * number, 3000, number.to_bytes(2, "big"), payload_type=AUDIO))
    first = subscriber.rtp[0].sequence_number
    got = [(p.sequence_number - first) & 0xFFFF for p in subscriber.rtp[1:]]
    assert got == order
    assert got == [int.from_bytes(p.payload, "big") for p in subscriber.rtp[1:]]


def test_a_publisher_with_a_new_ssrc_for_each_packet_meets_a_bound() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher, encodings=[Encoding()], header_extensions={MID: 1}, mid="v")
    world.watch(subscriber, producer)
    world.listen(subscriber, world.audio(publisher))
    for number in range(1000):
        publisher.send(
            rtp(500, 9000, 10_000 + number, vp8(1, key=True), marker=True, extensions=((1, b"v"),))
        )
    assert world.drops() == {"too_many_ssrcs": 999 - 512, "ssrc_changes": 512}
    assert len([packet for packet in subscriber.rtp if packet.payload_type != SUB_AUDIO]) == 1
    for number in range(10):  # his voice, and everything under a known SSRC, goes on
        publisher.send(rtp(number, 960 * number, 3000, b"voice", payload_type=AUDIO))
    assert len(subscriber.sequences(SUB_AUDIO)) == 10


def test_two_ssrcs_in_turn_leave_who_watches_the_first() -> None:
    """Each change would begin the picture anew."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    watched = world.video(publisher, encodings=[Encoding()], header_extensions={MID: 1}, mid="v")
    world.watch(subscriber, watched)
    one, other = (
        Camera(publisher, ssrc=ssrc, sequence=ssrc, picture=ssrc, extensions=((1, b"v"),))
        for ssrc in (10_000, 20_000)
    )
    for number in range(30):
        one.frame(key=number == 0)
        other.frame(key=True)
    assert len(subscriber.rtp) == 30 * one.packets
    assert unbroken(subscriber)
    assert world.drops()["ssrc_changes"] == 30 * other.packets


def test_another_ssrc_follows_one_that_is_silent_and_not_again_within_a_second() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    watched = world.video(publisher, encodings=[Encoding()], header_extensions={MID: 1}, mid="v")
    world.watch(subscriber, watched)
    cameras = [
        Camera(publisher, ssrc=ssrc, sequence=ssrc, picture=ssrc, extensions=((1, b"v"),))
        for ssrc in (10_000, 20_000, 30_000)
    ]
    for camera, silence, seen in zip(
        cameras, (1_000_000, 150_000, 700_000), (True, True, False), strict=True
    ):
        before = len(subscriber.rtp)
        camera.frame(key=True)
        assert (len(subscriber.rtp) > before) == seen
        world.advance(silence + 50_000)
    cameras[2].frame(key=True)
    assert len(subscriber.rtp) == 3 * 3
    assert unbroken(subscriber)


def test_feedback_from_the_wrong_transport_has_no_effect() -> None:
    world, publisher, subscriber, _ = room()
    stranger = world.client()
    world.advance(600_000)
    publisher.rtcp.clear()
    subscriber.rtp.clear()
    for packet in (nack(10, subscriber.world.now), feedback(206, 1, 10), sender_report(1000)):
        stranger.send_rtcp(packet)
        stranger.send_rtcp(feedback(206, 4, 0, struct.pack("!II", 10, 1 << 24)))
    world.advance(600_000)
    assert not any(isinstance(packet, RtcpPsfbPacket) for packet in publisher.rtcp)
    assert subscriber.rtp == []
    assert not [packet for packet in subscriber.rtcp if hasattr(packet, "sender_info")]
    assert world.drops() == {"nack_unknown_ssrc": 1}


def test_a_publisher_of_fifty_megabits_is_cut_to_the_bound_and_the_others_are_served() -> None:
    world = World()
    flooder, publisher, subscriber = world.client(), world.client(), world.client()
    flood = world.video(flooder, encodings=[Encoding(5000, 6000)])
    world.watch(subscriber, flood)
    world.watch(subscriber, world.video(publisher), ssrc=30, rtx_ssrc=31)
    honest = Camera(publisher)
    sequence = 0
    seconds = 2
    for frame in range(30 * seconds):
        for number in range(50 * MEGABIT // 30 // PACKET):
            sequence += 1
            payload = vp8(frame, key=frame % 30 == 0, first=number == 0, size=PACKET)
            flooder.send_clear(rtp(sequence, 3000 * frame, 5000, payload))
        honest.frame(key=frame == 0)
    bytes_sent = world.core.producer_statistics(flood).bytes_received
    assert 20 * MEGABIT * seconds < bytes_sent < 26 * MEGABIT * seconds + MEGABIT * 10
    assert world.drops()["too_fast"] > 4000
    assert len([packet for packet in subscriber.rtp if packet.ssrc == 30]) == 3 * 30 * seconds
    asked = [p for p in flooder.rtcp if isinstance(p, RtcpPsfbPacket)]
    assert len(asked) <= 2 * seconds + 3


@pytest.mark.parametrize("kind", ["nack", "pli", "fir", "sr", "rr", "bye", "app", "transport-cc"])
def test_a_flood_of_rtcp_is_bounded_in_what_it_is_read_and_in_what_it_causes(kind: str) -> None:
    world, publisher, subscriber, camera = room()
    tap = world.core.add_tap(world.video(publisher, encodings=[Encoding(7)]), 50)
    world.advance(2_000_000)
    publisher.rtcp.clear()
    oldest = subscriber.rtp[0].sequence_number
    subscriber.rtp.clear()
    packets = {
        "nack": nack(10, oldest),
        "pli": feedback(206, 1, 10),
        "fir": feedback(206, 4, 0, struct.pack("!II", 10, 1 << 24) * 100),
        "sr": sender_report(1000),
        "rr": struct.pack("!BBHI", 0x80, 201, 1, 1) * 60,
        "bye": struct.pack("!BBHI", 0x81, 203, 1, 10) * 60,
        "app": struct.pack("!BBHI4s", 0x80, 204, 2, 10, b"name") * 60,
        "transport-cc": feedback(205, 15, 10, bytes([0, 1, 0, 1, 0, 0, 0, 0, 0x20, 1, 4, 0])),
    }
    sender = publisher if kind == "sr" else subscriber
    for _ in range(5000):
        sender.world.core.receive_clear(sender.transport, packets[kind], world.now)
    world.collect()
    assert world.drops()["rtcp_flood"] == 4000
    assert len(subscriber.rtp) == (3 if kind == "nack" else 0)  # each once in a round trip
    assert len([p for p in publisher.rtcp if isinstance(p, RtcpPsfbPacket)]) <= 1
    assert world.core.drain_tap(tap).overflow == 0
    world.advance(1_000_000)
    publisher.rtcp.clear()
    camera.frame(key=True)
    assert [p.ssrc for p in subscriber.rtp][-3:] == [10, 10, 10]


def test_a_publisher_of_small_packets_meets_a_bound_of_their_number() -> None:
    world, publisher, subscriber, _ = room()
    for number in range(6_000):
        publisher.send_clear(rtp(503 + number, 12_000, 1000, vp8(101, first=False, size=10)))
    world.advance(2_000)
    taken = len(subscriber.rtp) - 3
    assert 4_800 <= taken < 4_830, "0.4 s of 12,000 a second"
    assert world.drops()["too_fast"] == 6_000 - taken


BLOCKS = struct.pack("!BBHI", 0x80 | 28, 201, 1 + 28 * 6, 1) + (struct.pack("!I", 10) + bytes(20)) * 28
LOST = struct.pack("!HHIHH", 1, 8_191, 0, 8_191, 0)  # transport-cc: none of 8,191 has come, in twelve bytes


@pytest.mark.parametrize(
    "message",
    [
        BLOCKS,
        sender_report(1000),
        feedback(205, 1, 10, struct.pack("!HH", 500, 0xFFFF)),
        feedback(205, 15, 10, LOST),
        feedback(206, 1, 10),
        feedback(206, 4, 0, struct.pack("!II", 10, 1 << 24) * 16),
        struct.pack("!BBH", 0x80, 204, 0),
    ],
    ids=["blocks", "sender reports", "numbers", "statuses", "plis", "firs", "empty"],
)
def test_what_is_packed_into_rtcp_is_read_up_to_a_bound_of_its_own(message: bytes) -> None:
    world, publisher, subscriber, _ = room()
    producer = world.video(publisher, encodings=[Encoding(8, 9)])
    consumer = world.watch(subscriber, producer, ssrc=30, rtx_ssrc=31, header_extensions={TRANSPORT_CC: 6})
    sender = publisher if message[1] == 200 else subscriber
    before = world.core.statistics().work["rtcp_items"]
    for _ in range(1_000):
        world.core.receive_clear(sender.transport, message * (1_400 // len(message)), world.now)
    world.collect()
    assert 19_400 < world.core.statistics().work["rtcp_items"] - before <= 20_000
    assert world.drops()["rtcp_items"] > 0
    assert "malformed_rtcp" not in world.drops()
    world.advance(1_000_000)
    subscriber.send_rtcp(feedback(206, 1, 30))
    assert world.core.consumer_statistics(consumer).key_frame_requests_received == 1


def test_who_is_over_his_rate_costs_no_decryption() -> None:
    world, _, subscriber, _ = room()
    for _ in range(1_000):
        world.core.receive_clear(subscriber.transport, feedback(206, 1, 10), world.now)
    world.core.receive(feedback(206, 1, 10) + bytes(20), subscriber.address, world.now)
    assert world.drops()["rtcp_flood"] == 1
    assert "authentication" not in world.drops()


def test_a_subscriber_that_never_reads_or_answers_holds_up_nobody() -> None:
    world, _, subscriber, camera = room()
    silent = world.core.add_transport()
    world.core.set_remote_address(silent, address(60_000))
    world.core.set_srtp(silent, world.profile, bytes(28), bytes(28))
    world.core.set_admitted(silent, True)
    world.clients.append(Deaf(world))
    producer = world.video(camera.client, encodings=[Encoding(8, 9)])
    world.core.add_consumer(
        silent, producer, ssrc=10, payload_type=VIDEO, rtx_ssrc=11, rtx_payload_type=RTX, paused=False
    )
    other = Camera(camera.client, ssrc=8)
    for number in range(300):
        camera.frame(key=number % 100 == 0)
        other.frame(key=number % 100 == 0)
    assert len(subscriber.rtp) == 3 * 301
    sent = world.core.transport_statistics(silent).packets_sent
    assert sent == 900


class Deaf(Client):
    """Takes nothing in."""

    def __init__(self, world: World) -> None:
        self.address = address(60_000)
        self.world = world

    def take(self, packet: bytes) -> None:
        del packet
