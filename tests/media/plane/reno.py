"""A download beside the media: TCP's congestion control by loss alone (Reno, RFC 5681)."""

from dataclasses import dataclass, field

from tests.media.plane.links import SECOND, Link
from tests.media.plane.timeline import Timeline

PACKET = 1_100
WINDOW_FIRST = 10  # RFC 6928
LATER = 3  # acknowledgements of what was sent later show a loss
TIMEOUT_US = SECOND


@dataclass
class Reno:
    """A window of packets: doubled each round trip up to the first loss; then one more each, and half at a loss."""

    link: Link
    timeline: Timeline
    back_us: int = 25_000
    left: int = 1 << 40  # packets still to send
    window: float = WINDOW_FIRST
    threshold: float = 1e9
    next: int = 0
    recovered: int = 0  # losses of what was sent before count as one
    arrived_bytes: int = 0
    waiting: dict[int, int] = field(default_factory=dict)  # when each packet under way was sent, oldest first

    def __post_init__(self) -> None:
        self.timeline.at(self.timeline.now, self.look)

    def look(self) -> None:
        """Ten times a second: nothing comes back at all."""
        self.timeline.at(self.timeline.now + SECOND // 10, self.look)
        if self.waiting and self.timeline.now - max(self.waiting.values()) > TIMEOUT_US:
            self.threshold = max(len(self.waiting) / 2, 2)
            self.window = 1
            self.recovered = self.next
            self.waiting.clear()
        self.fill()

    def fill(self) -> None:
        while len(self.waiting) < self.window and self.left:
            self.left -= 1
            number = self.next
            self.next += 1
            self.waiting[number] = self.timeline.now
            arrival = self.link.carry(PACKET, self.timeline.now)
            if arrival is not None:
                self.timeline.at(arrival + self.back_us, lambda number=number: self.acknowledge(number))  # type: ignore[misc]

    def acknowledge(self, number: int) -> None:
        if self.waiting.pop(number, None) is None:
            return
        self.arrived_bytes += PACKET
        self.window += 1 if self.window < self.threshold else 1 / self.window
        lost = [one for one in self.waiting if one < number - LATER]
        for one in lost:
            del self.waiting[one]
        if lost and lost[-1] >= self.recovered:
            self.window = self.threshold = max(self.window / 2, 2)
            self.recovered = self.next
        self.fill()
