"""Histograms."""

from media.tally import QualityTallies, Tally


def test_a_value_counts_in_its_bucket_and_in_all_above() -> None:
    tally = Tally((1, 2, 5))
    for value in (0, 1, 1.5, 2, 7):
        tally.observe(value)
    assert tally.counts() == (((1, 2), (2, 4), (5, 4), (float("inf"), 5)), 11.5)


def test_unknown_values_are_not_counted() -> None:
    tallies = QualityTallies()
    tallies.take("send", 5, 40_000, 1_000_000)
    tallies.take("recv", 3, 0, 0)
    tallies.take("recv", 3, 40_000, 1_000_000)
    totals = [
        one.counts().total
        for one in (*tallies.grades.values(), tallies.round_trip_seconds, tallies.available_bps)
    ]
    assert totals == [5, 6, 0.04, 1e6]
