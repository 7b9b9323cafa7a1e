"""Lips and voice: by the sender reports that a subscriber gets, what was captured at one moment keeps one time.

Through changes of size, whose streams count from numbers of their own, pauses and replays.
"""

import pytest
from aiortc.rtp import RtcpSrPacket

from tests.media.plane.test_reports import NTP, sender_report
from tests.media.plane.test_simulcast import SSRCS, plis, shoot, studio
from tests.media.plane.world import AUDIO, START, SUB_VIDEO, rtp

FRAMES_A_REPORT = 30
APART_MOST_S = 0.005  # people notice from 45 ms on (ITU-R BT.1359)
SOUND_BEGINS = 0xFFFF_0000


class Studio:
    """A camera in three sizes and a microphone of one clock; who looks is told their times by reports."""

    def __init__(self) -> None:
        self.world, self.publisher, self.subscriber, _, self.consumer, self.cameras = studio()
        self.world.listen(self.subscriber, self.world.audio(self.publisher))
        self.frames = 0
        self.told: dict[int, tuple[float, int]] = {}  # by SSRC: seconds, RTP timestamp
        self.pictures = self.sounds = 0

    def seconds(self) -> float:
        return (self.world.now - START) / 1e6

    def sound_clock(self) -> int:
        return (SOUND_BEGINS + round(self.seconds() * 48_000)) & 0xFFFF_FFFF

    def frame(self, *, key: str = "") -> None:
        """A picture in all sizes and a packet of sound, captured now; sizes asked for begin with a key picture."""
        if self.frames % FRAMES_A_REPORT == 0:
            clocks = {camera.ssrc: camera.timestamp for camera in self.cameras.values()}
            for ssrc, clock in {**clocks, 3000: self.sound_clock()}.items():
                self.publisher.send_rtcp(sender_report(ssrc, int(self.seconds() * NTP), clock & 0xFFFF_FFFF))
        self.frames += 1
        key += "".join(rid for rid, ssrc in SSRCS.items() if ssrc in plis(self.publisher))
        self.publisher.rtcp.clear()
        captured = self.seconds()
        self.subscriber.rtp.clear()
        self.publisher.send(rtp(self.frames, self.sound_clock(), 3000, b"x", payload_type=AUDIO))
        shoot(self.world, self.cameras, "lmh", key=key)
        self.check(captured)

    def check(self, captured: float) -> None:
        """The newest picture and the sound that came have the time at which they were captured."""
        newest = {packet.ssrc: packet for packet in self.subscriber.rtp}
        for ssrc, packet in newest.items():
            if ssrc not in self.told:
                continue
            told, timestamp = self.told[ssrc]
            clock = 90_000 if packet.payload_type == SUB_VIDEO else 48_000
            ahead = (packet.timestamp - timestamp + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000
            assert abs(told + ahead / clock - captured) < APART_MOST_S
            self.pictures += clock == 90_000
            self.sounds += clock == 48_000
        for one in self.subscriber.rtcp:
            if isinstance(one, RtcpSrPacket):
                self.told[one.ssrc] = (one.sender_info.ntp_timestamp / NTP, one.sender_info.rtp_timestamp)
        self.subscriber.rtcp.clear()

    def run(self, frames: int) -> None:
        for _ in range(frames):
            self.frame()


@pytest.mark.parametrize("since_key", [1, 8])
def test_a_picture_keeps_the_time_of_its_sound_through_sizes_pauses_and_replays(since_key: int) -> None:
    studio = Studio()
    core, consumer = studio.world.core, studio.consumer
    sizes = []
    for size in (0, 2, 1, 2, 0):
        core.set_preferred_layers(consumer, size, None)
        studio.run(50)
        sizes.append(core.consumer_statistics(consumer).spatial_layer)
    assert sizes == [0, 2, 1, 2, 0]
    for _ in range(3):
        core.set_consumer_paused(consumer, True)
        studio.run(45)
        studio.frame(key="lmh")
        studio.run(since_key)
        studio.subscriber.rtp.clear()
        core.set_consumer_paused(consumer, False)
        studio.world.advance(0)
        assert len(studio.subscriber.sequences()) == 3 * (since_key + 1), (
            "all since the key picture is replayed"
        )
        studio.run(45)
    assert studio.pictures > 300
    assert studio.sounds > 300
