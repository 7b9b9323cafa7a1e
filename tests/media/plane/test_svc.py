"""Layers within one stream (VP9): who gets which, without a gap, a wrong end of a picture or a missing reference."""

from dataclasses import dataclass
from typing import Literal

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from media.plane import EventKind
from tests.media.plane.test_layers import remb, told
from tests.media.plane.world import FRAME_US, Client, World, rtp, steps

PATTERN = (0, 2, 1, 2)
Mode = Literal["full", "keyed"]


@dataclass(frozen=True)
class Descriptor:
    """What a VP9 packet says of itself (RFC 9628 section 4.2)."""

    picture: int
    spatial: int
    temporal: int
    predicted: bool
    begins: bool
    ends: bool
    references: tuple[int, ...] = ()


def describe(packet: RtpPacket) -> Descriptor:
    """Read the descriptors that `Lecturer` writes."""
    flags, layer, at = packet.payload[0], packet.payload[3], 4
    references = []
    if flags & 0x10:
        more = bool(flags & 0x40)
        while more:
            references.append(packet.payload[at] >> 1)
            more = bool(packet.payload[at] & 1)
            at += 1
    return Descriptor(
        int.from_bytes(packet.payload[1:3], "big") & 0x7FFF,
        layer >> 1 & 7,
        layer >> 5,
        bool(flags & 0x40),
        bool(flags & 0x08),
        bool(flags & 0x04),
        tuple(references),
    )


class Lecturer:
    """Sends VP9 in layers as libvpx orders them, two packets a frame, in flexible mode or not."""

    def __init__(
        self,
        *,
        mode: Mode = "full",
        layers: int = 3,
        flexible: bool = True,
        size: int = 200,
        picture: int = 50,
        announced: bool = True,
    ) -> None:
        self.world = World()
        self.client = self.world.client()
        self.mode = mode
        self.layers = layers
        self.flexible = flexible
        self.size = size
        told = {"spatial_layers": layers, "keyed": mode == "keyed"} if announced else {}
        self.producer = self.world.video(self.client, codec="vp9", **told)
        self.picture = picture
        self.sequence = 700
        self.timestamp = 0
        self.step = 0  # of the temporal pattern, begun anew by a key picture
        self.asked = 0
        self.key_pictures: list[int] = []

    def packets(self, *, key: bool = False) -> list[tuple[int, bytes]]:
        """The next picture's packets, each with its spatial layer."""
        if key:
            self.step = 0
            self.key_pictures.append(self.picture & 0x7FFF)
        temporal = PATTERN[self.step % 4]
        made = []
        for spatial in range(self.layers):
            for part in range(2):
                stacked = spatial > 0 and (key or self.mode == "full")
                flags = 0xA0 | (0 if key else 0x40) | (0x10 if self.flexible else 0)
                flags |= 0x08 if part == 0 else 0x04
                layer = temporal << 5 | 0x10 | spatial << 1 | stacked
                back = {0: 4, 1: 2, 2: 1}[temporal]
                tail = bytes([self.step // 4 & 0xFF])
                if self.flexible:
                    tail = b"" if key else bytes([back << 1])
                picture = (0x8000 | self.picture & 0x7FFF).to_bytes(2, "big")
                payload = bytes([flags]) + picture + bytes([layer]) + tail + bytes(self.size << spatial)
                marker = part == 1 and spatial == self.layers - 1
                made.append((spatial, rtp(self.sequence, self.timestamp, 1000, payload, marker=marker)))
                self.sequence += 1
        self.picture += 1
        self.step += 1
        self.timestamp += 3000
        return made

    def film(self, pictures: int, *, obeys: bool = True) -> None:
        """Send pictures, a key picture first and whenever one was asked for."""
        for _ in range(pictures):
            asked = obeys and self.requested()
            for _, packet in self.packets(key=asked or not self.key_pictures):
                self.client.send(packet)
            self.world.advance(FRAME_US)

    def requested(self) -> bool:
        """Whether a key picture was asked for since the last look."""
        found = [p for p in self.client.rtcp if isinstance(p, RtcpPsfbPacket) and p.fmt == 1]
        self.client.rtcp.clear()
        self.asked += len(found)
        return bool(found)

    def watched(self, **options: int) -> tuple[Client, int]:
        """Somebody who watches, and has asked for a key picture."""
        subscriber = self.world.client()
        consumer = self.world.watch(subscriber, self.producer, **options)
        self.world.collect()
        return subscriber, consumer


def pictures(client: Client) -> list[list[RtpPacket]]:
    """What a subscriber got, picture by picture."""
    by_timestamp: dict[int, list[RtpPacket]] = {}
    for packet in client.rtp:
        by_timestamp.setdefault(packet.timestamp, []).append(packet)
    return list(by_timestamp.values())


def check_decodable(client: Client, mode: Mode) -> None:
    """Numbers without a gap; one marker a picture, at its end; nothing refers to what is not there."""
    assert steps(client.sequences()) == {1}
    had: set[tuple[int, int]] = set()
    for picture in pictures(client):
        assert [bool(packet.marker) for packet in picture] == [False] * (len(picture) - 1) + [True]
        for packet in picture:
            frame = describe(packet)
            if frame.begins and frame.predicted:
                for back in frame.references:
                    assert ((frame.picture - back) & 0x7FFF, frame.spatial) in had
            if frame.begins and frame.spatial and (mode == "full" or not frame.predicted):
                assert (frame.picture, frame.spatial - 1) in had
            had.add((frame.picture, frame.spatial))


def layers_of(picture: list[RtpPacket]) -> set[int]:
    """The spatial layers in it."""
    return {describe(packet).spatial for packet in picture}


@pytest.mark.parametrize("mode", ["full", "keyed"])
@pytest.mark.parametrize("flexible", [True, False])
@pytest.mark.parametrize("spatial", [0, 1, 2])
def test_the_preferred_spatial_layer_and_what_it_needs_is_forwarded(
    mode: Mode, flexible: bool, spatial: int
) -> None:
    lecturer = Lecturer(mode=mode, flexible=flexible, picture=0x7FFA)
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, spatial)
    lecturer.film(30)
    key, *rest = pictures(subscriber)
    assert layers_of(key) == set(range(spatial + 1))
    needed = {spatial} if mode == "keyed" else set(range(spatial + 1))
    assert all(layers_of(picture) == needed for picture in rest)
    assert len(rest) == 29
    check_decodable(subscriber, mode)
    assert told(lecturer.world, consumer)[-1] == (spatial, 2)


@pytest.mark.parametrize("flexible", [True, False])
@pytest.mark.parametrize("temporal", [0, 1, 2])
def test_temporal_layers_above_the_preferred_one_are_left_out(flexible: bool, temporal: int) -> None:
    lecturer = Lecturer(flexible=flexible)
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 2, temporal)
    lecturer.film(40)
    assert {describe(packet).temporal for packet in subscriber.rtp} == set(range(temporal + 1))
    assert len(pictures(subscriber)) == {0: 10, 1: 20, 2: 40}[temporal]
    check_decodable(subscriber, "full")
    assert lecturer.world.drops().get("temporal_layer", 0) == {0: 180, 1: 120, 2: 0}[temporal]


@pytest.mark.parametrize("mode", ["full", "keyed"])
@pytest.mark.parametrize("flexible", [True, False])
def test_layers_that_nobody_announced_are_seen_and_chosen(mode: Mode, flexible: bool) -> None:
    lecturer = Lecturer(mode=mode, flexible=flexible, announced=False)
    whole, _ = lecturer.watched()
    subscriber, consumer = lecturer.watched()
    for wish in (1, 0, 2):
        lecturer.world.core.set_preferred_layers(consumer, wish)
        lecturer.film(30)
        lower = set() if mode == "keyed" else set(range(wish))
        assert layers_of(pictures(subscriber)[-1]) == {wish} | lower
        assert max(layers_of(pictures(whole)[-1])) == 2
        assert told(lecturer.world, consumer)[-1] == (wish, 2)
    assert layers_of(pictures(whole)[-1]) == ({2} if mode == "keyed" else {0, 1, 2})
    check_decodable(subscriber, mode)
    check_decodable(whole, mode)


def test_layers_that_stand_on_each_other_are_seen_to_whatever_was_announced() -> None:
    lecturer = Lecturer(mode="keyed")
    subscriber, _ = lecturer.watched()
    lecturer.film(20)
    assert layers_of(pictures(subscriber)[-1]) == {2}
    lecturer.mode = "full"
    lecturer.film(1, obeys=False)
    for _, packet in lecturer.packets(key=True):
        lecturer.client.send(packet)
    lecturer.film(10)
    assert layers_of(pictures(subscriber)[-1]) == {0, 1, 2}


def test_going_down_needs_no_key_picture_where_layers_stand_on_each_other() -> None:
    lecturer = Lecturer()
    subscriber, consumer = lecturer.watched()
    lecturer.film(10)
    assert not lecturer.requested() or len(lecturer.key_pictures) == 1
    lecturer.asked = 0
    lecturer.world.core.set_preferred_layers(consumer, 0)
    lecturer.film(10)
    assert lecturer.asked == 0
    assert layers_of(pictures(subscriber)[10]) == {0}, "with the next picture"
    check_decodable(subscriber, "full")
    assert told(lecturer.world, consumer)[-1] == (0, 2)


@pytest.mark.parametrize("mode", ["full", "keyed"])
@pytest.mark.parametrize("flexible", [True, False])
def test_going_up_waits_for_a_key_picture_and_keeps_the_lower_layer_until_then(
    mode: Mode, flexible: bool
) -> None:
    lecturer = Lecturer(mode=mode, flexible=flexible)
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 0)
    lecturer.film(40)
    keys = len(lecturer.key_pictures)
    lecturer.world.core.set_preferred_layers(consumer, 2)
    lecturer.film(10, obeys=False)
    assert all(layers_of(picture) == {0} for picture in pictures(subscriber)[1:50])
    lecturer.film(10)
    assert len(lecturer.key_pictures) == keys + 1
    assert len(pictures(subscriber)) == 60, "no picture was missed"
    assert max(layers_of(pictures(subscriber)[-1])) == 2
    check_decodable(subscriber, mode)
    assert told(lecturer.world, consumer)[-1] == (2, 2)


def test_keyed_layers_wait_for_a_key_picture_in_both_directions() -> None:
    lecturer = Lecturer(mode="keyed")
    subscriber, consumer = lecturer.watched()
    lecturer.film(40)
    lecturer.world.core.set_preferred_layers(consumer, 0)
    lecturer.film(10, obeys=False)
    assert all(layers_of(picture) == {2} for picture in pictures(subscriber)[40:])
    lecturer.film(20)
    assert layers_of(pictures(subscriber)[-1]) == {0}
    check_decodable(subscriber, "keyed")


@pytest.mark.parametrize("flexible", [True, False])
def test_a_higher_temporal_layer_is_entered_where_its_references_are(flexible: bool) -> None:
    lecturer = Lecturer(flexible=flexible)
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 2, 0)
    lecturer.film(14)
    lecturer.asked = 0
    lecturer.world.core.set_preferred_layers(consumer, 2, 2)
    lecturer.film(20)
    assert lecturer.asked == 0
    assert {describe(packet).temporal for packet in subscriber.rtp} == {0, 1, 2}
    assert len(pictures(subscriber)) >= 4 + 17
    check_decodable(subscriber, "full")


@pytest.mark.parametrize(
    ("mode", "kbps", "layers"),
    [
        ("full", 5_000, (2, 2)),
        ("full", 500, (2, 1)),
        ("full", 320, (1, 2)),
        ("full", 125, (0, 2)),
        ("keyed", 500, (2, 2)),
        ("keyed", 170, (1, 1)),
    ],
)
def test_a_subscriber_gets_the_layers_his_path_bears(mode: Mode, kbps: int, layers: tuple[int, int]) -> None:
    """The spatial layers cost some 105, 205 and 395 kbit/s by themselves."""
    lecturer = Lecturer(mode=mode)
    subscriber, consumer = lecturer.watched()
    lecturer.film(60)
    remb(subscriber, kbps)
    lecturer.film(90)
    assert told(lecturer.world, consumer)[-1] == layers
    before = sum(map(len, subscriber.raw))
    lecturer.film(60)
    assert (sum(map(len, subscriber.raw)) - before) * 8 / 2 / 1000 <= kbps
    check_decodable(subscriber, mode)


def test_a_layer_that_is_no_longer_sent_is_left() -> None:
    lecturer = Lecturer(mode="keyed")
    subscriber, consumer = lecturer.watched()
    lecturer.film(30)
    lecturer.layers = 2
    lecturer.film(40)
    assert told(lecturer.world, consumer)[-1] == (1, 2)
    assert layers_of(pictures(subscriber)[-1]) == {1}
    lecturer.layers = 3
    lecturer.film(30)
    assert told(lecturer.world, consumer)[-1] == (2, 2)
    assert steps(subscriber.sequences()) == {1}


def test_what_is_resent_ends_the_picture_where_it_ended_before() -> None:
    lecturer = Lecturer()
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 0)
    lecturer.film(3)
    last = next(packet for packet in reversed(subscriber.rtp) if packet.marker)
    lecturer.world.core.set_preferred_layers(consumer, 2)
    lecturer.film(3)
    nack = bytes([0x81, 205, 0, 3]) + (1).to_bytes(4, "big") + (10).to_bytes(4, "big")
    subscriber.send_rtcp(nack + last.sequence_number.to_bytes(2, "big") + bytes(2))
    again = [packet for packet in subscriber.rtp if packet.payload_type == 101]
    assert [(packet.payload[2:], packet.marker) for packet in again] == [(last.payload, 1)]


def test_a_tap_gets_every_layer() -> None:
    lecturer = Lecturer()
    tap = lecturer.world.core.add_tap(lecturer.producer, 10_000)
    lecturer.film(30)
    packets = [RtpPacket.parse(packet) for _, packet in lecturer.world.core.drain_tap(tap).packets]
    assert {describe(packet).spatial for packet in packets} == {0, 1, 2}
    assert len(packets) == 30 * 6


def test_a_publisher_hears_which_spatial_layers_anybody_wants() -> None:
    lecturer = Lecturer()
    _, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 1)
    lecturer.film(150)
    wanted = [
        event.spatial
        for event in lecturer.world.core.drain_events()
        if event.kind is EventKind.PRODUCER_LAYERS_WANTED
    ]
    assert wanted == [1]


def test_a_packet_lost_on_the_way_in_keeps_its_place() -> None:
    lecturer = Lecturer()
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 1)
    lecturer.film(5)
    late = None
    for spatial, packet in lecturer.packets():
        if spatial == 1 and late is None:
            late = packet
        else:
            lecturer.client.send(packet)
    lecturer.world.advance(FRAME_US)
    lecturer.film(3)
    assert steps(subscriber.sequences()) == {1, 2}
    assert late is not None
    lecturer.client.send(late)
    lecturer.world.advance(FRAME_US)
    numbers = sorted(subscriber.sequences())
    assert steps(numbers) == {1}


@pytest.mark.parametrize("flexible", [True, False])
def test_a_piece_that_comes_late_of_a_frame_that_was_left_out_is_left_out_too(flexible: bool) -> None:
    """Nor is a frame sent that refers to one: its number is used up by padding, so that nobody waits for it."""
    lecturer = Lecturer(flexible=flexible)
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 1)
    lecturer.film(3)
    late = []
    for index in range(8):
        for spatial, packet in lecturer.packets():
            if spatial == 2 and index % 3 == 2:
                late.append(packet)  # a whole frame
            elif spatial == 2 and len(late) <= index:
                late.append(packet)  # the first piece of one
            else:
                lecturer.client.send(packet)
        lecturer.world.advance(FRAME_US)
    lecturer.film(3)
    for packet in late:
        lecturer.client.send(packet)
    asked = bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=10, lost=subscriber.sequences()[-len(late) :]))
    subscriber.send_rtcp(asked)
    assert steps(sorted(subscriber.sequences())) == {1}
    assert {describe(packet).spatial for packet in subscriber.rtp if packet.payload} == {0, 1}
    assert len([packet for packet in subscriber.rtp if not packet.payload]) == len(late)


def test_a_picture_that_comes_late_is_left_out_where_its_time_had_no_use_for_it() -> None:
    """Though all that it refers to is there."""
    lecturer = Lecturer()
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 2, 1)
    lecturer.film(9)
    late = [packet for _, packet in lecturer.packets()]
    lecturer.film(3)
    lecturer.world.core.set_preferred_layers(consumer, 2, 2)
    lecturer.film(8)
    for packet in late:
        lecturer.client.send(packet)
    assert steps(sorted(subscriber.sequences())) == {1}
    assert [len(packet.payload) for packet in subscriber.rtp[-len(late) :]] == [0] * len(late)


def test_the_beginning_of_the_first_frame_of_a_higher_layer_may_come_late() -> None:
    lecturer = Lecturer(layers=1)
    subscriber, consumer = lecturer.watched()
    lecturer.world.core.set_preferred_layers(consumer, 0, 0)
    lecturer.film(9)
    lecturer.world.core.set_preferred_layers(consumer, 0, 2)
    late, *rest = [packet for _, packet in lecturer.packets()]
    for packet in rest:
        lecturer.client.send(packet)
    lecturer.world.advance(FRAME_US)
    lecturer.client.send(late)
    lecturer.world.advance(FRAME_US)
    assert steps(sorted(subscriber.sequences())) == {1}
    assert subscriber.rtp[-1].payload
    assert describe(subscriber.rtp[-1]).temporal == 2
