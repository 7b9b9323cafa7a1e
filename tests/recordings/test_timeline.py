"""One time line: reports, arrivals, drift, jitter, clocks that are set and publishers that lie."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.compose.timeline import Point, Report, TimeMap, TrackClock, build_time_maps, without_steps

NTP = 3_900_000_000.0


def reports(
    seconds: float,
    *,
    begin: float = 0.0,
    lag: float = 0.0,
    skew: float = 0.0,
    delay: float = 0.03,
    jitter: float = 0.0,
) -> tuple[Report, ...]:
    """A track that began at `begin`, its position `lag` behind the moment, reporting every four seconds."""
    chance = random.Random(7)  # noqa: S311 - the same every time
    found = []
    for step in range(int(seconds / 4) + 1):
        now = begin + step * 4.0
        own = now * (1 + skew)
        found.append(Report(own - begin - lag, NTP + own, now + delay + chance.random() * jitter))
    return tuple(found)


def anchors(
    seconds: float, *, begin: float = 0.0, delay: float = 0.03, skew: float = 0.0
) -> tuple[Point, ...]:
    return tuple(
        Point(step * 10.0 * (1 + skew), begin + step * 10.0 + delay) for step in range(int(seconds / 10) + 1)
    )


def test_points_are_joined_and_continued() -> None:
    line = TimeMap([Point(0.0, 10.0), Point(10.0, 21.0), Point(20.0, 30.0)])
    assert [line(x) for x in (-1.0, 0.0, 5.0, 15.0, 25.0)] == [9.0, 10.0, 15.5, 25.5, 35.0]


def test_reports_and_not_arrivals_tie_picture_to_sound() -> None:
    """The pictures arrive 300 ms after the sound of the same moment."""
    sound = TrackClock("a", anchors(60, delay=0.03), reports(60))
    picture = TrackClock("a", anchors(60, delay=0.33), reports(60))
    maps = build_time_maps([sound, picture])
    assert maps[0] is not None
    assert maps[1] is not None
    for moment in (0.0, 1.0, 30.0, 60.0):
        assert maps[1](moment) - maps[0](moment) == pytest.approx(0.0, abs=0.001)


def test_the_time_before_the_first_report_is_right_as_well() -> None:
    late = tuple(report for report in reports(60) if report.position > 10)
    (found,) = build_time_maps([TrackClock("a", anchors(60), late)])
    assert found is not None
    assert found(0.0) == pytest.approx(0.03, abs=0.001)


@pytest.mark.parametrize("skew", [-200e-6, 0.0, 200e-6])
def test_an_hour_of_drift_is_followed(skew: float) -> None:
    track = TrackClock("a", anchors(3600, skew=skew), reports(3600, skew=skew, jitter=0.05))
    unreported = TrackClock("b", anchors(3600, skew=skew), ())
    for found in build_time_maps([track, unreported]):
        assert found is not None
        for moment in (0.0, 600.0, 1800.0, 3599.0):
            assert found(moment * (1 + skew)) == pytest.approx(moment + 0.03, abs=0.02)


def test_a_clock_that_is_set_by_an_hour_moves_nothing() -> None:
    before = reports(40)
    after = [report._replace(ntp=report.ntp + 3600) if report.position > 20 else report for report in before]
    assert without_steps(after) == list(before)
    (found,) = build_time_maps([TrackClock("a", anchors(40), tuple(after))])
    assert found is not None
    assert found(40.0) == pytest.approx(40.03, abs=0.001)


def test_a_track_whose_own_clock_stood_still_goes_on_when_it_did() -> None:
    """Some encoders count only what they send: three seconds without are missing in the track, and in no clock."""
    paused = tuple(
        report._replace(position=report.position - 3.0) if report.position > 20 else report
        for report in reports(40)
    )
    assert without_steps(paused) == list(paused)
    arrived = tuple(point._replace(x=point.x - 3.0) if point.x > 20 else point for point in anchors(40))
    other = TrackClock("a", anchors(40), reports(40))
    (found, beside) = build_time_maps([TrackClock("a", arrived, paused), other])
    assert found is not None
    assert beside is not None
    for moment in (10.0, 19.0, 26.0, 39.0):
        position = moment if moment < 20 else moment - 3.0
        assert found(position) == pytest.approx(beside(moment), abs=0.001)


def test_reports_that_lie_do_not_stretch_the_film() -> None:
    lies = tuple(Report(step * 4.0, NTP + step * 4_000_000.0, step * 4.0) for step in range(10))
    (found,) = build_time_maps([TrackClock("a", anchors(40), lies)])
    assert found is not None
    assert found(40.0) == pytest.approx(40.03, abs=3.0)


def test_tracks_of_which_nothing_is_known_have_no_time() -> None:
    assert build_time_maps([TrackClock("a", (), ())]) == [None]


def test_publishers_with_different_clocks_meet_on_ours() -> None:
    other = tuple(report._replace(ntp=report.ntp + 12_345.0) for report in reports(60, begin=5.0))
    maps = build_time_maps(
        [TrackClock("a", anchors(60), reports(60)), TrackClock("b", anchors(60, begin=5.0), other)]
    )
    assert maps[0] is not None
    assert maps[1] is not None
    assert maps[1](10.0) - maps[0](15.0) == pytest.approx(0.0, abs=0.001)


@settings(deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 3), max_size=20),
    st.lists(st.tuples(*[st.floats(0, 1e5)] * 2), min_size=1, max_size=20),
)
def test_whatever_is_reported_the_film_stays_near_the_arrivals(
    told: list[tuple[float, float, float]], arrived: list[tuple[float, float]]
) -> None:
    points = tuple(
        Point(min(x, y), y) for x, y in arrived
    )  # a position never runs ahead of its arrival by much
    (found,) = build_time_maps([TrackClock("a", points, tuple(Report(*report) for report in told))])
    assert found is not None
    for point in points:
        found(point.x)
