"""Five bars from loss, round trip and jitter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.quality import QualityMeter, Sample, Trouble, quality_score, signs


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


GOOD = Sample("recv", rtt_ms=40.0)
THREE, FOUR = Sample("recv", loss=0.04, rtt_ms=300.0), Sample("recv", loss=0.04)


def test_bad_news_at_once_good_news_after_three() -> None:
    meter = QualityMeter()
    told = [meter.sample(one) for one in (GOOD, GOOD, THREE, GOOD, GOOD, FOUR, GOOD, GOOD, GOOD)]
    assert told == [True, False, True, False, False, False, False, False, True]
    assert meter.score == 5


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        (Sample("send", loss=0.04), set()),
        (Sample("send", loss=0.06), {Trouble.LOSS_UP}),
        (Sample("recv", loss=0.06), {Trouble.LOSS_DOWN}),
        (Sample("recv", rtt_ms=399.0), set()),
        (Sample("recv", rtt_ms=400.0), {Trouble.DELAY}),
        (Sample("send", jitter_ms=80.0), {Trouble.JITTER_UP}),
        (Sample("send", held_back=True), {Trouble.BANDWIDTH_UP}),
        (Sample("recv", supply=0.59), {Trouble.BANDWIDTH_DOWN}),
        (Sample("recv", supply=0.6), set()),
        (Sample("recv", loss=0.2, rtt_ms=900.0, supply=0.1), {"lossDown", "delay", "bandwidthDown"}),
    ],
)
def test_each_trouble_has_its_sign(sample: Sample, found: set[Trouble]) -> None:
    assert signs(sample) == found


def test_a_trouble_is_named_after_three_seconds_and_forgotten_after_five() -> None:
    meter = QualityMeter()
    lossy = Sample("send", loss=0.1)
    named = []
    for sample in (lossy, lossy, GOOD, lossy, lossy, lossy, *[GOOD] * 4, lossy, *[GOOD] * 5):
        meter.sample(sample)
        named.append(Trouble.LOSS_UP in meter.troubles)
    assert named == [*[False] * 5, *[True] * 10, False]


def test_a_missing_layer_is_the_networks_fault_only_when_it_stays_away() -> None:
    meter = QualityMeter()
    seconds = [meter.sample(Sample("send", held_back=True)) for _ in range(10)]
    assert seconds == [True, *[False] * 8, True]
    assert (meter.score, set(meter.troubles)) == (3, {Trouble.BANDWIDTH_UP})


@pytest.mark.parametrize(("supply", "score"), [(0.7, 5), (0.5, 3), (0.2, 2)])
def test_the_estimate_bounds_the_grade_once_it_is_sure(supply: float, score: int) -> None:
    meter = QualityMeter()
    meter.sample(Sample("recv", supply=supply))
    assert meter.score == 5, "it has only just begun to look for what the line bears"
    for _ in range(2):
        meter.sample(Sample("recv", supply=supply))
    assert meter.score == score


def test_a_lost_path_is_told_at_once_and_once_and_is_over_with_the_first_packet() -> None:
    meter = QualityMeter()
    meter.sample(GOOD)
    assert (meter.lost(), meter.lost()) == (True, False)
    assert (meter.score, set(meter.troubles)) == (0, {Trouble.NO_PATH})
    assert meter.sample(GOOD)
    assert (meter.score, set(meter.troubles)) == (0, set()), "the grade rises as after any trouble"
    assert [meter.sample(GOOD) for _ in range(3)] == [False, True, False]


@given(st.lists(st.sampled_from([GOOD, THREE, FOUR, Sample("recv", supply=0.2), None]), max_size=60))
def test_what_is_told_is_the_same_as_if_every_second_were_looked_at(seconds: list[Sample | None]) -> None:
    """A second like the one before is passed over where nothing is being weighed. None: nothing arrives."""
    quick, thorough = QualityMeter(), QualityMeter()
    for sample in seconds:
        thorough._last = None
        told = [meter.lost() if sample is None else meter.sample(sample) for meter in (quick, thorough)]
        assert told[0] == told[1]
        assert (quick.score, quick.troubles) == (thorough.score, thorough.troubles)
