"""Probes as they leave the plane: on the RTX stream, spread over time, bounded, and never where they would harm."""

from typing import Any

from tests.media.plane import probe
from tests.media.plane.world import ABS_SEND_TIME, SUB_RTX, TRANSPORT_CC, Camera, Client, World

EXTENSIONS = {TRANSPORT_CC: 6, ABS_SEND_TIME: 4}
PACKET = 1000


class Watcher:
    """A subscriber that reports what it gets, as soon as it is asked to."""

    def __init__(self, **options: Any) -> None:
        self.world = World()
        publisher, self.client = self.world.client(), self.world.client()
        self.consumer = self.world.watch(
            self.client, self.world.video(publisher), header_extensions=EXTENSIONS, **options
        )
        self.camera = Camera(publisher)
        self.arrivals = probe.Arrivals()
        self.seen = 0

    def report(self) -> None:
        """Tell of all packets that came since, each at its time of sending."""
        for raw, packet in zip(self.client.raw[self.seen :], self.client.rtp[self.seen :], strict=True):
            at = raw.index(b"\x61", 16)  # the transport-cc element: id 6, two bytes
            sent = next(raw[i + 1 : i + 4] for i in range(16, at) if raw[i] == 0x42)
            del packet
            when = int.from_bytes(sent, "big") * 1_000_000 // 262_144
            self.arrivals.note(int.from_bytes(raw[at + 1 : at + 3], "big"), 64_000_000 + when)
        self.seen = len(self.client.raw)
        message = self.arrivals.message()
        if message:
            self.client.send_rtcp(message)

    def run(self, frames: int, *, reports: bool = True) -> "Watcher":
        for number in range(frames):
            self.camera.frame(key=number == 0, size=PACKET)
            if reports and number % 3 == 2:
                self.report()
        return self

    @property
    def counted(self) -> Any:
        return self.world.core.transport_statistics(self.client.transport)

    def again(self) -> list[Any]:
        return [packet for packet in self.client.rtp if packet.payload_type == SUB_RTX]


def test_a_subscriber_that_reports_is_probed_with_padding_and_later_with_its_newest_packets() -> None:
    """Five of the camera's packets are longer than the first cluster, and a quarter of a second of a narrow line."""
    watcher = Watcher()
    watcher.camera.packets = 12
    watcher.run(60)
    assert watcher.counted.probes_sent >= 3
    assert watcher.counted.budget_bps > 900_000
    originals = {packet.sequence_number: packet.payload for packet in watcher.client.rtp}
    first, *others = watcher.again()
    assert first.payload == b""
    repeated = [packet for packet in others if packet.payload]
    assert repeated
    for packet in watcher.again():
        assert packet.ssrc == 11
    for packet in repeated:
        assert originals[int.from_bytes(packet.payload[:2], "big")] == packet.payload[2:]


def test_the_first_cluster_is_short() -> None:
    watcher = Watcher()
    while watcher.counted.probes_sent == 0:
        watcher.run(3)
    watcher.world.advance(20_000)
    assert sum(len(raw) for raw in watcher.client.raw if raw[1] & 0x7F == SUB_RTX) < 2_000


def test_a_cluster_is_spread_over_time() -> None:
    watcher = Watcher()
    times: list[tuple[int, int]] = []

    def note(client: Client, packet: bytes) -> bool:
        if client is watcher.client and packet[1] & 0x7F == SUB_RTX:
            times.append((watcher.world.now, len(packet)))
        return False

    watcher.world.lose = note
    watcher.run(60)
    assert watcher.again()
    for begin, _ in times:
        together = sum(size for at, size in times if begin <= at < begin + 1_000)
        assert together < 8_000, "no burst beyond what the smallest router holds"


def test_without_reports_nothing_is_probed() -> None:
    watcher = Watcher().run(60, reports=False)
    assert watcher.counted.probes_sent == 0
    assert watcher.counted.budget_bps < 300_000


def test_a_picture_that_cannot_be_probed_for_is_not_starved_by_an_estimate_of_the_sound() -> None:
    watcher = Watcher(rtx_ssrc=None, rtx_payload_type=None)
    watcher.world.listen(
        watcher.client, watcher.world.audio(watcher.camera.client), header_extensions=EXTENSIONS
    )
    watcher.run(60, reports=False)
    assert watcher.counted.budget_bps == 0
    assert watcher.counted.probes_sent == 0
    assert len(watcher.client.sequences()) == 180


def test_a_paused_consumer_is_not_probed() -> None:
    watcher = Watcher().run(3)
    watcher.world.core.set_consumer_paused(watcher.consumer, True)
    before = watcher.counted.probes_sent
    watcher.run(30)
    assert watcher.counted.probes_sent == before


def test_removal_in_the_middle_of_a_cluster_is_no_harm() -> None:
    watcher = Watcher()
    watcher.world.lose = lambda client, packet: client is not watcher.client and bool(packet)
    for number in range(30):
        watcher.camera.frame(key=number == 0, size=PACKET)
        watcher.report()
        if watcher.counted.probes_sent and watcher.counted.probe_bytes_sent < 6 * PACKET:
            break
    watcher.world.core.remove_transport(watcher.client.transport)
    watcher.world.advance(2_000_000)
    assert watcher.world.core.statistics().packets_sent > 0
