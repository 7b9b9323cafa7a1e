"""Layers told by the dependency descriptor (AV1, H.264): what each subscriber gets, and which descriptor with it."""

import struct
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from aiortc.rtp import RtcpPsfbPacket

from tests.media.plane import probe
from tests.media.plane.descriptors import L1T3, Descriptor, Structure, spatial_structure
from tests.media.plane.test_layers import told
from tests.media.plane.world import FRAME_US, VIDEO, Client, World, steps

DEPENDENCY = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
# Templates of `descriptors`, frame by frame of a picture, a key picture's and those of a group of four.
TEMPORAL = ([0], [[1], [3], [2], [4]])
SPATIAL = ([0, 3], [[1, 4], [2, 5]])


def packet(sequence: int, timestamp: int, payload: bytes, descriptor: bytes, *, marker: bool) -> bytes:
    """With the two-byte form of header extensions (RFC 8285 section 4.3)."""
    block = bytes([12, len(descriptor)]) + descriptor
    block += bytes(-len(block) % 4)
    head = struct.pack(
        "!BBHII", 0x90, VIDEO | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 1000
    )
    return head + struct.pack("!HH", 0x1000, len(block) // 4) + block + payload


class Presenter:
    """Sends frames of two packets each, the descriptor on both."""

    def __init__(
        self, structure: Structure, pattern: tuple[list[int], list[list[int]]], codec: str = "av1"
    ) -> None:
        self.world = World()
        self.client = self.world.client()
        self.structure = structure
        self.pattern = pattern
        self.codec = codec
        self.producer = self.world.video(
            self.client,
            codec=codec,
            header_extensions={DEPENDENCY: 12},
            spatial_layers=structure.templates[-1].spatial + 1,
        )
        self.sequence = 65_500
        self.number = 65_530
        self.timestamp = 9_000
        self.step = 0
        self.keys = 0
        self.active = ""  # what the sender itself says of its decode targets, with every packet

    def picture(self, *, key: bool) -> list[bytes]:
        """The packets of the next picture."""
        templates = self.pattern[0] if key else self.pattern[1][self.step % len(self.pattern[1])]
        self.step = 1 if key else self.step + 1
        self.keys += key
        made = []
        for template in templates:
            for part in range(2):
                begins, ends = part == 0, part == 1
                descriptor = Descriptor(
                    (self.structure.offset + template) % 64,
                    self.number,
                    first=begins,
                    last=ends,
                    structure=self.structure if key and template == 0 and begins else None,
                    active=self.active,
                )
                first_of_all = key and template == 0 and begins
                if self.codec == "av1":
                    payload = bytes([0x10 | (0x08 if first_of_all else 0) | (0 if begins else 0x80)])
                else:
                    payload = b"\x65\x88" if key else b"\x41"
                marker = ends and template == templates[-1]
                made.append(
                    packet(
                        self.sequence,
                        self.timestamp,
                        payload + bytes(100),
                        descriptor.octets(),
                        marker=marker,
                    )
                )
                self.sequence += 1
            self.number += 1
        self.timestamp += 3000
        return made

    def film(self, pictures: int, *, obeys: bool = True) -> None:
        """A key picture first, and whenever one was asked for."""
        for _ in range(pictures):
            asked = [p for p in self.client.rtcp if isinstance(p, RtcpPsfbPacket) and p.fmt == 1]
            if obeys or not self.keys:
                self.client.rtcp.clear()
            for one in self.picture(key=not self.keys or (obeys and bool(asked))):
                self.client.send(one)
            self.world.advance(FRAME_US)

    def watched(self, extensions: dict[str, int] | None = None, **options: Any) -> tuple[Client, int]:
        """Somebody who watches and has asked for a key picture."""
        subscriber = self.world.client()
        wanted = {MID: 1, DEPENDENCY: 8} if extensions is None else extensions
        consumer = self.world.watch(subscriber, self.producer, header_extensions=wanted, mid="5", **options)
        self.world.collect()
        return subscriber, consumer


def descriptors(client: Client) -> list[bytes]:
    """Of each packet that a subscriber got."""
    found = []
    for raw in client.raw:
        parsed = probe.parse_rtp(raw)
        assert parsed is not None
        found.append(dict(parsed[5])[8])
    return found


def frames(client: Client) -> list[dict[str, object]]:
    """What a subscriber reads of each packet."""
    stream = probe.Dependencies()
    return [stream.read(one) for one in descriptors(client)]


def masks(client: Client) -> list[object]:
    """The decode targets that each packet a subscriber got says are there; "" where it says nothing."""
    return [frame["active"] for frame in frames(client)]


def check_decodable(client: Client) -> None:
    """Numbers without a gap, one marker a picture, and every reference there."""
    assert steps(client.sequences()) == {1}
    by_picture: dict[int, list[bool]] = {}
    for one in client.rtp:
        by_picture.setdefault(one.timestamp, []).append(bool(one.marker))
    assert all(marks == [False] * (len(marks) - 1) + [True] for marks in by_picture.values())
    had: set[int] = set()
    for frame in frames(client):
        number, references = frame["number"], frame["references"]
        assert isinstance(number, int)
        assert isinstance(references, list)
        assert all((number - back) & 0xFFFF in had for back in references)
        had.add(number)


@pytest.mark.parametrize("codec", ["av1", "h264"])
@pytest.mark.parametrize(("temporal", "pictures"), [(0, 10), (1, 20), (2, 40)])
def test_temporal_layers_above_the_preferred_one_are_left_out(
    codec: str, temporal: int, pictures: int
) -> None:
    presenter = Presenter(L1T3, TEMPORAL, codec)
    subscriber, consumer = presenter.watched()
    presenter.world.core.set_preferred_layers(consumer, 0, temporal)
    presenter.film(40)
    assert len({one.timestamp for one in subscriber.rtp}) == pictures
    assert {frame["temporal"] for frame in frames(subscriber)} == set(range(temporal + 1))
    check_decodable(subscriber)
    assert told(presenter.world, consumer)[-1] == (0, temporal)


def test_a_higher_temporal_layer_is_entered_where_the_descriptor_allows_it() -> None:
    presenter = Presenter(L1T3, TEMPORAL)
    subscriber, consumer = presenter.watched()
    presenter.world.core.set_preferred_layers(consumer, 0, 0)
    presenter.film(10)
    presenter.world.core.set_preferred_layers(consumer, 0, 2)
    presenter.film(10)
    assert presenter.keys == 1
    assert {frame["temporal"] for frame in frames(subscriber)} == {0, 1, 2}
    check_decodable(subscriber)


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("spatial", [0, 1])
def test_the_preferred_spatial_layer_and_what_it_needs_is_forwarded(keyed: bool, spatial: int) -> None:
    presenter = Presenter(spatial_structure(keyed=keyed), SPATIAL)
    subscriber, consumer = presenter.watched()
    presenter.world.core.set_preferred_layers(consumer, spatial)
    presenter.film(20)
    layers = [frame["spatial"] for frame in frames(subscriber)]
    assert set(layers[4:]) == ({spatial} if keyed else set(range(spatial + 1)))
    check_decodable(subscriber)
    assert told(presenter.world, consumer)[-1] == (spatial, 1)


@pytest.mark.parametrize("keyed", [True, False])
def test_the_spatial_layer_follows_the_wish(keyed: bool) -> None:
    presenter = Presenter(spatial_structure(keyed=keyed), SPATIAL)
    subscriber, consumer = presenter.watched()
    presenter.film(10)
    for wish, keys in ((0, keyed), (1, True)):
        before = presenter.keys
        presenter.world.core.set_preferred_layers(consumer, wish)
        presenter.film(20)
        assert frames(subscriber)[-1]["spatial"] == wish
        assert (presenter.keys > before) == keys, "only where it cannot be done without"
    assert len({one.timestamp for one in subscriber.rtp}) == 50, "no picture was missed"
    check_decodable(subscriber)


def test_frame_numbers_go_on_over_a_pause() -> None:
    presenter = Presenter(L1T3, TEMPORAL)
    subscriber, consumer = presenter.watched()
    presenter.film(8)
    presenter.world.core.set_consumer_paused(consumer, True)
    presenter.film(20)
    presenter.world.core.set_consumer_paused(consumer, False)
    presenter.film(8)
    numbers = [frame["number"] for frame in frames(subscriber)]
    assert all(isinstance(number, int) for number in numbers)
    assert steps([number for number in numbers if isinstance(number, int)]) == {0, 1}
    check_decodable(subscriber)


def test_who_does_not_know_the_descriptor_gets_the_layers_without_it() -> None:
    presenter = Presenter(L1T3, TEMPORAL)
    subscriber, consumer = presenter.watched({MID: 1})
    presenter.world.core.set_preferred_layers(consumer, 0, 1)
    presenter.film(20)
    assert len({one.timestamp for one in subscriber.rtp}) == 10
    assert all(raw[12:14] == b"\xbe\xde" and len(raw) == 12 + 4 + 4 + 101 for raw in subscriber.raw)


def test_without_descriptors_every_layer_goes_to_everybody() -> None:
    presenter = Presenter(L1T3, TEMPORAL)
    world = presenter.world
    bare = world.client()
    producer = world.video(bare, codec="av1")
    subscriber = world.client()
    consumer = world.watch(subscriber, producer)
    world.core.set_preferred_layers(consumer, 0, 0)
    presenter.client, presenter.producer = bare, producer
    presenter.film(20)
    assert len(subscriber.rtp) == 40
    assert world.core.producer_statistics(producer).key_frames == presenter.keys


def test_a_structure_that_was_lost_and_comes_late_is_used() -> None:
    presenter = Presenter(L1T3, TEMPORAL)
    subscriber, consumer = presenter.watched()
    presenter.world.core.set_preferred_layers(consumer, 0, 0)
    presenter.film(4)
    presenter.structure = replace(L1T3, offset=40)  # none of its templates is known before
    first, second = presenter.picture(key=True)
    for one in (second, first, *(one for _ in range(8) for one in presenter.picture(key=False))):
        presenter.client.send(one)
    presenter.world.advance(FRAME_US)
    assert [frame.get("temporal") for frame in frames(subscriber)[2:]] == [None, 0, 0, 0, 0, 0]


def test_who_gets_every_layer_gets_the_descriptor_as_it_is() -> None:
    presenter = Presenter(spatial_structure(keyed=False), SPATIAL)
    subscriber, _ = presenter.watched()
    presenter.film(20)
    assert set(masks(subscriber)) == {""}
    assert {len(descriptor) for descriptor in descriptors(subscriber)[1:]} == {3}


@pytest.mark.parametrize(
    ("structure", "pattern", "layers", "mask"),
    [
        (L1T3, TEMPORAL, (0, 0), "001"),
        (L1T3, TEMPORAL, (0, 1), "011"),
        (spatial_structure(keyed=False), SPATIAL, (0, 1), "0011"),
        (spatial_structure(keyed=False), SPATIAL, (1, 0), "0101"),
        # Between key pictures the lower layer is not sent with the upper one.
        (spatial_structure(keyed=True), SPATIAL, (1, 1), "1100"),
        (spatial_structure(keyed=True), SPATIAL, (0, 0), "0001"),
    ],
)
def test_only_decode_targets_that_are_sent_are_named(
    structure: Structure, pattern: tuple[list[int], list[list[int]]], layers: tuple[int, int], mask: str
) -> None:
    presenter = Presenter(structure, pattern)
    subscriber, consumer = presenter.watched()
    presenter.world.core.set_preferred_layers(consumer, *layers)
    presenter.film(20)
    assert set(masks(subscriber)) == {mask}, "in every packet, so that no loss hides it"
    check_decodable(subscriber)


def test_that_all_layers_are_there_again_is_said_until_a_structure_says_it() -> None:
    presenter = Presenter(L1T3, TEMPORAL)
    subscriber, consumer = presenter.watched()
    presenter.film(4)
    presenter.world.core.set_preferred_layers(consumer, 0, 0)
    presenter.film(8)
    presenter.world.core.set_preferred_layers(consumer, 0, 2)
    presenter.film(8)
    presenter.world.core.request_key_frame(consumer)
    presenter.film(8)
    told_in_turn = [mask for mask, before in pairwise([*masks(subscriber), None]) if mask != before]
    assert told_in_turn[:2] == ["", "001"]
    assert told_in_turn[-2:] == ["111", ""]
    assert presenter.keys == 2
    check_decodable(subscriber)


def test_what_the_sender_itself_leaves_out_is_not_named_either() -> None:
    presenter = Presenter(spatial_structure(keyed=False), SPATIAL)
    presenter.active = "0111"
    whole, _ = presenter.watched()
    subscriber, consumer = presenter.watched()
    presenter.world.core.set_preferred_layers(consumer, 0, 1)
    presenter.film(12)
    assert set(masks(whole)) == {"0111"}
    assert set(masks(subscriber)) == {"0011"}
    presenter.world.core.set_preferred_layers(consumer, 0, 0)
    presenter.active = "1110"
    presenter.film(12)
    assert masks(whole)[-1] == "1110"
    assert masks(subscriber)[-1] == "1110", "none of it is left: the sender's word stands"


def test_sent_again_a_packet_names_what_it_named_before() -> None:
    """Without RTX it is the same SRTP packet, which must not differ (RFC 3711 section 9.1)."""
    presenter = Presenter(L1T3, TEMPORAL)
    subscriber, consumer = presenter.watched(rtx_ssrc=None, rtx_payload_type=None)
    datagrams: list[bytes] = []

    def keep(client: Client, packet: bytes) -> bool:
        if client is subscriber and not 192 <= packet[1] <= 223:
            datagrams.append(packet)
        return client is subscriber

    presenter.world.lose = keep
    presenter.world.core.set_preferred_layers(consumer, 0, 1)
    presenter.film(8)
    lost = datagrams[-1]
    presenter.world.core.set_preferred_layers(consumer, 0, 0)
    presenter.film(4)
    datagrams.clear()
    nack = bytes([0x81, 205, 0, 3]) + (1).to_bytes(4, "big") + (10).to_bytes(4, "big")
    subscriber.send_rtcp(nack + lost[2:4] + bytes(2))
    assert datagrams == [lost]
