"""A network's grade from loss, round trip and jitter: the E-model (ITU-T G.107) in short, as five bars."""

from dataclasses import dataclass

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


def quality_score(loss: float, rtt_ms: float | None, jitter_ms: float) -> int:
    """5 excellent .. 1 bad. `loss` is a fraction 0..1, before retransmission."""
    delay = (rtt_ms or 0.0) / 2 + _BUFFER_FACTOR * jitter_ms
    delayed = delay / 40 if delay < _COMFORTABLE_MS else (delay - 120) / 10
    r = _BEST_R - delayed - _R_PER_PERCENT_LOST * 100 * loss
    return next((bars for least, bars in _BARS if r >= least), 1)


@dataclass(slots=True)
class QualityMeter:
    """One transport's grade over time, without flicker."""

    score: int | None = None  # None until the first sample
    _better: int = 0

    def sample(self, score: int) -> bool:
        """Take the grade of the last second; True when the told grade changed."""
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
