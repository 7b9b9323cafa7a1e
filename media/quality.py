"""How a client's network does on one transport: a grade, the E-model (ITU-T G.107) in short, as five bars; and why."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

# What one delayed by this much still feels live (G.114), and what a jitter buffer adds per unit of jitter.
_COMFORTABLE_MS = 160.0
_BUFFER_FACTOR = 2.0

# R factor of an undisturbed narrow-band call, and what a percent of loss costs: half of G.107's for codecs without
# concealment, because Opus conceals and video is retransmitted.
_BEST_R = 93.2
_R_PER_PERCENT_LOST = 2.5

# R factor -> bars; the names are G.107's user satisfaction: satisfied, some dissatisfied, many dissatisfied, ...
_BARS = ((87.0, 5), (75.0, 4), (62.0, 3), (48.0, 2))

# Better news must hold this many samples (of one second) before it is told; worse news is told at once.
_SAMPLES_TO_RISE = 3

# From here on a person notices, and a helper can name the reason. Loss: a word in twenty is torn, pictures freeze
# between retransmissions. Delay: people begin to talk into each other (G.114's limit of 200 ms one way). Jitter: its
# buffer alone adds 120 ms. Supply: what the path bears of what the client would take.
_MUCH_LOST = 0.05
_LONG_MS = 400.0
_UNSTEADY_MS = 60.0
_SHORT_SUPPLY = 0.6
_SCARCE_SUPPLY = 0.3

# Samples in a row until a trouble is told, and until it is over: causes are for people to act on, so they must not
# flicker. A publisher's layers come one by one after each start: their absence proves itself slowly.
_SAMPLES_TO_NAME = 3
_SAMPLES_TO_NAME_UPLINK = 10
_SAMPLES_TO_FORGET = 5


class Trouble(StrEnum):
    """What is wrong with a network; "up" is from the client to us. The wire's own words."""

    NO_PATH = "noPath"  # nothing arrives any more
    LOSS_UP = "lossUp"
    LOSS_DOWN = "lossDown"
    JITTER_UP = "jitterUp"
    DELAY = "delay"
    BANDWIDTH_UP = "bandwidthUp"  # the client leaves out layers that it sent before and that somebody wants
    BANDWIDTH_DOWN = "bandwidthDown"  # less than the client would take, by the congestion estimate


class Sample(NamedTuple):
    """One second of a transport. `loss` is a fraction 0..1 of its direction, before retransmission."""

    direction: Literal["send", "recv"]
    loss: float = 0.0
    rtt_ms: float | None = None
    jitter_ms: float = 0.0
    supply: float = 1.0  # budget by what the client would take; 1 where there is no limit
    held_back: bool = False  # a producer lacks a layer, see BANDWIDTH_UP


def quality_score(loss: float, rtt_ms: float | None, jitter_ms: float) -> int:
    """5 excellent .. 1 bad. `loss` is a fraction 0..1, before retransmission."""
    delay = (rtt_ms or 0.0) / 2 + _BUFFER_FACTOR * jitter_ms
    delayed = delay / 40 if delay < _COMFORTABLE_MS else (delay - 120) / 10
    r = _BEST_R - delayed - _R_PER_PERCENT_LOST * 100 * loss
    return next((bars for least, bars in _BARS if r >= least), 1)


def signs(sample: Sample) -> frozenset[Trouble]:
    """What this second alone shows."""
    lost = Trouble.LOSS_UP if sample.direction == "send" else Trouble.LOSS_DOWN
    found = (
        (lost, sample.loss >= _MUCH_LOST),
        (Trouble.JITTER_UP, sample.jitter_ms >= _UNSTEADY_MS),
        (Trouble.DELAY, sample.rtt_ms is not None and sample.rtt_ms >= _LONG_MS),
        (Trouble.BANDWIDTH_UP, sample.held_back),
        (Trouble.BANDWIDTH_DOWN, sample.supply < _SHORT_SUPPLY),
    )
    return frozenset([trouble for trouble, seen in found if seen])


@dataclass(slots=True)
class QualityMeter:
    """One transport's grade and troubles over time, without flicker."""

    score: int | None = None  # None until the first sample
    troubles: frozenset[Trouble] = frozenset()
    _last: Sample | None = None
    _better: int = 0
    _counts: dict[Trouble, int] = field(
        default_factory=dict
    )  # samples in a row that speak against what is told

    def sample(self, sample: Sample) -> bool:
        """Take the last second; True when what is told changed."""
        if sample == self._last and self._better == 0 and not self._counts:
            return False  # the rule, for every transport every second: the same again, and nothing is being weighed
        self._last = sample
        renamed = self._name(signs(sample))
        return (
            self._grade(min(quality_score(sample.loss, sample.rtt_ms, sample.jitter_ms), self._most(sample)))
            or renamed
        )

    def lost(self) -> bool:
        """Nothing arrives: told at once."""
        before = self.troubles
        self.score, self.troubles, self._better, self._last = 0, frozenset({Trouble.NO_PATH}), 0, None
        self._counts.clear()
        return self.troubles != before

    def _name(self, present: frozenset[Trouble]) -> bool:
        before = self.troubles
        if present == before and not self._counts:
            return False
        if Trouble.NO_PATH in before:
            self.troubles = frozenset()
        for trouble in Trouble:
            told = trouble in self.troubles
            if (trouble in present) is told:
                self._counts.pop(trouble, None)
                continue
            count = self._counts[trouble] = self._counts.get(trouble, 0) + 1
            if count >= _patience(trouble, told=told):
                self.troubles ^= {trouble}
                del self._counts[trouble]
        return self.troubles != before

    def _most(self, sample: Sample) -> int:
        """No better than bandwidth allows, once it is sure that bandwidth is short."""
        if Trouble.BANDWIDTH_DOWN in self.troubles and sample.supply < _SCARCE_SUPPLY:
            return 2
        return 3 if self.troubles & {Trouble.BANDWIDTH_DOWN, Trouble.BANDWIDTH_UP} else 5

    def _grade(self, score: int) -> bool:
        if self.score is None or score < self.score:
            self.score, self._better = score, 0
            return True
        if score == self.score:
            self._better = 0
            return False
        self._better += 1
        if self._better < _SAMPLES_TO_RISE:
            return False
        self.score, self._better = score, 0
        return True


def _patience(trouble: Trouble, *, told: bool) -> int:
    if told:
        return _SAMPLES_TO_FORGET
    return _SAMPLES_TO_NAME_UPLINK if trouble is Trouble.BANDWIDTH_UP else _SAMPLES_TO_NAME
