"""Loss on both sides: NACKs to publishers, RTX to subscribers, and the brakes on both."""

import random
import struct

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from media.plane import Encoding
from tests.media.plane.world import FRAME_US, RTX, START, SUB_RTX, Camera, Client, World, rtp, steps, vp8


def nack(ssrc: int, *lost: int) -> bytes:
    return bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=ssrc, lost=[number & 0xFFFF for number in lost]))


def asked(client: Client) -> list[int]:
    """The sequence numbers the plane has asked a publisher for."""
    return [
        number
        for packet in client.rtcp
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == 1
        for number in packet.lost
    ]


def call(sequence: int = 500) -> tuple[World, Client, Client, Camera, int]:
    world = World()
    publisher, subscriber = world.client(), world.client()
    consumer = world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher, sequence=sequence)
    camera.frame(key=True)
    return world, publisher, subscriber, camera, consumer


@pytest.mark.parametrize("sequence", [500, 65_529, 65_530, 65_531, 65_532, 65_533])
def test_a_gap_is_asked_for_and_filled_by_rtx(sequence: int) -> None:
    world, publisher, subscriber, camera, _ = call(sequence)
    frame = camera.packetize()
    publisher.send(frame[0])
    publisher.send(frame[2])
    world.advance(10_000)
    missing = (sequence + 4) & 0xFFFF
    assert asked(publisher) == [missing]
    camera.resend(missing, 1)
    world.advance(2_000)
    numbers = sorted((number - subscriber.sequences()[0]) & 0xFFFF for number in subscriber.sequences())
    assert numbers == [0, 1, 2, 3, 4, 5]


def test_an_unanswered_nack_is_repeated_and_then_given_up() -> None:
    world, publisher, _, camera, _ = call()
    frame = camera.packetize()
    publisher.send(frame[0])
    publisher.send(frame[2])
    publisher.rtcp.clear()
    world.advance(3_000_000)
    assert set(asked(publisher)) == {504}
    assert 5 <= len(asked(publisher)) <= 10
    assert any(isinstance(packet, RtcpPsfbPacket) for packet in publisher.rtcp), "then a key frame repairs it"


@pytest.mark.parametrize("pieces", [1, 3])
def test_padding_that_is_lost_between_pictures_is_not_asked_for(pieces: int) -> None:
    """Publishers probe with it, and nobody sends it again."""
    _, publisher, _, camera, _ = call()
    publisher.rtcp.clear()
    camera.sequence += pieces
    for _ in range(90):
        camera.frame()
    assert asked(publisher) == []
    assert not any(isinstance(packet, RtcpPsfbPacket) for packet in publisher.rtcp)


def test_a_picture_lost_whole_is_asked_for() -> None:
    _, publisher, _, camera, _ = call()
    publisher.rtcp.clear()
    camera.packetize()
    camera.frame()
    assert set(asked(publisher)) == {503, 504, 505}


def test_an_outage_asks_for_a_key_frame_instead() -> None:
    world, publisher, _, camera, _ = call()
    publisher.rtcp.clear()
    camera.sequence += 400
    camera.frame()
    world.advance(600_000)
    assert asked(publisher) == []
    assert any(isinstance(packet, RtcpPsfbPacket) and packet.fmt == 1 for packet in publisher.rtcp)


def test_retries_wait_for_the_measured_round_trip() -> None:
    world, publisher, _, camera, _ = call()
    for index in range(20):  # each loss is repaired 55 ms after the first request
        frame = camera.packetize()
        publisher.send(frame[0])
        publisher.send(frame[2])
        before = len(asked(publisher))
        world.advance(6_000)
        assert len(asked(publisher)) == before + 1
        if index < 19:
            world.advance(54_000)
            camera.resend(int.from_bytes(frame[1][2:4], "big"), index)
    publisher.rtcp.clear()
    world.advance(60_000)
    assert asked(publisher) == [], "not yet a round trip and a quarter"
    world.advance(15_000)
    assert len(asked(publisher)) == 1


def test_a_subscribers_nack_is_answered_as_rtx() -> None:
    world, _, subscriber, camera, consumer = call(65_530)
    for _ in range(10):
        camera.frame()
    wanted = subscriber.rtp[7:20:4]
    subscriber.send_rtcp(nack(10, *(packet.sequence_number for packet in wanted)))
    answers = [packet for packet in subscriber.rtp if packet.payload_type == SUB_RTX]
    assert [packet.ssrc for packet in answers] == [11] * 4
    assert steps([packet.sequence_number for packet in answers]) == {1}
    for answer, original in zip(answers, wanted, strict=True):
        assert struct.unpack("!H", answer.payload[:2]) == (original.sequence_number,)
        assert answer.payload[2:] == original.payload
        assert answer.timestamp == original.timestamp
        assert answer.marker == original.marker
    counted = world.core.consumer_statistics(consumer)
    assert (counted.packets_retransmitted, counted.nacks_received, counted.packets_nacked) == (4, 1, 4)
    world.core.remove_consumer(consumer)
    repair = world.core.statistics().repair  # outlives what it is about
    assert (repair["packets_retransmitted"], repair["nacks_received"], repair["key_frames"]) == (4, 1, 1)


def test_without_rtx_the_same_bytes_go_again() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.watch(subscriber, producer, rtx_ssrc=None, rtx_payload_type=None)
    camera = Camera(publisher)
    camera.frame(key=True, size=301)
    camera.packets = 2
    datagrams: list[bytes] = []

    def keep(_client: Client, packet: bytes) -> bool:
        datagrams.append(packet)
        return True

    world.lose = keep
    camera.frame(size=333)
    world.advance(50_000)
    media = [packet for packet in datagrams if not 192 <= packet[1] <= 223]
    datagrams.clear()
    lost = int.from_bytes(media[0][2:4], "big")
    subscriber.send_rtcp(nack(10, lost))
    assert datagrams == [media[0]], "the ciphertext is the same: AES-GCM allows nothing else"


# Only the low bits of the time are kept.
@pytest.mark.parametrize("now", [2 * START, (1 << 32) - FRAME_US - 25_000])
def test_a_packet_is_sent_again_at_most_once_a_round_trip(now: int) -> None:
    world, _, subscriber, camera, _ = call()
    world.now = now
    camera.frame()
    wanted = subscriber.rtp[4].sequence_number
    for _ in range(50):
        subscriber.send_rtcp(nack(10, wanted))
        world.advance(1_000)
    assert len(subscriber.sequences(SUB_RTX)) <= 3
    assert world.drops()["nack_throttled"] >= 47


def test_a_greedy_subscriber_meets_a_limit() -> None:
    world, publisher, subscriber, camera, _ = call()
    camera.packets = 50
    for _ in range(12):
        camera.frame()
    everything = [packet.sequence_number for packet in subscriber.rtp]
    for at in range(0, len(everything), 100):
        subscriber.send_rtcp(nack(10, *everything[at : at + 100]))
    assert 200 <= len(subscriber.sequences(SUB_RTX)) <= 210
    assert world.drops()["nack_throttled"] > 300
    assert asked(publisher) == []


def test_a_nack_for_what_the_publisher_lost_asks_nobody_again() -> None:
    world, publisher, subscriber, camera, _ = call()
    frame = camera.packetize()
    publisher.send(frame[0])
    publisher.send(frame[2])
    world.advance(6_000)
    missing = (subscriber.sequences()[-1] - 1) & 0xFFFF
    before = len(asked(publisher))
    for _ in range(30):
        subscriber.send_rtcp(nack(10, missing))
    assert len(asked(publisher)) == before
    assert world.drops()["nack_not_in_ring"] == 30
    camera.resend(504, 1)
    assert missing in subscriber.sequences(), "it is forwarded when it comes"


@pytest.mark.parametrize("number", [-1, -5000, 1, 300, 30_000])
def test_a_nack_for_a_number_never_sent_is_counted(number: int) -> None:
    world, _, subscriber, camera, _ = call()
    camera.frame()
    base = subscriber.rtp[0].sequence_number if number < 0 else subscriber.rtp[-1].sequence_number
    subscriber.send_rtcp(nack(10, base + number))
    assert world.drops()["nack_not_in_ring"] == 1
    assert subscriber.sequences(SUB_RTX) == []


def test_a_nack_for_an_unknown_ssrc_is_counted() -> None:
    world, _, subscriber, _, _ = call()
    subscriber.send_rtcp(nack(999, 1))
    assert world.drops()["nack_unknown_ssrc"] == 1


class Repairer:
    """A subscriber that notices gaps and asks for them every 40 ms, as a jitter buffer does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.got: dict[int, bytes] = {}
        self.asked_at: dict[int, int] = {}
        self.base = client.rtp[0].sequence_number

    def work(self, now: int) -> None:
        for packet in self.client.rtp:
            number, payload = packet.sequence_number, packet.payload
            if packet.payload_type == SUB_RTX:
                number, payload = int.from_bytes(payload[:2], "big"), payload[2:]
            self.got[(number - self.base) & 0xFFFF] = payload
        self.client.rtp.clear()
        missing = [
            number
            for number in range(max(self.got))
            if number not in self.got and now - self.asked_at.get(number, 0) > 40_000
        ]
        self.asked_at.update(dict.fromkeys(missing, now))
        if missing:
            self.client.send_rtcp(nack(10, *(number + self.base for number in missing)))


@pytest.mark.parametrize("seed", range(8))
def test_a_lossy_call_is_repaired_on_both_sides(seed: int) -> None:
    """A tenth of everything is lost, up and down, and both sides repair: all arrives, under one numbering."""
    dice = random.Random(seed)  # noqa: S311  a simulated network
    world, publisher, subscriber, camera, _ = call(65_500)
    repairer = Repairer(subscriber)
    lossy = True
    world.lose = lambda client, packet: (
        lossy and len(packet) > 0 and dice.random() < 0.1 and client is not None
    )
    for index in range(120):
        lossy = index < 59  # the last packet of a call has no successor that shows its loss
        frame = camera.packetize() if index < 60 else []
        for original in frame:
            if not lossy or dice.random() >= 0.1:
                publisher.send(original)
        for number in set(asked(publisher)):
            if dice.random() >= 0.1:
                camera.resend(number, camera.rtx_sequence)
        publisher.rtcp.clear()
        repairer.work(world.now)
        world.advance(FRAME_US)
    assert set(repairer.got) == set(range(183))
    assert world.drops().get("too_late", 0) == 0


def test_probing_on_the_rtx_ssrc_is_not_forwarded() -> None:
    world, publisher, subscriber, camera, _ = call()
    publisher.send(rtp(1, 1, 2000, b"", payload_type=97, padding=100))
    camera.resend(500, 2)  # libwebrtc also probes with packets that have arrived
    world.advance(5_000)
    assert len(subscriber.rtp) == 3
    assert world.drops() == {"padding_only": 1, "duplicate": 1}


def test_late_packets_older_than_the_ring_are_dropped() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.audio(publisher)
    world.listen(subscriber, producer)
    for number in (1, *range(3, 200), 2):
        publisher.send_clear(rtp(number, number, 3000, b"x", payload_type=111))
    assert world.drops() == {"too_late": 1}
    assert len(subscriber.rtp) == 198


def test_padding_before_any_media_is_nobodys_retransmission() -> None:
    """libwebrtc probes the line with SSRC 0 and the payload type of RTX: the stream that comes later is another."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher, encodings=[Encoding(1000)])
    world.watch(subscriber, producer)
    publisher.send(rtp(1, 0, 0, b"", payload_type=RTX, padding=200))
    camera = Camera(publisher)
    camera.frame(key=True)
    first, _, last = camera.packetize()
    for packet in (first, last):
        publisher.send(packet)
    world.advance(20_000)
    camera.resend(camera.sequence - 2, 9, rtx_ssrc=2000)
    assert steps(sorted(subscriber.sequences())) == {1}
    assert world.core.producer_statistics(producer).packets_recovered == 1


def test_rtx_of_an_unstarted_stream_is_ignored() -> None:
    world = World()
    publisher = world.client()
    world.video(publisher)
    publisher.send(rtp(1, 1, 2000, b"\0\1" + vp8(1, key=True), payload_type=97))
    assert world.drops() == {"padding_only": 1}


def test_parse_of_what_goes_out_agrees_with_aiortc() -> None:
    _, _, subscriber, camera, _ = call()
    camera.frame(size=700)
    assert all(RtpPacket.parse(raw).serialize()[:2] == raw[:2] for raw in subscriber.raw)
