"""Five bars from loss, round trip and jitter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.quality import QualityMeter, quality_score


@pytest.mark.parametrize(
    ("loss", "rtt_ms", "jitter_ms", "score"),
    [
        (0.0, None, 0.0, 5),
        (0.0, 40.0, 5.0, 5),
        (0.0, 300.0, 20.0, 4),
        (0.01, 100.0, 10.0, 5),
        (0.05, 100.0, 10.0, 4),
        (0.10, 100.0, 10.0, 3),
        (0.15, 100.0, 10.0, 2),
        (0.30, 100.0, 10.0, 1),
        (0.0, 1_200.0, 50.0, 1),
        (1.0, None, 0.0, 1),
    ],
)
def test_bars(loss: float, rtt_ms: float | None, jitter_ms: float, score: int) -> None:
    assert quality_score(loss, rtt_ms, jitter_ms) == score


@given(st.floats(0, 1), st.floats(0, 5_000), st.floats(0, 1_000), st.floats(0, 0.5))
def test_more_loss_is_never_better(loss: float, rtt_ms: float, jitter_ms: float, more: float) -> None:
    assert quality_score(loss + more, rtt_ms, jitter_ms) <= quality_score(loss, rtt_ms, jitter_ms)


def test_bad_news_at_once_good_news_after_three() -> None:
    meter = QualityMeter()
    told = [meter.sample(score) for score in (5, 5, 3, 5, 5, 4, 5, 5, 5)]
    assert told == [True, False, True, False, False, True, False, False, True]
    assert meter.score == 5
