"""Redundant audio (RFC 2198): forwarded whole, plain to those who do not take it, and used where packets were lost."""

import random

import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.plane import probe
from tests.media.plane.world import AUDIO, AUDIO_LEVEL, Client, World, rtp, steps

RED, SUB_RED, SUB_AUDIO = 63, 99, 102
FRAME = 960

Copies = list[tuple[int, bytes]]


def red(own: bytes, copies: Copies, payload_type: int = AUDIO) -> bytes:
    """A payload as RFC 2198 section 3 lays it out; `copies` are (timestamp offset, frame), oldest first."""
    heads = [
        bytes([0x80 | payload_type]) + (back << 10 | len(frame)).to_bytes(3, "big") for back, frame in copies
    ]
    return b"".join(heads) + bytes([payload_type]) + b"".join(frame for _, frame in copies) + own


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (red(b"own", []), (b"own", [])),
        (red(b"own", [(960, b"before")]), (b"own", [(960, b"before")])),
        (red(b"o", [(1920, b"a"), (960, b"")]), (b"o", [(1920, b"a"), (960, b"")])),
        (red(b"o", [(16383, bytes(1023))]), (b"o", [(16383, bytes(1023))])),
        (red(b"o", [(960, b"x")] * 8), (b"o", [(960, b"x")] * 8)),
        (b"", None),
        (red(b"", []), None),  # no frame of its own
        (red(b"", [(960, b"before")]), None),
        (red(b"own", [(960, b"before")])[:9], None),  # a copy longer than the packet
        (red(b"own", [(960, b"before")])[:3], None),
        (red(b"o", [(960, b"x")] * 9), None),  # more copies than anybody sends
        (red(b"own", [], payload_type=AUDIO - 1), None),  # not what was negotiated
        (bytes([0x80 | AUDIO, 0, 0, 0] * 400), None),
    ],
)
def test_redundant_payloads(data: bytes, expected: tuple[bytes, Copies] | None) -> None:
    assert probe.parse_red(data, AUDIO) == expected


@given(
    st.binary(min_size=1, max_size=1200),
    st.lists(st.tuples(st.integers(0, 16383), st.binary(max_size=1023)), max_size=8),
)
def test_what_is_written_is_read(own: bytes, copies: Copies) -> None:
    assert probe.parse_red(red(own, copies), AUDIO) == (own, copies)


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 127))
def test_any_payload_is_read_or_refused(data: bytes, payload_type: int) -> None:
    parsed = probe.parse_red(data, payload_type)
    if parsed is not None:
        own, copies = parsed
        assert red(own, copies, payload_type) == data


class Talker:
    """Sends Opus frames as RED, each with copies of the last few; frames are named by their number."""

    def __init__(self, world: World, *, copies: int = 1, frame_bytes: int = 0) -> None:
        self.client = world.client()
        self.copies = copies
        self.rest = bytes(max(frame_bytes - 7, 0))
        self.number = 0
        self.history: list[tuple[int, bytes]] = []  # timestamp, frame
        self.timestamp = 70_000
        self.producer = world.audio(self.client, red_payload_type=RED, header_extensions={AUDIO_LEVEL: 1})

    def say(self, *, lost: bool = False, plain: bool = False, pause: int = 0) -> None:
        """The next frame, 20 ms later; `pause` frames of DTX before it."""
        world = self.client.world
        self.timestamp += FRAME * (1 + pause)
        self.number += 1
        frame = b"frame" + self.number.to_bytes(2, "big") + self.rest
        near = [(at, old) for at, old in self.history[-self.copies :] if self.timestamp - at < 1 << 14]
        payload = frame if plain else red(frame, [(self.timestamp - at, old) for at, old in near])
        packet = rtp(
            self.number,
            self.timestamp,
            3000,
            payload,
            payload_type=AUDIO if plain else RED,
            extensions=((1, b"\x1e"),),
        )
        self.history.append((self.timestamp, frame))
        if not lost:
            self.client.send(packet)
        world.advance(20_000 * (1 + pause))


def room(*, takes_red: bool, copies: int = 1, frame_bytes: int = 0) -> tuple[World, Talker, Client, int]:
    world = World()
    talker = Talker(world, copies=copies, frame_bytes=frame_bytes)
    listener = world.client()
    consumer = world.listen(
        listener,
        talker.producer,
        red_payload_type=SUB_RED if takes_red else None,
        header_extensions={AUDIO_LEVEL: 3},
    )
    return world, talker, listener, consumer


def frames(packets: list[RtpPacket]) -> list[int]:
    """The numbers of plain frames."""
    assert all(packet.payload[:5] == b"frame" for packet in packets)
    return [int.from_bytes(packet.payload[5:], "big") for packet in packets]


def test_a_subscriber_that_takes_red_gets_it_under_its_own_payload_types() -> None:
    _, talker, listener, _ = room(takes_red=True)
    for _ in range(5):
        talker.say()
    assert {packet.payload_type for packet in listener.rtp} == {SUB_RED}
    parsed = [probe.parse_red(packet.payload, SUB_AUDIO) for packet in listener.rtp]
    assert None not in parsed
    assert [one[0][5:] for one in parsed if one] == [bytes([0, n]) for n in range(1, 6)]
    assert [one[1] for one in parsed if one][1:] == [[(FRAME, b"frame" + bytes([0, n]))] for n in range(1, 5)]


def test_a_subscriber_that_does_not_gets_the_plain_frame_with_its_extensions() -> None:
    _, talker, listener, _ = room(takes_red=False)
    for plain in (False, False, True, False):
        talker.say(plain=plain)
    assert {packet.payload_type for packet in listener.rtp} == {SUB_AUDIO}
    assert frames(listener.rtp) == [1, 2, 3, 4]
    assert steps([packet.sequence_number for packet in listener.rtp]) == {1}
    assert steps([packet.timestamp for packet in listener.rtp], 32) == {FRAME}
    assert all(b"\x30\x1e" in raw for raw in listener.raw)  # one byte of level under the subscriber's id 3


@pytest.mark.parametrize(("copies", "gap"), [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("takes_red", [True, False])
def test_what_was_lost_on_the_way_here_is_recovered_in_order(copies: int, gap: int, takes_red: bool) -> None:
    world, talker, listener, _ = room(takes_red=takes_red, copies=copies)
    tap = world.core.add_tap(talker.producer, 100)
    for number in range(1, 31):
        talker.say(lost=10 <= number < 10 + gap or 20 <= number < 20 + gap)
    recorded = [RtpPacket.parse(packet) for _, packet in world.core.drain_tap(tap).packets]
    assert frames(recorded) == list(range(1, 31))
    assert {packet.payload_type for packet in recorded} == {AUDIO}
    for packets in (recorded, listener.rtp):
        assert steps([packet.sequence_number for packet in packets]) == {1}
        assert steps([packet.timestamp for packet in packets], 32) == {FRAME}
    if not takes_red:
        assert frames(listener.rtp) == list(range(1, 31))
    assert world.core.producer_statistics(talker.producer).packets_recovered == 2 * gap
    assert world.core.producer_statistics(talker.producer).packets_lost == 2 * gap  # the line did lose them


def test_a_longer_gap_keeps_its_place() -> None:
    _, talker, listener, _ = room(takes_red=False)
    for number in range(1, 11):
        talker.say(lost=4 <= number <= 6)
    assert frames(listener.rtp) == [1, 2, 3, 6, 7, 8, 9, 10]
    assert steps([packet.sequence_number for packet in listener.rtp]) == {1, 3}


def test_a_packet_that_was_recovered_and_comes_late_is_a_duplicate() -> None:
    world, talker, listener, _ = room(takes_red=False)
    talker.say()
    talker.say(lost=True)
    talker.say()
    late = rtp(2, talker.history[1][0], 3000, red(talker.history[1][1], []), payload_type=RED)
    talker.client.send(late)
    world.advance(20_000)
    assert frames(listener.rtp) == [1, 2, 3]
    assert world.drops()["duplicate"] == 1


def test_a_copy_of_another_packet_is_not_put_in_its_place() -> None:
    """Some senders copy every second frame: time tells that such a copy is no neighbour."""
    _, talker, listener, _ = room(takes_red=False)
    talker.say()
    talker.say()
    talker.say(lost=True)
    talker.history[-1] = talker.history[-2]  # the next packet repeats frame 2, not the lost 3
    talker.say()
    assert frames(listener.rtp) == [1, 2, 4]


def test_silence_by_dtx_is_neither_loss_nor_an_end() -> None:
    world, talker, listener, _ = room(takes_red=False)
    for number in range(1, 41):
        talker.say(pause=19 if number % 10 else 0)  # one packet each 400 ms, as Opus sends in silence
    assert frames(listener.rtp) == list(range(1, 41))
    assert steps([packet.sequence_number for packet in listener.rtp]) == {1}
    assert steps([packet.timestamp for packet in listener.rtp], 32) == {FRAME, 20 * FRAME}
    assert not any(packet.marker for packet in listener.rtp[1:])
    assert [event.kind.name for event in world.core.drain_events()] == ["PRODUCER_STARTED"]
    assert world.core.producer_statistics(talker.producer).packets_lost == 0


def report(listener: Client, fraction: int) -> None:
    """A receiver report on the consumer's stream."""
    block = RtcpReceiverInfo(
        ssrc=20, fraction_lost=fraction, packets_lost=0, highest_sequence=1, jitter=0, lsr=0, dlsr=0
    )
    listener.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=[block])))


def test_copies_are_left_out_on_a_clean_line_and_come_back_with_the_first_loss() -> None:
    world, talker, listener, _ = room(takes_red=True)
    kinds = []
    for fraction in (*[0] * 13, 3, *[0] * 13):
        talker.say()
        report(listener, fraction)
        world.advance(1_000_000)
        listener.rtp.clear()
        talker.say()
        kinds.append("red" if listener.rtp[0].payload_type == SUB_RED else "plain")
    assert kinds == ["red"] * 10 + ["plain"] * 3 + ["red"] * 11 + ["plain"] * 3


def numbered(packet: RtpPacket) -> tuple[int, list[tuple[int, int]]]:
    """The number of the packet's own frame, and of each copy how far back it says it is and its number."""
    parsed = probe.parse_red(packet.payload, SUB_AUDIO)
    assert parsed is not None
    own, copies = parsed
    return int.from_bytes(own[5:7], "big"), [(back, int.from_bytes(old[5:7], "big")) for back, old in copies]


@pytest.mark.parametrize(
    ("fractions", "expected"),
    [
        ([0], 1),  # of 256; nothing is known yet
        ([9], 1),
        ([10], 2),
        ([10, 6], 2),  # fewer than before, and still many
        ([10, 4], 1),
        ([26, 0], 2),  # one clean report is chance
    ],
)
def test_a_line_that_loses_much_gets_two_copies(fractions: list[int], expected: int) -> None:
    world, talker, listener, _ = room(takes_red=True)
    for _ in range(3):
        talker.say()
    for fraction in fractions:
        report(listener, fraction)
        world.advance(1_000_000)
    listener.rtp.clear()
    for _ in range(4):
        talker.say()
    wanted = [(FRAME * back, 7 - back) for back in range(expected, 0, -1)]
    assert numbered(listener.rtp[-1]) == (7, wanted)


def test_copies_are_made_for_a_microphone_that_sends_none() -> None:
    _, talker, listener, _ = room(takes_red=True)
    for _ in range(4):
        talker.say(plain=True)
    assert {packet.payload_type for packet in listener.rtp} == {SUB_RED}
    assert [numbered(packet) for packet in listener.rtp] == [
        (1, []), *((n, [(FRAME, n - 1)]) for n in range(2, 5)),
    ]  # fmt: skip


def test_what_cannot_be_copied_is_left_out() -> None:
    """A frame that never came, one before a longer silence than a header can say, what would make a packet too long."""
    world, talker, listener, _ = room(takes_red=True)
    for _ in range(3):
        talker.say(plain=True)
    report(listener, 26)
    talker.say(plain=True, lost=True)
    for _ in range(2):
        talker.say(plain=True)
    talker.say(plain=True, pause=19)
    assert [numbered(packet) for packet in listener.rtp[3:]] == [
        (5, [(2 * FRAME, 3)]),
        (6, [(FRAME, 5)]),
        (7, []),
    ]
    assert world.drops() == {}
    _, talker, listener, _ = room(takes_red=True, frame_bytes=601)
    report(listener, 26)
    talker.say(plain=True)
    talker.say(plain=True)
    assert [numbered(packet) for packet in listener.rtp] == [(1, []), (2, [])]


def test_broken_redundancy_is_dropped_by_name() -> None:
    world, talker, listener, _ = room(takes_red=False)
    talker.say()
    for number, payload in enumerate((b"", bytes([0x80 | AUDIO]), red(b"", []), red(b"x", [], 5)), start=2):
        talker.client.send(rtp(number, 80_000, 3000, payload, payload_type=RED))
    assert frames(listener.rtp) == [1]
    assert world.drops() == {"malformed_payload": 3, "padding_only": 1}


@pytest.mark.parametrize("takes_red", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_any_loss_leaves_numbers_and_clock_whole(seed: int, takes_red: bool) -> None:
    """Whatever is lost: each frame comes at most once, with its own number and time."""
    dice = random.Random(seed)  # noqa: S311 - losses, not secrets
    world, talker, listener, consumer = room(takes_red=takes_red, copies=dice.randrange(1, 4))
    for _ in range(80):
        talker.say(lost=dice.random() < 0.3, plain=dice.random() < 0.1)
        if dice.random() < 0.05:
            world.core.set_consumer_paused(consumer, dice.random() < 0.5)
    own = [packet for packet in listener.rtp if packet.payload_type == SUB_AUDIO]
    own.sort(key=lambda packet: (packet.sequence_number - listener.rtp[0].sequence_number) & 0xFFFF)
    numbers = frames(own)
    assert numbers == sorted(set(numbers))  # a frame may come late, from behind a plain one
    offsets = {(packet.timestamp - FRAME * n) & 0xFFFFFFFF for packet, n in zip(own, numbers, strict=True)}
    assert len(offsets) <= 1


def test_wrong_arguments_are_refused() -> None:
    world = World()
    talker = Talker(world)
    listener = world.client()
    with pytest.raises(ValueError, match="red is for audio"):
        world.audio(listener, red_payload_type=AUDIO)
    with pytest.raises(ValueError, match="red is for audio"):
        world.video(listener, red_payload_type=RED)
    with pytest.raises(ValueError, match="exclude each other"):
        world.listen(listener, talker.producer, red_payload_type=SUB_RED, nack=True)
