"""One time line for all tracks: from a track's own clock to seconds of its segment. Pure.

A publisher's sender reports tie each of its tracks' RTP clocks to the publisher's own clock (NTP), so that its sound
and its picture belong together whatever the network did; the time at which reports arrive ties the publisher's clock to
the server's, where the fastest report of a while is nearest to the truth. A track without reports is tied by the
arrival of its fastest packets. All of a meeting's points are known here, so that even the time before a publisher's
first report comes out right, and clocks that drift are followed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

# A minute holds a report without queueing delay nearly always; a drift of 200 ppm is 12 ms meanwhile.
_ENVELOPE_SECONDS: Final = 60.0
# A line through the points is believed when none is further off: jitter of reports is a few milliseconds.
_STRAIGHT_SECONDS: Final = 0.030
# A slope says something only over a while: 10 ms of error over 10 s would be 1,000 ppm.
_SLOPE_SECONDS: Final = 20.0
# Between two reports NTP and RTP may part by drift (200 ppm) and jitter; by more, somebody set the publisher's clock,
# or the track's own clock stood still while nothing was sent. Our clock, by which reports arrive, tells which.
_STEP_SECONDS: Final = 0.2
_STEP_SHARE: Final = 0.002
# Packets may be late by this much, but a report that puts them further away is wrong, and must not stretch the film.
_LIE_SECONDS: Final = 3.0
# Tracks of one publisher share its clock; where they do not, each is tied for itself.
_SAME_CLOCK_SECONDS: Final = 1.0


class Point(NamedTuple):
    """One clock's reading beside another's, in seconds."""

    x: float
    y: float


class Report(NamedTuple):
    """A sender report: the track's position, the publisher's NTP, the server's clock at its arrival; in seconds."""

    position: float
    ntp: float
    arrival: float


@dataclass(frozen=True, slots=True)
class TrackClock:
    """What is known of one track's clock; `anchors` are (position, arrival) of its fastest packets."""

    peer_id: str
    anchors: tuple[Point, ...]
    reports: tuple[Report, ...]


class TimeMap:
    """A line through points; before the first and after the last it goes on at the pace of the clocks."""

    def __init__(self, points: Iterable[Point]) -> None:
        ordered: list[Point] = []
        for point in sorted(points):
            if not ordered or point.x > ordered[-1].x:
                ordered.append(point)
        if not ordered:
            raise ValueError("a time line needs a point")
        self._points = ordered
        self._xs = [point.x for point in ordered]
        self._before = self._after = 1.0
        if len(ordered) == 2:  # noqa: PLR2004 - a straight line: its slope is the drift
            self._before = self._after = _slope(ordered[0], ordered[1])

    def later(self, seconds: float) -> "TimeMap":
        """The same line where the other clock shows so much more."""
        return TimeMap(Point(x, y + seconds) for x, y in self._points)

    def __call__(self, x: float) -> float:
        """The other clock's reading at `x`."""
        index = bisect_right(self._xs, x)
        if index == 0:
            first = self._points[0]
            return first.y - (first.x - x) * self._before
        left = self._points[index - 1]
        if index == len(self._points):
            return left.y + (x - left.x) * self._after
        return left.y + (x - left.x) * _slope(left, self._points[index])


def build_time_maps(tracks: Sequence[TrackClock]) -> list[TimeMap | None]:
    """For each track the map from its position to the server's clock, None for one of which nothing is known."""
    stepless = [without_steps(track.reports) for track in tracks]
    maps: list[TimeMap | None] = []
    for track, reports in zip(tracks, stepless, strict=True):
        by_arrival = TimeMap(straightened(envelope(track.anchors))) if track.anchors else None
        by_reports = _by_reports(track, reports, tracks, stepless) if reports else None
        if by_reports and all(abs(by_reports(x) - y) < _LIE_SECONDS for x, y in track.anchors):
            maps.append(by_reports)
        else:
            maps.append(by_arrival)
    return maps


def _by_reports(
    track: TrackClock, own: list[Report], tracks: Sequence[TrackClock], stepless: Sequence[list[Report]]
) -> TimeMap:
    publisher = _clock_of_publisher(track, own, tracks, stepless)
    points = [Point(report.position, report.ntp) for report in own]
    ntp = TimeMap(straightened(points))
    return TimeMap(Point(x, publisher(ntp(x))) for x in [*(point.x for point in points), points[-1].x + 1.0])


def without_steps(reports: Sequence[Report]) -> list[Report]:
    """The same reports as if nobody had set the publisher's clock in between."""
    result: list[Report] = []
    shift = 0.0
    for report in sorted(reports):
        if result:
            elapsed = report.position - result[-1].position
            if elapsed <= 0:
                continue
            told = report.ntp - shift - result[-1].ntp
            arrived = report.arrival - result[-1].arrival
            parted = abs(told - elapsed) > _STEP_SECONDS + _STEP_SHARE * elapsed
            if parted and abs(arrived - elapsed) < abs(arrived - told):
                shift += told - elapsed
        result.append(report._replace(ntp=report.ntp - shift))
    return result


def envelope(points: Sequence[Point]) -> list[Point]:
    """Of every window the point that was fastest: where y - x is least."""
    best: dict[int, Point] = {}
    for point in points:
        window = int(point.x // _ENVELOPE_SECONDS)
        if window not in best or point.y - point.x < best[window].y - best[window].x:
            best[window] = point
    return [best[window] for window in sorted(best)]


def straightened(points: Sequence[Point]) -> list[Point]:
    """Two points of the straight line where one fits, which takes the jitter away; else the points themselves."""
    if len(points) == 1:
        return list(points)
    mean_x = sum(point.x for point in points) / len(points)
    mean_y = sum(point.y for point in points) / len(points)
    slope = 1.0
    if points[-1].x - points[0].x >= _SLOPE_SECONDS:
        spread = sum((point.x - mean_x) ** 2 for point in points)
        slope = sum((point.x - mean_x) * (point.y - mean_y) for point in points) / spread
    if any(abs(mean_y + (point.x - mean_x) * slope - point.y) > _STRAIGHT_SECONDS for point in points):
        return list(points)
    return [Point(mean_x, mean_y), Point(mean_x + 1.0, mean_y + slope)]


def _clock_of_publisher(
    track: TrackClock, own: list[Report], tracks: Sequence[TrackClock], stepless: Sequence[list[Report]]
) -> TimeMap:
    """From the publisher's NTP to the server's clock, out of all its tracks' reports that speak of the same clock."""
    lag = min(report.arrival - report.ntp for report in own)
    points: list[Point] = []
    for other, reports in zip(tracks, stepless, strict=True):
        if other.peer_id != track.peer_id or not reports:
            continue
        if abs(min(report.arrival - report.ntp for report in reports) - lag) < _SAME_CLOCK_SECONDS:
            points += [Point(report.ntp, report.arrival) for report in reports]
    return TimeMap(straightened(envelope(sorted(points))))


def _slope(left: Point, right: Point) -> float:
    return (right.y - left.y) / (right.x - left.x)
