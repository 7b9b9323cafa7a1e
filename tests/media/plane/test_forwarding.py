"""What a subscriber sees of a publisher's stream: everything, in order, under its own numbers."""

import pytest

from media.plane import Encoding, EventKind, Profile
from tests.media.plane import probe
from tests.media.plane.world import (
    ABS_SEND_TIME,
    AUDIO,
    AUDIO_LEVEL,
    MID,
    ORIENTATION,
    SUB_AUDIO,
    SUB_VIDEO,
    TRANSPORT_CC,
    Camera,
    World,
    picture_of,
    rtp,
    steps,
    vp8,
)


@pytest.mark.parametrize("profile", list(Profile))
def test_frames_arrive_whole_under_every_profile(profile: Profile) -> None:
    world = World(profile=profile)
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.watch(subscriber, producer)
    camera = Camera(publisher)
    camera.frame(key=True)
    camera.frame()
    assert [packet.payload[6:] for packet in subscriber.rtp] == [
        packet[12 + 6 :] for packet in camera.sent.values()
    ]
    assert {packet.ssrc for packet in subscriber.rtp} == {10}
    assert {packet.payload_type for packet in subscriber.rtp} == {SUB_VIDEO}
    assert [bool(packet.marker) for packet in subscriber.rtp] == [False, False, True] * 2
    assert world.drops() == {}


@pytest.mark.parametrize("sequence", [0, 1, 65_530, 65_533, 65_534, 65_535])
@pytest.mark.parametrize("timestamp", [0, 0xFFFFFFFF - 3000, 0xFFFFFFFF])
@pytest.mark.parametrize("picture", [0, 0x7FFD, 0x7FFF])
def test_counters_continue_over_every_wrap(sequence: int, timestamp: int, picture: int) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher, sequence=sequence, timestamp=timestamp, picture=picture)
    camera.frame(key=True)
    for _ in range(5):
        camera.frame()
    assert len(subscriber.rtp) == 18
    assert steps(subscriber.sequences()) == {1}
    assert steps([packet.timestamp for packet in subscriber.rtp], 32) == {0, 3000}
    assert steps([picture_of(packet) for packet in subscriber.rtp], 15) == {0, 1}


@pytest.mark.parametrize(
    "ids",
    [
        [(124, 7), (125, 7), (126, 7), (127, 7), (0, 7), (1, 7)],
        [(126, 7), (127, 7), (128, 15), (129, 15)],  # extended where it would wrap
        [(126, 7), (127, 7), (0, 7), (1, 7), (2, 15), (3, 15), (4, 7), (5, 15)],  # or later
        [(32_766, 15), (32_767, 15), (0, 7), (1, 7)],
    ],
)
def test_picture_ids_leave_with_fifteen_bits_and_go_on_whatever_they_come_with(
    ids: list[tuple[int, int]],
) -> None:
    """RFC 7741 section 4.2: the number of bits may change; browsers count all of them as if they had fifteen."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    for index, (number, bits) in enumerate(ids):
        picture = bytes([number]) if bits == 7 else (0x8000 | number).to_bytes(2, "big")
        payload = b"\x90\xf0" + picture + bytes([index, 1, 0x11 if index else 0x10]) + b"rest"
        publisher.send(rtp(index, 3000 * index, 1000, payload, marker=True))
        world.advance(33_000)
    assert {packet.payload[:2] for packet in subscriber.rtp} == {b"\x90\xf0"}
    assert all(packet.payload[2] & 0x80 for packet in subscriber.rtp)
    assert steps([picture_of(packet) for packet in subscriber.rtp], 15) == {1}
    assert steps([packet.payload[4] for packet in subscriber.rtp], 8) == {1}
    assert [packet.payload[6:] for packet in subscriber.rtp] == [b"\x10rest"] + [b"\x11rest"] * (len(ids) - 1)


def test_a_packet_that_overtakes_another_keeps_its_number() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    first, second, third = camera.packetize()
    for packet in (first, third, second):
        publisher.send(packet)
    world.advance(5000)
    numbers = subscriber.sequences()[3:]
    assert [number - numbers[0] for number in numbers] == [0, 2, 1]
    assert "duplicate" not in world.drops()


def test_a_duplicate_is_forwarded_once() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.watch(subscriber, producer)
    camera = Camera(publisher)
    camera.frame(key=True)
    for packet in camera.sent.values():
        publisher.send_clear(packet)
    assert len(subscriber.rtp) == 3
    assert world.drops()["duplicate"] == 3


def test_a_replayed_datagram_is_refused() -> None:
    world = World()
    publisher = world.client()
    world.video(publisher)
    datagram = publisher.outbound.protect(rtp(1, 1, 1000, vp8(1, key=True)))
    world.core.receive(datagram, publisher.address, world.now)
    world.core.receive(datagram, publisher.address, world.now)
    world.core.receive(datagram[:-1] + b"x", publisher.address, world.now)
    assert world.drops()["replayed"] + world.drops().get("authentication", 0) == 2


def test_publisher_padding_leaves_no_gap() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    for _ in range(4):
        publisher.send(rtp(camera.sequence, camera.timestamp, 1000, b"", padding=200))
        camera.sequence += 1
    camera.frame()
    assert steps(subscriber.sequences()) == {1}
    assert world.drops() == {"padding_only": 4}


def test_publisher_padding_that_was_overtaken_leaves_no_gap() -> None:
    """A receiver would ask for its number again and again, and for a key frame in the end."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    padding = rtp(camera.sequence, camera.timestamp, 1000, b"", padding=200)
    camera.sequence += 1
    camera.frame()
    publisher.send(padding)
    world.advance(2_000)
    camera.frame()
    first = subscriber.sequences()[0]
    assert sorted((number - first) & 0xFFFF for number in subscriber.sequences()) == list(range(10))
    assert [packet.payload for packet in subscriber.rtp].count(b"") == 1


@pytest.mark.parametrize("sequence", [500, 65_534, 65_535, 65_536])
@pytest.mark.parametrize("apart_us", [0, 20_000])
def test_a_key_frame_whose_first_packet_is_overtaken_is_shown(sequence: int, apart_us: int) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.watch(subscriber, producer)
    camera = Camera(publisher, sequence=sequence)
    first, second, third = camera.packetize(key=True)
    publisher.send(second)
    world.advance(apart_us)
    publisher.send(first)
    publisher.send(third)
    world.advance(5_000)
    camera.frame()
    assert world.core.producer_statistics(producer).key_frames == 1
    if apart_us == 0:
        assert len(subscriber.rtp) == 6
        assert steps(subscriber.sequences()) == {1}, "what still waits goes in order"
    else:
        assert steps(subscriber.sequences()) == {1, 2}, "the second may be asked for"
    assert world.core.producer_statistics(producer).packets_lost == 0


@pytest.mark.parametrize(("behind", "later_us"), [(17, 0), (1, 150_000)])
def test_what_comes_from_long_before_the_first_packet_is_of_no_use(behind: int, later_us: int) -> None:
    world = World()
    publisher = world.client()
    world.video(publisher)
    publisher.send(rtp(500, 9_000, 1000, vp8(1)))
    world.advance(later_us)
    publisher.send(rtp(500 - behind, 9_000, 1000, vp8(1, key=True)))
    assert world.drops() == {"bad_sequence": 1}


def test_what_is_sent_again_from_before_the_first_packet_is_of_no_use() -> None:
    """It may be of a time when the producer was paused."""
    world = World()
    publisher = world.client()
    world.video(publisher)
    camera = Camera(publisher)
    first, second, _ = camera.packetize(key=True)
    publisher.send(second)
    camera.resend(int.from_bytes(first[2:4], "big"), 1)
    assert world.drops() == {"bad_sequence": 1}


def test_header_extensions_are_written_anew() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher, header_extensions={MID: 1, ORIENTATION: 7, TRANSPORT_CC: 5}, mid="v")
    world.watch(
        subscriber,
        producer,
        header_extensions={MID: 3, ABS_SEND_TIME: 4, TRANSPORT_CC: 6, ORIENTATION: 9},
        mid="mine",
    )
    camera = Camera(publisher, extensions=((1, b"v"), (7, b"\x01"), (5, b"\x00\x09")))
    camera.frame(key=True)
    parsed = [probe.parse_rtp(raw) for raw in subscriber.raw]
    elements = [dict(packet[5]) for packet in parsed if packet is not None]
    assert [element[3] for element in elements] == [b"mine"] * 3
    assert [element[9] for element in elements] == [b"\x01"] * 3
    assert [int.from_bytes(element[6], "big") for element in elements] == [0, 1, 2]
    expected = (world.now // 1_000_000 % 64) << 18
    assert abs(int.from_bytes(elements[0][4], "big") - expected) < 1 << 18
    assert set(elements[0]) == {3, 4, 6, 9}


def test_ids_above_fourteen_take_the_two_byte_form() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.audio(publisher, header_extensions={AUDIO_LEVEL: 2})
    world.listen(subscriber, producer, header_extensions={MID: 20, AUDIO_LEVEL: 30}, mid="a")
    publisher.send(rtp(1, 1, 3000, b"opus", payload_type=AUDIO, extensions=((2, b"\x9e"),)))
    parsed = probe.parse_rtp(subscriber.raw[0])
    assert parsed is not None
    assert parsed[5] == [(20, b"a"), (30, b"\x9e")]
    assert parsed[6] == b"opus"


def test_a_consumer_resumes_without_a_gap() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    consumer = world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    world.core.set_consumer_paused(consumer, True)
    for _ in range(60):
        camera.frame()
    assert len(subscriber.rtp) == 3
    world.core.set_consumer_paused(consumer, False)
    camera.frame()
    assert len(subscriber.rtp) == 3, "video resumes with a key frame"
    camera.frame(key=True)
    camera.frame()
    assert len(subscriber.rtp) == 9
    assert steps(subscriber.sequences()) == {1}
    assert steps([picture_of(packet) for packet in subscriber.rtp], 15) == {0, 1}
    jump = (subscriber.rtp[3].timestamp - subscriber.rtp[2].timestamp) & 0xFFFFFFFF
    assert jump == 62 * 3000, "the pause is in the timestamps"


@pytest.mark.parametrize("sequence", [60_000, 510, 503, 490])
def test_a_publisher_may_come_back_with_another_ssrc(sequence: int) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher, encodings=[Encoding()], header_extensions={MID: 1}, mid="0")
    world.watch(subscriber, producer)
    camera = Camera(publisher, extensions=((1, b"0"),))
    camera.frame(key=True)
    world.advance(1_000_000)
    again = Camera(publisher, ssrc=1234, sequence=sequence, timestamp=77, picture=5, extensions=((1, b"0"),))
    again.frame()
    assert len(subscriber.rtp) == 3
    again.frame(key=True)
    assert len(subscriber.rtp) == 6
    assert steps(subscriber.sequences()) == {1}
    assert steps([picture_of(packet) for packet in subscriber.rtp], 15) == {0, 1}
    jump = (subscriber.rtp[3].timestamp - subscriber.rtp[2].timestamp) & 0xFFFFFFFF
    assert 93_000 <= jump <= 99_000


def test_a_sequence_that_leaps_begins_anew_once_confirmed() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.audio(publisher)
    world.listen(subscriber, producer)
    for number in (1, 2, 30_000, 3, 20_000, 20_001, 20_002):
        publisher.send_clear(rtp(number, 960 * number, 3000, b"x", payload_type=AUDIO))
        world.advance(20_000)
    assert world.drops()["bad_sequence"] == 2
    assert len(subscriber.rtp) == 5
    assert steps(subscriber.sequences(SUB_AUDIO)) == {1}


def test_a_paused_producer_is_not_heard() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.audio(publisher)
    world.listen(subscriber, producer)
    for number in range(1, 7):
        if number == 3:
            world.core.set_producer_paused(producer, True)
        if number == 5:
            world.core.set_producer_paused(producer, False)
        publisher.send(rtp(number, 960 * number, 3000, bytes([number]), payload_type=AUDIO))
        world.advance(20_000)
    assert [packet.payload[0] for packet in subscriber.rtp] == [1, 2, 5, 6]
    assert steps(subscriber.sequences(SUB_AUDIO)) == {1}
    assert subscriber.rtp[2].timestamp - subscriber.rtp[1].timestamp == 3 * 960
    assert world.drops() == {"producer_paused": 2}


def test_events_tell_of_first_packets_and_silence() -> None:
    world = World()
    publisher = world.client()
    producer = world.audio(publisher)

    def speak(number: int) -> list[EventKind]:
        publisher.send(rtp(number, 960 * number, 3000, b"x", payload_type=AUDIO))
        return [event.kind for event in world.core.drain_events() if event.handle == producer]

    assert speak(1) == [EventKind.PRODUCER_STARTED]
    assert speak(2) == []
    world.advance(7_000_000)
    assert [event.kind for event in world.core.drain_events()] == [EventKind.PRODUCER_SILENT]
    assert speak(3) == [EventKind.PRODUCER_ACTIVE]
