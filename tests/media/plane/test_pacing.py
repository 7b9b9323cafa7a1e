"""What exceeds a narrow line for a moment leaves in steps; what has room, and every voice, leaves as it comes."""

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, pack_remb_fci

from media.plane import Encoding
from tests.media.plane.world import (
    AUDIO,
    SUB_AUDIO,
    SUB_RTX,
    Camera,
    Client,
    World,
    picture_of,
    rtp,
    steps,
)

NARROW = 1_200_000  # bit/s; 7,500 bytes in 40 ms of its pace
BURST = 7_500
SIZE = 1_000
WIRE = 1_100  # bytes of such a packet, with all heads


class Watcher:
    """A subscriber that knows when each packet of video came."""

    def __init__(self, world: World, client: Client) -> None:
        self.world = world
        self.client = client
        self.times: list[int] = []
        take = client.take

        def timed(packet: bytes) -> None:
            before = len(client.rtp)
            take(packet)
            self.times += [world.now] * (len(client.rtp) - before)

        client.take = timed  # type: ignore[method-assign]

    def most_within(self, microseconds: int) -> int:
        """Packets of any stretch of time so long."""
        return max(sum(at <= other < at + microseconds for other in self.times) for at in self.times)


class Show:
    """Small frames, a large one now and then, and a subscriber on a narrow line."""

    def __init__(self, bps: int = NARROW, *, encodings: int = 1, size: int = 200) -> None:
        self.world = World()
        self.publisher = self.world.client()
        self.client = self.world.client()
        self.producer = self.world.video(
            self.publisher, encodings=[Encoding(1000 + i, 2000 + i) for i in range(encodings)]
        )
        self.camera = Camera(self.publisher, packets=1)
        self.consumer = self.world.watch(self.client, self.producer)
        if bps:
            self.tell(bps)
        self.camera.frame(key=True)
        for _ in range(30):
            self.camera.frame(size=size)
        self.watcher = Watcher(self.world, self.client)
        self.before = len(self.client.rtp)

    def tell(self, bps: int) -> None:
        fci = pack_remb_fci(bps, [10])
        self.client.send_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)))

    def large(self, packets: int = 20, *, key: bool = True) -> None:
        """A frame of so many packets, all at once."""
        self.camera.packets = packets
        for packet in self.camera.packetize(key=key, size=SIZE):
            self.publisher.send(packet)
        self.camera.packets = 1

    @property
    def got(self) -> int:
        return len(self.client.rtp) - self.before


def test_a_key_frame_leaves_in_steps_on_a_narrow_line() -> None:
    show = Show()
    show.large()
    assert 1 <= show.got <= BURST // SIZE + 1
    show.world.advance(120_000)
    assert show.got == 20
    assert steps(show.client.sequences()) == {1}
    assert show.watcher.most_within(5_000) <= BURST // SIZE + 1
    assert show.watcher.most_within(40_000) * SIZE <= 3 * BURST + SIZE


def test_a_key_frame_leaves_at_once_where_there_is_room() -> None:
    for bps in (0, 20_000_000):
        show = Show(bps)
        show.large()
        assert show.got == 20


def test_what_follows_keeps_its_place_behind() -> None:
    show = Show()
    show.large()
    for _ in range(10):
        show.camera.frame(size=200)
    assert show.got == 30
    assert steps(show.client.sequences()) == {1}
    assert steps([picture_of(packet) for packet in show.client.rtp], 15) == {0, 1}


def test_sound_does_not_wait() -> None:
    show = Show()
    microphone = show.world.audio(show.publisher)
    show.world.listen(show.client, microphone)
    show.large()
    behind = show.got
    for number in range(3):
        show.publisher.send(rtp(number, 960 * number, 3000, b"voice", payload_type=AUDIO))
        show.world.advance(1_000)
    assert len(show.client.sequences(SUB_AUDIO)) == 3
    assert len(show.client.sequences()) - show.before <= behind + 1


def test_nothing_waits_longer_than_six_tenths_of_a_second() -> None:
    """25 packets, of which the pace alone would let one go each 28 ms."""
    show = Show(240_000, size=60)
    show.large(25)
    show.world.advance(590_000)
    assert show.got < 25
    show.world.advance(20_000)
    assert show.got == 25


def test_a_packet_that_comes_late_fills_its_gap() -> None:
    show = Show()
    show.camera.packets = 20
    frame = show.camera.packetize(key=True, size=SIZE)
    for packet in frame[:10] + frame[11:]:
        show.publisher.send(packet)
    show.world.advance(20_000)
    show.publisher.send(frame[10])
    show.world.advance(120_000)
    assert show.got == 20
    numbers = sorted(
        show.client.sequences(), key=lambda number: (number - show.client.sequences()[0]) & 0xFFFF
    )
    assert steps(numbers) == {1}
    assert len(set(numbers)) == len(numbers), "no packet twice"


def test_another_stream_begins_and_what_was_left_of_the_old_one_is_let_go() -> None:
    show = Show(encodings=2)
    other = Camera(show.publisher, ssrc=1001, sequence=9_000, timestamp=77, picture=700, packets=1)
    show.world.core.set_preferred_layers(show.consumer, 0)
    for _ in range(60):
        show.camera.frame(size=200)
        other.frame(size=200)
    show.before = len(show.client.rtp)
    show.large(40)
    behind = show.got
    assert behind < 10
    show.world.core.set_preferred_layers(show.consumer, 1)
    other.frame(key=True, size=200)
    show.camera.frame(size=200)
    show.world.advance(300_000)
    assert show.got == behind + 1, "nothing more of the old picture"
    assert show.world.drops()["let_go"] == 40 - behind
    assert steps(show.client.sequences()) == {1}


def test_a_late_joiner_on_a_narrow_line_gets_the_past_in_steps_and_quickly() -> None:
    show = Show()
    late = show.world.client()
    watcher = Watcher(show.world, late)
    fci = pack_remb_fci(NARROW, [10])
    late.send_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)))
    show.large(10)
    for _ in range(5):
        show.camera.frame(size=200)
    show.world.watch(late, show.producer)
    show.world.collect()
    assert 1 <= len(late.rtp) < 15
    show.world.advance(100_000)
    assert len(late.rtp) == 15
    assert watcher.most_within(5_000) <= BURST // SIZE + 1
    assert steps(late.sequences()) == {1}
    assert steps([packet.timestamp for packet in late.rtp], 32) == {0, 90}


def test_repairs_go_before_what_is_new_but_not_without_bound() -> None:
    show = Show()
    show.world.advance(100_000)
    sent = show.client.sequences()[-20:]
    show.large()
    lost = bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=10, lost=sent))
    show.client.send_rtcp(lost)
    show.world.advance(1_000)
    assert len(show.client.sequences(SUB_RTX)) == 20
    show.world.advance(200_000)
    sent = show.client.sequences()[-20:]
    for _ in range(3):
        show.client.send_rtcp(bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=10, lost=sent)))
        show.world.advance(25_000)
    assert len(show.client.sequences(SUB_RTX)) < 20 + 60
    assert show.world.drops()["nack_throttled"] > 0


@pytest.mark.parametrize("action", ["pause", "remove"])
def test_who_is_behind_may_go(action: str) -> None:
    show = Show()
    show.large()
    behind = show.got
    if action == "pause":
        show.world.core.set_consumer_paused(show.consumer, True)
    else:
        show.world.core.remove_consumer(show.consumer)
    show.world.advance(200_000)
    assert show.got == behind
    assert show.world.drops().get("let_go", 0) == (20 - behind if action == "pause" else 0)


def test_what_a_publisher_leaves_behind_by_beginning_anew_is_let_go() -> None:
    show = Show()
    show.large()
    behind = show.got
    anew = Camera(show.publisher, sequence=40_000, timestamp=5, picture=9, packets=1)
    for packet in anew.packetize(key=True, size=200) + anew.packetize(key=True, size=200):
        show.publisher.send(packet)  # the first of a leap is only believed when a second follows
    show.world.advance(200_000)
    assert show.got == behind + 1
    assert show.world.drops()["let_go"] == 20 - behind


def test_what_leaves_the_ring_before_its_turn_is_counted() -> None:
    """A megabyte and a half in a moment is more than is kept."""
    show = Show()
    show.camera.packets = 20
    for _ in range(75):
        for packet in show.camera.packetize(key=True, size=SIZE):
            show.world.core.receive_clear(show.publisher.transport, packet, show.world.now)
    show.world.advance(1_000_000)
    assert show.world.drops()["left_ring"] > 0


def test_who_has_heard_for_long_without_seeing_has_no_debt() -> None:
    """Sound goes on while a picture pauses: within the budget, and no reason to keep the picture back afterwards."""
    show = Show(100_000)
    microphone = show.world.audio(show.publisher)
    show.world.listen(show.client, microphone)
    show.world.core.set_consumer_paused(show.consumer, True)
    for number in range(250):
        show.publisher.send(rtp(number, 960 * number, 3000, bytes(80), payload_type=AUDIO))
        show.world.advance(20_000)
    show.world.core.set_consumer_paused(show.consumer, False)
    before = show.got
    show.camera.frame(key=True, size=200)
    for _ in range(3):
        show.camera.frame(size=200)
    assert show.got == before + 4
