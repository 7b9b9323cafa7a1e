"""A subscriber's bandwidth at work: layers change without a frozen picture, sound goes on, the client is told."""

import itertools
import struct

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket

from media.plane import Encoding, EventKind
from tests.media.plane.world import (
    AUDIO,
    MID,
    REPAIRED_RID,
    RID,
    SUB_AUDIO,
    SUB_VIDEO,
    Camera,
    Client,
    World,
    rtp,
    steps,
    unbroken,
)

SSRCS = {"l": 1001, "m": 1002, "h": 1003}
EXTENSIONS = {MID: 1, RID: 2, REPAIRED_RID: 3}
# With these a layer costs some 75, 225 and 720 kbit/s, a quarter of each in its lowest frames, half in the two lowest.
SIZES = {"l": 80, "m": 290, "h": 980}
PATTERN = (0, 2, 1, 2)


class Studio:
    """A publisher with three sizes, of three temporal layers each if VP8, filmed all the time."""

    def __init__(self, world: World | None = None, codec: str = "vp8") -> None:
        self.world = world or World()
        self.publisher = self.world.client()
        self.producer = self.world.video(
            self.publisher,
            codec=codec,
            encodings=[Encoding(rid=rid) for rid in SSRCS],
            header_extensions=EXTENSIONS,
            mid="0",
        )
        self.cameras = {
            rid: Camera(
                self.publisher,
                ssrc=ssrc,
                sequence=ssrc * 37,
                timestamp=ssrc * 100_003,
                picture=ssrc * 17,
                extensions=((1, b"0"), (2, rid.encode())),
                codec=codec,
            )
            for rid, ssrc in SSRCS.items()
        }
        self.frames = 0
        self.obeys = True
        self.asked: list[str] = []  # for key frames, not answered yet

    def film(self, seconds: float, layers: str = "lmh") -> None:
        """Send frames, with a key frame wherever one was asked for."""
        for _ in range(round(seconds * 30)):
            self.frame(layers)
            self.world.advance(33_333)

    def frame(self, layers: str = "lmh") -> None:
        """One frame of each of the layers, now."""
        self.asked += self.requests()
        temporal = PATTERN[self.frames % 4]
        for rid in layers:
            key = self.frames == 0 or (self.obeys and rid in self.asked)
            if key and rid in self.asked:
                self.asked.remove(rid)
            for packet in self.cameras[rid].packetize(
                key=key,
                temporal=0 if key else temporal,
                sync=temporal > 0 and self.frames % 8 < 4,
                size=SIZES[rid],
            ):
                self.publisher.send(packet)
        self.frames += 1

    def requests(self) -> list[str]:
        """The streams asked for since the last look."""
        by_ssrc = {ssrc: rid for rid, ssrc in SSRCS.items()}
        found = [
            by_ssrc[p.media_ssrc] for p in self.publisher.rtcp if isinstance(p, RtcpPsfbPacket) and p.fmt == 1
        ]
        self.publisher.rtcp.clear()
        return found


def remb(client: Client, kbps: int) -> None:
    """What the client's path bears."""
    mantissa, exponent = kbps * 1000, 0
    while mantissa >= 1 << 18:
        mantissa, exponent = mantissa >> 1, exponent + 1
    body = b"REMB" + bytes([1]) + (exponent << 18 | mantissa).to_bytes(3, "big") + struct.pack("!I", 10)
    client.send_rtcp(struct.pack("!BBHII", 0x8F, 206, 5, 1, 0) + body)


def told(world: World, consumer: int) -> list[tuple[int, int]]:
    """The layers a consumer was told of since the last look."""
    return [
        (event.spatial, event.temporal)
        for event in world.core.drain_events()
        if event.kind is EventKind.CONSUMER_LAYERS_CHANGED and event.handle == consumer
    ]


def rate_kbps(client: Client, studio: Studio, seconds: float) -> float:
    """What a client receives while the studio goes on."""
    before = sum(map(len, client.raw))
    studio.film(seconds)
    return (sum(map(len, client.raw)) - before) * 8 / seconds / 1000


@pytest.mark.parametrize(
    ("codec", "kbps", "layers"),
    [
        ("vp8", 900, (2, 2)),
        ("vp8", 600, (2, 1)),
        ("vp8", 330, (1, 2)),
        ("vp8", 200, (1, 1)),
        ("vp8", 90, (0, 2)),
        ("vp8", 30, (0, 0)),
        ("h264", 900, (2, 0)),
        ("h264", 600, (1, 0)),
        ("h264", 200, (0, 0)),
        ("h264", 30, (-1, -1)),
    ],
)
def test_a_subscriber_gets_what_his_path_bears(codec: str, kbps: int, layers: tuple[int, int]) -> None:
    studio = Studio(codec=codec)
    world, subscriber = studio.world, studio.world.client()
    consumer = world.watch(subscriber, studio.producer)
    studio.film(2)
    remb(subscriber, kbps)
    studio.film(1)
    assert told(world, consumer)[-1] == layers
    assert rate_kbps(subscriber, studio, 3) <= kbps
    assert unbroken(subscriber, codec)


@pytest.mark.parametrize(
    ("codec", "most"),
    [
        ("vp8", 330),
        ("h264", 800),  # of which nothing can be left out
    ],
)
def test_going_down_asks_for_the_lower_layer_at_once_and_never_freezes(codec: str, most: int) -> None:
    studio = Studio(codec=codec)
    world, subscriber = studio.world, studio.world.client()
    world.watch(subscriber, studio.producer)
    studio.film(2)
    studio.obeys = False
    remb(subscriber, 330)
    world.advance(50_000)
    assert studio.requests() == ["m"]
    kept = rate_kbps(subscriber, studio, 1)
    assert 0 < kept <= most, "until its key frame comes the old one goes on, thinned out"
    before = len(subscriber.rtp)
    studio.asked.append("m")
    studio.obeys = True
    studio.film(1)
    assert len(subscriber.rtp) > before
    assert unbroken(subscriber, codec)


@pytest.mark.parametrize(("codec", "temporal"), [("vp8", 2), ("h264", 0)])
def test_going_up_waits_and_keeps_the_lower_layer_until_the_key_frame(codec: str, temporal: int) -> None:
    studio = Studio(codec=codec)
    world, subscriber = studio.world, studio.world.client()
    consumer = world.watch(subscriber, studio.producer)
    studio.film(2)
    remb(subscriber, 90)
    studio.film(2)
    assert told(world, consumer)[-1] == (0, temporal)
    remb(subscriber, 2_000)
    studio.obeys = False
    studio.film(0.8)
    assert "h" not in studio.asked
    studio.film(0.6)
    assert "h" in studio.asked
    frames = len(subscriber.rtp)
    studio.film(0.5)
    assert len(subscriber.rtp) > frames
    studio.obeys = True
    studio.film(0.5)
    assert told(world, consumer)[-1] == (2, temporal)
    assert unbroken(subscriber, codec)


def test_when_nothing_fits_the_picture_pauses_the_client_is_told_and_sound_goes_on() -> None:
    studio = Studio()
    world, subscriber = studio.world, studio.world.client()
    microphone = world.audio(studio.publisher)
    consumer = world.watch(subscriber, studio.producer)
    world.listen(subscriber, microphone)
    spoken = itertools.count(100)

    def talk(seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            for number in itertools.islice(spoken, 5):
                studio.publisher.send(rtp(number, 960 * number, 3000, bytes(60), payload_type=AUDIO))
            studio.film(0.1)

    talk(2)
    remb(subscriber, 50)
    world.advance(60_000)
    assert told(world, consumer)[-1] == (-1, -1)
    pictures = len(subscriber.sequences(SUB_VIDEO))
    sounds = len(subscriber.sequences(SUB_AUDIO))
    withheld = world.drops().get("starved", 0)
    talk(2)
    assert world.drops()["starved"] > withheld
    assert len(subscriber.sequences(SUB_VIDEO)) == pictures
    assert len(subscriber.sequences(SUB_AUDIO)) - sounds == 100
    assert studio.asked == [], "nobody is asked for a picture that cannot be sent"
    remb(subscriber, 250)
    talk(2)
    assert told(world, consumer)[-1][0] == 1
    assert steps(subscriber.sequences(SUB_VIDEO)) == {1}
    remb(subscriber, 30)
    talk(1)
    assert len(subscriber.sequences(SUB_AUDIO)) - sounds == 250


@pytest.mark.parametrize("speaks", [False, True])
def test_who_has_no_picture_and_says_no_more_is_sent_the_least_one_again(speaks: bool) -> None:
    """Without a picture some clients measure nothing, and never take back what they said last."""
    studio = Studio(codec="h264")
    world, subscriber = studio.world, studio.world.client()
    consumer = world.watch(subscriber, studio.producer)
    studio.film(2)
    remb(subscriber, 2)
    studio.film(1)
    assert told(world, consumer)[-1] == (-1, -1)
    for _ in range(8):
        studio.film(1)
        if speaks:
            remb(subscriber, 2)
    assert told(world, consumer) == ([] if speaks else [(0, 0)])


def test_the_higher_priority_keeps_its_picture() -> None:
    world = World()
    first, second = Studio(world), Studio(world)
    subscriber = world.client()
    consumers = [
        world.watch(subscriber, studio.producer, ssrc=10 + 2 * index, rtx_ssrc=11 + 2 * index)
        for index, studio in enumerate((first, second))
    ]

    def layers_after(seconds: float) -> list[int]:
        for _ in range(round(30 * seconds)):
            first.frame()
            second.frame()
            world.advance(33_333)
        counted = [world.core.consumer_statistics(consumer) for consumer in consumers]
        assert [one.bandwidth_limited for one in counted] == [one.spatial_layer < 2 for one in counted]
        return [one.spatial_layer for one in counted]

    assert layers_after(1) == [2, 2]
    world.core.set_priority(consumers[1], 200)
    remb(subscriber, 300)
    assert layers_after(0.3) == [0, 1]
    remb(subscriber, 30)
    assert layers_after(0.3) == [-1, 0]
    world.core.set_priority(consumers[0], 255)
    assert layers_after(0.3)[0] == 0, "the client's word counts at once"
    assert layers_after(6) == [0, -1], "and who half fits is given some seconds"


def test_a_tile_that_grows_gets_the_larger_picture_without_waiting() -> None:
    studio = Studio()
    world, subscriber = studio.world, studio.world.client()
    consumer = world.watch(subscriber, studio.producer)
    world.core.set_preferred_layers(consumer, 0)
    remb(subscriber, 3_000)
    studio.film(2)
    assert told(world, consumer)[-1] == (0, 2)
    world.core.set_preferred_layers(consumer, 2)
    studio.film(0.2)
    assert told(world, consumer)[-1] == (2, 2)


def test_three_hundred_late_joiners_cause_one_request_a_layer() -> None:
    studio = Studio()
    world = studio.world
    studio.film(2)
    studio.requests()
    studio.obeys = False
    for index in range(300):
        subscriber = world.client()
        consumer = world.watch(subscriber, studio.producer)
        if index % 2:
            world.core.set_preferred_layers(consumer, 0)
        world.advance(500)
    assert sorted(studio.requests()) == ["h", "l"]


def test_nothing_is_asked_for_streams_that_nobody_gets() -> None:
    """Neither key frames nor lost packets, whether everybody looks away or prefers another layer."""
    studio = Studio()
    world, subscriber = studio.world, studio.world.client()
    consumer = world.watch(subscriber, studio.producer)
    world.core.set_preferred_layers(consumer, 1)
    studio.film(1)
    studio.requests()

    def lose(rid: str) -> list[object]:
        frame = studio.cameras[rid].packetize(size=SIZES[rid])
        for packet in frame[::2]:
            studio.publisher.send(packet)
        world.advance(100_000)
        asked = [p for p in studio.publisher.rtcp if isinstance(p, RtcpRtpfbPacket | RtcpPsfbPacket)]
        studio.publisher.rtcp.clear()
        return [packet for packet in asked if packet.media_ssrc == SSRCS[rid]]

    assert lose("m")
    assert lose("h") == []
    world.core.set_consumer_paused(consumer, True)
    assert lose("m") == []
    pictures = len(subscriber.rtp)
    studio.film(1)
    assert studio.requests() == []
    assert len(subscriber.rtp) == pictures
    world.core.set_producer_paused(studio.producer, True)
    world.core.set_producer_paused(studio.producer, False)
    world.collect()
    assert studio.requests() == []
    world.core.set_consumer_paused(consumer, False)
    world.collect()
    assert studio.requests() == ["m"]


def wanted(world: World, producer: int) -> list[int]:
    """What the publisher was told to send."""
    return [
        event.spatial
        for event in world.core.drain_events()
        if event.kind is EventKind.PRODUCER_LAYERS_WANTED and event.handle == producer
    ]


def test_a_publisher_hears_which_layers_anybody_wants() -> None:
    studio = Studio()
    world = studio.world
    small, large = world.client(), world.client()
    consumers = [world.watch(client, studio.producer) for client in (small, large)]
    world.core.set_preferred_layers(consumers[0], 0)
    studio.film(6)
    assert wanted(world, studio.producer) == []
    world.core.set_consumer_paused(consumers[1], True)
    studio.film(3)
    assert wanted(world, studio.producer) == [], "people scroll to and fro"
    studio.film(2)
    assert wanted(world, studio.producer) == [0]
    world.core.set_consumer_paused(consumers[0], True)
    studio.film(5, "l")
    assert wanted(world, studio.producer) == [-1]
    world.core.set_consumer_paused(consumers[1], False)
    world.advance(1_000)
    assert wanted(world, studio.producer) == [2], "at once"
    studio.film(0.3)
    assert world.core.consumer_statistics(consumers[1]).spatial_layer == 2


def test_a_recording_wants_everything_whatever_people_look_at() -> None:
    studio = Studio()
    world = studio.world
    tap = world.core.add_tap(studio.producer, 10_000)
    studio.film(8)
    assert wanted(world, studio.producer) == []
    packets = world.core.drain_tap(tap).packets
    assert len(packets) >= 7 * 90
