"""The estimator's parts, each by itself: tables reckoned by hand, and any input against a plain implementation."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.plane import estimation, reference

SECOND = 1_000_000
MILLISECOND = 1_000


# Bursts


@pytest.mark.parametrize(
    ("packets", "gaps"),
    [
        # (sent, arrival, told): the gaps of each pair of groups that a packet completes, in ms
        ([(0, 50, 50), (10, 60, 60), (20, 70, 70)], [(10, 10)]),
        ([(0, 50, 50), (10, 65, 65), (20, 80, 80), (30, 95, 95)], [(10, 15), (10, 15)]),
        ([(0, 50, 50), (5, 51, 51), (10, 60, 60), (20, 70, 70)], [(5, 9)]),  # within 5 ms: one group
        ([(0, 50, 50), (6, 56, 56), (12, 62, 62)], [(6, 6)]),
        (
            [(0, 50, 50), (20, 70, 70), (40, 70, 70), (60, 90, 90), (80, 110, 110)],
            [(40, 20), (20, 20)],
        ),  # piled up
        ([(0, 50, 50), (20, 70, 70), (10, 60, 60), (40, 90, 90)], [(20, 20)]),  # one from before is left out
        ([(0, 50, 50), (10, 60, 60), (20, 4_000, 70), (30, 4_010, 80), (40, 4_020, 90)], [(10, 10)]),  # leap
        ([(0, 90, 50), (10, 80, 60), (20, 95, 70), (30, 105, 80), (40, 115, 90)], [(10, 10)]),  # overtaken
    ],
)
def test_bursts(packets: list[tuple[int, int, int]], gaps: list[tuple[int, int]]) -> None:
    bursts = estimation.Bursts()
    found = [bursts.add(*(MILLISECOND * time for time in packet)) for packet in packets]
    assert [tuple(gap // MILLISECOND for gap in one) for one in found if one is not None] == gaps


# The rate at which packets arrive


@pytest.mark.parametrize(
    ("size", "every_ms", "expected"),
    [
        (1_000, 10, 800e3),
        (125, 1, 1e6),
        (1_000, 50, 160e3),  # twenty in a second, not ten in half a one
        (1_200, 33, 290_909),
    ],
)
def test_a_steady_stream_has_its_rate(size: int, every_ms: int, expected: float) -> None:
    rate = estimation.Acknowledged()
    found = [rate.add(SECOND + MILLISECOND * every_ms * n, size) for n in range(3_000 // every_ms)]
    assert [bps for bps in found[: 150 // every_ms] if bps] == []
    # The newest bin begins at its first packet, which itself took no time to come: one packet too many at most.
    assert found[-1] == pytest.approx(expected, rel=0.12)


def test_a_rate_by_hand() -> None:
    rate = estimation.Acknowledged()
    for at in (0, 50, 100):
        assert rate.add(SECOND + MILLISECOND * at, 500) == 0
    assert rate.add(SECOND + 150 * MILLISECOND, 500) == 8e6 * 2_000 / 150_000
    for at in range(200, 1_000, 50):
        last = rate.add(SECOND + MILLISECOND * at, 500)
    assert last == 8e6 * 20 * 500 / 950_000  # all twenty bins, since the first packet
    assert rate.add(SECOND + 1_000 * MILLISECOND, 500) == 8e6 * 20 * 500 / 950_000
    assert rate.add(3 * SECOND, 500) == last, "after a silence the old rate stands until there is a new one"


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from((0, 1, 3, 20, 49, 50, 51, 600, 700)), st.integers(40, 1_500)), max_size=200
    )
)
def test_any_arrivals_have_the_rate_of_the_plain_implementation(script: list[tuple[int, int]]) -> None:
    rate, plain, now = estimation.Acknowledged(), reference.Acknowledged(), 7 * SECOND
    for pause, size in script:
        now += pause * MILLISECOND
        assert rate.add(now, size) == pytest.approx(plain.add(now, size))


# The trend of the delay


@pytest.mark.parametrize(
    ("growth_us", "verdict"),
    [
        (0, "normal"),
        (200, "normal"),  # 2 % in the end: 60 * 0.02 * 4 = 4.8 ms, below the least threshold
        (1_000, "over"),  # 10 %: 24 ms
        (5_000, "over"),
        (-1_000, "under"),
        (-200, "normal"),
    ],
)
def test_a_queue_that_grows_or_empties_steadily_is_seen(growth_us: int, verdict: str) -> None:
    line = estimation.Trendline()
    arrival, said = SECOND, []
    for _ in range(60):
        arrival += 10_000 + growth_us
        said.append(line.add(10_000, 10_000 + growth_us, arrival, arrival))
    assert said[:19] == ["normal"] * 19, "without twenty points there is no line"
    assert said[-1] == verdict or verdict in said[20:50]
    assert verdict != "normal" or set(said) == {"normal"}


def test_a_trend_by_hand() -> None:
    """Delay that rose long ago and stands: the fitted line falls towards level as the smoothing settles."""
    line = estimation.Trendline()
    arrival = SECOND
    for number in range(20):
        gap = 10_000 + (10_000 if number == 0 else 0)
        arrival += gap
        line.add(10_000, gap, arrival, arrival)
    smoothed = [10 * (1 - 0.9 ** (n + 1)) for n in range(20)]
    mean = sum(smoothed) / 20
    by_hand = sum((n - 9.5) * (d - mean) for n, d in enumerate(smoothed)) / sum(
        (n - 9.5) ** 2 for n in range(20)
    )
    assert line.trend == pytest.approx(by_hand / 10)  # 10 ms between the points


@pytest.mark.parametrize("seed", range(6))
def test_any_gaps_have_the_verdicts_of_the_plain_implementation(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a network, not a secret
    line, plain = estimation.Trendline(), reference.Trendline()
    now, drift = SECOND, 0.0
    said = set()
    for number in range(1_500):
        drift = dice.uniform(-3_000, 3_000) if number % 100 == 0 else drift
        sent_gap = dice.choice((5_000, 10_000, 33_000))
        arrival_gap = max(0, int(sent_gap + drift + dice.gauss(0, 1_500 * (seed % 3))))
        now += max(arrival_gap, 1)
        verdict = line.add(sent_gap, arrival_gap, now, now)
        said.add(verdict)
        assert verdict == plain.add(sent_gap, arrival_gap, now, now), number
        assert line.threshold == pytest.approx(plain.threshold)
        assert line.trend == pytest.approx(plain.trend, abs=1e-9)
    assert said == {"normal", "over", "under"}


# The rate that loss allows


def windows(*script: tuple[float, float], delay_bps: float = 5e6) -> list[tuple[float, float, float]]:
    """What comes of windows of 250 ms, each (rate sent, share lost): the limit, the loss and the path's own part."""
    losses = estimation.Losses()
    now, found = SECOND, []
    for bps, share in script:
        size = int(bps / 8 * 0.25 / 51)
        lost = 0.0
        for number in range(51):
            lost += share
            losses.add(now + 5_000 * number, size, lost >= 1)
            lost -= lost >= 1
        now += 255_000
        found.append(losses.update(delay_bps, (1 - share) * bps))
    return found


def test_a_window_is_closed_at_a_quarter_second_and_not_before() -> None:
    losses = estimation.Losses()
    losses.add(SECOND, 1_000, True)
    losses.add(SECOND + 249_999, 1_000, True)
    assert losses.update(1e6, 1e6) == (0, 0, 0.01)
    losses.add(SECOND + 250_000, 1_000, False)
    assert losses.update(1e6, 1e6)[1] == pytest.approx(2 / 3)


def test_what_was_late_was_not_lost() -> None:
    losses = estimation.Losses()
    for number in range(26):
        losses.add(SECOND + 10_000 * number, 1_000, number < 5)
    for number in range(5):
        losses.add(SECOND + 10_000 * number, 1_000, False, late=True)
    assert losses.update(1e6, 1e6)[:2] == (0, 0)


def test_the_share_lost_weighs_what_is_new() -> None:
    first, second = (found[1] for found in windows((1e6, 0.1), (1e6, 0.0)))
    lost = 5
    assert first == pytest.approx(lost / 51)
    assert second == pytest.approx(0.9 * lost / (51 + 0.9 * 51))


@pytest.mark.parametrize(
    ("script", "delay_bps", "least", "most"),
    [
        ([(1e6, 0.0)] * 8, 1e6, 0, 0),  # nothing lost: no limit
        ([(1e6, 0.02)] * 20, 1e6, 0, 0),  # a path's own loss, not ours
        (
            [(1e6, 0.5)] * 12,
            1e6,
            150e3,
            620e3,
        ),  # half of a megabit: at most what the rule of 5 % and 90 % leave
        ([(1e6, 1.0)] * 3, 1e6, 1, 200e3),  # all of it
    ],
)
def test_what_loss_allows(
    script: list[tuple[float, float]], delay_bps: float, least: float, most: float
) -> None:
    limit = windows(*script, delay_bps=delay_bps)[-1][0]
    assert least <= limit <= most


def test_loss_that_goes_with_the_rate_is_told_from_loss_that_does_not() -> None:
    """A line of 500 kbit/s that drops what is too much, and one that drops a tenth of anything."""
    rates = [400e3, 800e3, 500e3, 1e6, 450e3, 700e3, 600e3, 900e3] * 3
    full = windows(*((bps, max(0, 1 - 500e3 / bps)) for bps in rates), delay_bps=1e6)
    lossy = windows(*((bps, 0.1) for bps in rates), delay_bps=1e6)
    assert full[-1][2] < 0.05 < lossy[-1][2], "the part that is the path's own"
    assert 0 < full[-1][0] < 700e3
    assert lossy[-1][0] == 0 or lossy[-1][0] > 700e3


# Lost of so many, while so many kbit/s were sent, and came: a joiner's first windows, 75 ms away from a server
FIRST_OF_A_LOSSY_LINE = (
    (3, 18, 129, 130), (0, 17, 158, 122), (6, 19, 171, 128), (1, 21, 245, 196), (2, 20, 200, 185),
    (3, 21, 237, 173), (2, 19, 202, 155), (2, 11, 102, 187), (1, 17, 196, 167), (4, 16, 169, 139),
)  # fmt: skip


@pytest.mark.parametrize(("idle", "least", "most"), [(True, 250e3, 300e3), (False, 100e3, 150e3)])
def test_what_arrives_of_little_is_not_what_a_line_bears_that_nobody_knows_yet(
    *, idle: bool, least: float, most: float
) -> None:
    """A voice and the smallest picture, of the 300 kbit/s that everybody may have at first."""
    losses = estimation.Losses()
    now, limits = SECOND, []
    for lost, count, sent, came in FIRST_OF_A_LOSSY_LINE:
        for number in range(count):
            losses.add(
                now + number * 250 * MILLISECOND // (count - 1), sent * 1_000 // 32 // count, number < lost
            )
        now += 260 * MILLISECOND
        limits.append(losses.update(300e3, 1e3 * came, idle)[0] or 300e3)
    assert least <= min(limits) <= most


# Probing


def test_clusters_begin_at_three_times_and_go_on_doubling_while_more_is_wanted() -> None:
    probes = estimation.Probes()
    now, bps, tried = SECOND, 300e3, []
    for _ in range(6):
        rate = probes.decide(bps, 2.9e6, True, now)
        if rate is None:
            break
        tried.append(rate)
        now, bps = answered(probes, now, share=1.0)
    assert tried == pytest.approx([900e3, 1.8e6, 3.6e6], rel=0.05)
    assert bps >= 1.2 * 2.9e6, "a fifth more than is wanted"


def answered(
    probes: estimation.Probes,
    now: int,
    *,
    share: float,
    slower: float = 1.0,
    loss: float = 0.0,
    size: int = 1_000,
) -> tuple[int, float]:
    """Send the whole cluster; that share of it arrives, so much slower than sent, on a line that loses so much anyhow.
    When, and what is concluded."""
    packets: list[tuple[int, int]] = []
    due: int | None = now
    while due is not None:
        now = due
        count, due = probes.step(size, len(packets), now)
        packets += [(len(packets) + number, now) for number in range(count)]
    begun = packets[0][1]
    for number, sent in packets:
        came = number < share * len(packets)
        probes.result(number, size, sent, 9 * SECOND + int((sent - begun) * slower) if came else None)
    now += 50_000
    return now, probes.conclude(300e3, now, loss)


@pytest.mark.parametrize(
    ("share", "slower", "loss", "wait"),
    [
        (1.0, 1.0, 0.0, 0),
        (0.9, 1.0, 0.0, 0),
        (0.7, 1.0, 0.0, 1.25),  # too few came
        (0.7, 1.0, 0.2, 0),  # of a line that loses a fifth, more than was to be expected
        (0.5, 1.0, 0.2, 1.25),
        (1.0, 1.2, 0.0, 0),  # the link's capacity, a little below the rate tried
        (1.0, 3.0, 0.0, 5),  # a third of it
        (1.0, 0.1, 0.0, 5),  # held up and released together: nothing is learned
    ],
)
def test_what_a_cluster_proves(share: float, slower: float, loss: float, wait: float) -> None:
    """The next one at once, or so many seconds later."""
    probes = estimation.Probes()
    assert probes.decide(300e3, 3e6, True, SECOND) == 900e3
    now, found = answered(probes, SECOND, share=share, slower=slower, loss=loss, size=200)
    assert (found > 315e3) == (wait == 0)
    assert probes.again == now + int(wait * SECOND)


@pytest.mark.parametrize(
    ("share", "slower", "expected"),
    [(1.0, 3.0, [5, 10, 20, 40, 40, 40]), (0.5, 1.0, [1.25, 2.5, 5, 10, 10, 10])],
)
def test_failures_make_the_next_try_rarer(share: float, slower: float, expected: list[float]) -> None:
    """Those that show nothing since too much of them was lost less so."""
    probes = estimation.Probes()
    now, waits = SECOND, []
    for _ in range(6):
        assert probes.decide(300e3, 3e6, True, now) is not None
        now, _ = answered(probes, now, share=share, slower=slower)
        waits.append((probes.again - now) / SECOND)
        assert probes.decide(300e3, 3e6, True, probes.again - 1) is None
        now = probes.again
    assert waits == expected


@pytest.mark.parametrize(
    ("bps", "wanted", "quiet"),
    [(300e3, 0, True), (300e3, 250e3, True), (300e3, 3e6, False), (3.6e6, 3e6, True), (300e3, 160e3, True)],
)
def test_no_cluster_where_it_would_harm_or_serve_nobody(bps: float, wanted: float, quiet: bool) -> None:
    assert estimation.Probes().decide(bps, wanted, quiet, SECOND) is None


def test_no_more_is_tried_than_twice_what_is_wanted() -> None:
    assert estimation.Probes().decide(300e3, 400e3, True, SECOND) == 800e3


def test_on_a_line_that_was_full_one_layer_more_is_tried() -> None:
    assert estimation.Probes().decide(300e3, 3e6, True, SECOND, most=400e3) == 400e3


def test_after_a_drop_a_little_less_than_before_it_is_tried_once() -> None:
    probes = estimation.Probes()
    probes.decide(300e3, 3e6, True, SECOND)
    now, _ = answered(probes, SECOND, share=1.0)
    probes.dropped(2e6, 500e3, 2 * SECOND, now)
    assert probes.decide(500e3, 3e6, True, now + 2 * SECOND - 1) is None
    assert probes.decide(500e3, 3e6, True, now + 2 * SECOND) == pytest.approx(1.7e6)
    now, _ = answered(probes, now + 2 * SECOND, share=0.5)
    assert probes.decide(500e3, 3e6, True, probes.again) == 1e6


def test_a_cluster_is_fifteen_milliseconds_of_its_rate_and_five_packets_at_least() -> None:
    for rate, least in ((900e3, 5), (9e6, 17), (30e6, 57)):
        probes = estimation.Probes()
        assert probes.decide(rate / 3, 1e9, True, SECOND) == pytest.approx(rate)
        times: list[int] = []
        due: int | None = SECOND
        while due is not None:
            now = due
            count, due = probes.step(1_000, len(times), now)
            times += [now] * count
        assert len(times) == least
        assert all(b - a >= 1_000 for a, b in pairwise(sorted(set(times))))
        assert times[-1] - times[0] >= 0.7 * 15_000 * (len(times) > 5)
