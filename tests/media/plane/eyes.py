"""What somebody sees of one picture that comes over a line, by his own judgement: a decoder's, without decoding."""

import itertools
from dataclasses import dataclass, field
from itertools import pairwise

from tests.media.plane import probe
from tests.media.plane.links import SECOND

AGAIN_US = 100_000  # what is missing is asked for as often
GIVE_UP_US = 1_000_000  # then a key frame is


@dataclass
class Eye:
    """A frame is shown when it is whole and so is all before it since a key frame.

    A whole key frame is not kept waiting by what is lacking before it."""

    ssrc: int
    rtx: int  # payload type
    shown: list[int] = field(default_factory=list)  # when
    waits_key: bool = True
    next: int = 0
    highest: int = 0
    ends: dict[int, bool] = field(default_factory=dict)  # of what has come: whether it ends a frame
    missing: dict[int, tuple[int, int]] = field(default_factory=dict)  # since when, last asked
    keys: list[int] = field(default_factory=list)  # where those begin that are not shown yet
    asked_us: int = 0  # for a key frame

    def take(self, payload_type: int, sequence: int, payload: bytes, now: int, *, marker: bool) -> None:
        if payload_type == self.rtx:
            if len(payload) <= 2:  # a probe
                return
            sequence, payload = int.from_bytes(payload[:2]), payload[2:]
        number = probe.unwrap16(self.highest or 65_536 + sequence, sequence)
        for lost in range(self.highest + 1, number) if self.highest else ():
            self.missing[lost] = (now, 0)
        self.highest = max(self.highest, number)
        self.missing.pop(number, None)
        parsed = probe.parse_payload("vp8", payload)
        assert parsed is not None
        self.ends[number] = marker
        if self.waits_key:
            if not (parsed["key"] and parsed["first"]):
                return  # it may belong to a key frame whose beginning is sent again
            self.waits_key, self.next = False, number
            self.ends = {late: end for late, end in self.ends.items() if late >= number}
            self.missing |= {gap: (now, 0) for gap in range(number, self.highest) if gap not in self.ends}
        if parsed["key"] and parsed["first"] and number > self.next:
            self.keys.append(number)
        self._leap()
        while self.next in self.ends:
            if self.ends.pop(self.next):
                self.shown.append(now)
            self.next += 1

    def _leap(self) -> None:
        """To the newest key frame, if it is whole."""
        self.keys = [key for key in self.keys if key > self.next]
        for key in sorted(self.keys, reverse=True):
            end = next((number for number in itertools.count(key) if self.ends.get(number, True)), key)
            if end in self.ends:
                self.next = key
                return

    def ask(self, now: int) -> tuple[list[int], bool]:
        """What is to be sent again, and whether a key frame is needed."""
        if not self.waits_key and any(
            now - since > GIVE_UP_US for lost, (since, _) in self.missing.items() if lost >= self.next
        ):
            self.waits_key = True
        wanted = []
        for lost, (since, asked) in list(self.missing.items()):
            if now - since > GIVE_UP_US or lost < self.next:
                del self.missing[lost]
            elif now - asked > AGAIN_US:
                self.missing[lost] = (since, now)
                wanted.append(lost & 0xFFFF)
        return wanted, self.waits_key and self.highest > 0

    def rate(self, since_us: int, until_us: int) -> float:
        """Pictures a second."""
        return sum(since_us <= at < until_us for at in self.shown) * SECOND / (until_us - since_us)

    def still(self, since_us: int, until_us: int) -> float:
        """How many seconds the picture stood still at the longest."""
        times = [since_us, *(at for at in self.shown if since_us <= at < until_us), until_us]
        return max(after - before for before, after in pairwise(times)) / SECOND
