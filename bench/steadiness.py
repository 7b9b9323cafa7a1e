"""When the machine itself was slow: a virtual one may get a tenth of a processor for some hundredths of a second.

What was on its way then waited for the machine, whoever the server is; a report without it tells of the machine.
"""

import statistics
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

SLOW = 2.0  # times what the same work takes usually
LOOKS = 5  # one behind the other: a single one may be an interrupt's, or of cold caches
CATCHING_UP = 0.3  # seconds after it, until a busy server has sent what had to wait


@dataclass(frozen=True)
class Steadiness:
    """When a processor was slow, in seconds of one clock, ascending and apart, and of what that is a part."""

    begins: float
    ends: float
    spans: Sequence[tuple[float, float]]

    def __contains__(self, at: float) -> bool:
        """Whether the machine kept its speed at that moment, and had for a while."""
        before = bisect_right(self.spans, (at, float("inf"))) - 1
        return before < 0 or at >= self.spans[before][1]

    @property
    def share(self) -> float:
        """Of the time."""
        whole = self.ends - self.begins
        slow = sum(max(0.0, min(end, self.ends) - max(begin, self.begins)) for begin, end in self.spans)
        return 1.0 - slow / whole if whole > 0 else 1.0


def steadiness(looks: Sequence[Sequence[tuple[float, float]]], begins: float, ends: float) -> Steadiness:
    """From what each processor's yardstick saw: when a look ended, and how many seconds of processor it took."""
    spans: list[tuple[float, float]] = []
    for processor in looks:
        usual = statistics.median(took for _, took in processor) if processor else 0.0
        for first in range(len(processor) - LOOKS + 1):
            several = processor[first : first + LOOKS]
            if min(took for _, took in several) > SLOW * usual:
                spans.append((several[0][0] - several[0][1], several[-1][0] + CATCHING_UP))
    return Steadiness(begins, ends, _apart(spans))


def _apart(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same ascending, those that touch made one."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
