"""How the estimate follows a path, on simulated time and a simulated bottleneck."""

import random

import pytest

from tests.media.plane.links import START, Link, steady
from tests.media.plane.paths import PACKET, Media, Path, constant, greedy

LADDER = (50e3, 150e3, 500e3, 1.2e6, 2.5e6)


def layers(_seconds: float, estimate: float) -> float:
    """Simulcast: the highest layer that fits."""
    return max(rate for rate in LADDER if rate <= max(estimate, LADDER[0]))


@pytest.mark.parametrize("media", [constant(100e3), greedy(12e6), layers], ids=["little", "plenty", "layers"])
@pytest.mark.parametrize("delay_us", [5_000, 75_000])
def test_it_starts_low_and_finds_ten_megabits_within_five_seconds(media: Media, delay_us: int) -> None:
    path = Path(Link(steady(10e6), delay_us=delay_us), media, back_us=delay_us).run(5)
    assert path.trace[0][1] == 300_000
    assert 8e6 <= path.estimator.bps <= 11e6


@pytest.mark.parametrize("media", [greedy(2.5e6), layers, constant(2.5e6)], ids=["plenty", "layers", "deaf"])
@pytest.mark.parametrize("queue_us", [30_000, 400_000, 2_000_000])
def test_on_a_line_that_collapses_it_is_below_the_new_limit_within_two_seconds(
    media: Media, queue_us: int
) -> None:
    link = Link(lambda seconds: 3e6 if seconds < 8 else 300e3, queue_us=queue_us)
    path = Path(link, media).run(20)
    assert min(path.estimates(6, 8)) > 2.4e6
    assert max(path.estimates(10, 11)) < 300e3
    assert max(path.estimates(11, 20)) < 600e3, "and stays near it"
    if media is not layers:
        assert max(path.estimates(11, 20)) > 80e3


def test_one_packet_in_ten_lost_far_away_does_not_bring_it_down() -> None:
    link = Link(steady(10e6), delay_us=75_000, loss=0.1)
    path = Path(link, greedy(2.5e6), wanted=2.5e6, back_us=75_000).run(40)
    after_start = path.estimates(5, 40)
    assert min(after_start) > 700e3
    assert sum(after_start) / len(after_start) > 1e6


@pytest.mark.parametrize("bps", [150e3, 300e3, 1e6, 3e6])
def test_a_full_line_is_used_well_and_its_queue_kept_short(bps: float) -> None:
    link = Link(steady(bps), queue_us=1_000_000)
    path = Path(link, greedy(5e6), wanted=5e6).run(30)
    settled = path.estimates(10, 30)
    assert 0.7 * bps < sum(settled) / len(settled) < 1.1 * bps
    assert link.dropped == 0 or bps < 300e3, (
        "a second of queue is never full, but where the start was too high"
    )


def test_a_line_that_drops_and_does_not_queue_is_found_by_its_losses() -> None:
    path = Path(Link(steady(300e3), queue_us=10_000), greedy(2.5e6), wanted=2.5e6).run(20)
    assert min(path.estimates(5, 20)) > 100e3
    assert max(path.estimates(5, 20)) < 360e3
    assert path.link.dropped < 100


def test_it_makes_way_for_others_and_comes_back() -> None:
    link = Link(lambda seconds: 1.5e6 if 6 < seconds < 12 else 5e6)
    path = Path(link, greedy(4e6), wanted=4e6).run(25)
    assert min(path.estimates(5, 6)) > 4e6
    assert max(path.estimates(8, 11)) < 1.6e6
    assert path.estimates(24.9, 25)[0] > 3.5e6


@pytest.mark.parametrize("media", [greedy(2.5e6), layers], ids=["plenty", "layers"])
def test_a_line_cut_for_eight_seconds_is_used_again_within_two(media: Media) -> None:
    link = Link(lambda seconds: 0 if 6 < seconds < 14 else 5e6)
    path = Path(link, media, wanted=2.5e6).run(16)
    assert path.estimates(13.9, 14)[0] < 300e3, "nobody answers: back off"
    assert path.estimator.bps > 2.5e6


def test_probes_in_vain_before_a_cut_do_not_delay_those_after_it() -> None:
    link = Link(lambda seconds: 400e3 if seconds < 60 else 0 if seconds < 68 else 5e6)
    path = Path(link, constant(200e3), wanted=2.5e6).run(70)
    before = path.estimates(59, 60)[0]
    assert path.estimates(67.9, 68)[0] < 50e3
    assert path.estimator.bps > 0.8 * before


@pytest.mark.parametrize("wanted", [2.5e6, 0])
def test_what_was_lost_at_the_end_of_a_picture_is_no_dead_line(wanted: float) -> None:
    """Nobody says or shows anything afterwards, and of a paused consumer nothing can be probed (`wanted` 0)."""
    link = Link(lambda seconds: 0 if 9.8 < seconds < 10.2 else 5e6)
    path = Path(link, lambda seconds, bps: min(2e6, bps) if seconds < 10 else 0, wanted=wanted).run(30)
    assert path.estimator.bps >= 0.75 * path.estimates(9, 9.5)[0]
    if wanted:
        assert max(path.estimates(29, 30)) - min(path.estimates(29, 30)) == 0, "it is asked no more"


def test_a_line_on_which_nothing_is_sent_any_more_is_asked_whether_it_is_there_again() -> None:
    link = Link(lambda seconds: 5e6 if seconds < 10 or seconds > 50 else 0)
    path = Path(link, lambda seconds, bps: min(2e6, bps) if seconds < 10.5 else 0, wanted=2.5e6).run(20)
    asked = path.probe_bytes
    path.run(30)
    assert 40 <= (path.probe_bytes - asked) // PACKET <= 60, "one packet each half a second"
    assert path.run(1.5).estimator.bps > 0.8 * path.estimates(9, 9.5)[0]


def test_without_any_report_it_backs_off_and_does_not_probe() -> None:
    path = Path(Link(steady(5e6)), greedy(2.5e6), reports=False).run(12)
    assert path.estimator.bps == 30_000
    assert path.estimator.clusters == 0


def test_jitter_is_not_mistaken_for_a_queue() -> None:
    path = Path(Link(steady(10e6), jitter_us=20_000), greedy(2.5e6), wanted=2.5e6).run(20)
    assert min(path.estimates(2, 20)) > 2.4e6


@pytest.mark.parametrize("leap", [-3_600_000_000, -500_000, 4_000_000, 3_600_000_000])
def test_a_leap_of_the_receivers_clock_costs_nothing(leap: int) -> None:
    def clock(now: int) -> int:
        return now + 7_200_000_000 + (leap if now > START + 6_000_000 else 0)

    path = Path(Link(steady(5e6)), greedy(2e6), wanted=2e6, receiver_clock=clock).run(15)
    assert min(path.estimates(7.5, 15)) > 1.5e6


def test_reports_lost_doubled_and_out_of_order_do_little_harm() -> None:
    dice = random.Random(3)  # noqa: S311  a network, not a secret
    held: list[bytes] = []

    def tamper(message: bytes) -> list[bytes]:
        if held and dice.random() < 0.5:
            return [message, held.pop(), message]
        if dice.random() < 0.3:
            held.append(message)
            return []
        return [message]

    path = Path(Link(steady(3e6)), greedy(2e6), wanted=2e6, report_loss=0.1, tamper=tamper).run(15)
    assert min(path.estimates(3, 15)) > 1.2e6


def test_who_lies_about_arrivals_gets_no_more_than_media_and_a_few_probes() -> None:
    """Reports that praise a line of 100 kbit/s: everything came, and at once."""

    class Liar(Path):
        def send(self, number: int, size: int) -> None:
            self.sent_bytes += size
            self.arrivals.note(number, self.now)

    path = Liar(Link(steady(100e3)), constant(500e3), wanted=2.5e6).run(60)
    media = path.sent_bytes - path.probe_bytes
    assert media == pytest.approx(500e3 * 60 / 8, rel=0.01)
    assert path.probe_bytes < 100_000
    assert path.estimator.bps < 6e6


@pytest.mark.parametrize("seed", [2, 3])
def test_a_probe_whose_report_is_lost_does_not_blind_it_to_a_queue(seed: int) -> None:
    """Loss that begins then forbids another probe, with which the first would have been given up."""
    link = Link(lambda s: 5e6 if s < 15 else 400e3, delay_us=75_000, queue_us=3_000_000, seed=seed)
    lost: list[float] = []

    def tamper(message: bytes) -> list[bytes]:
        return [] if lost and path.timeline.seconds() < lost[0] + 0.35 else [message]

    path = Path(link, greedy(2.5e6), wanted=2.5e6, back_us=75_000, seed=seed, tamper=tamper)
    path.run(0.5)
    clusters = path.estimator.clusters
    while path.estimator.clusters == clusters:
        path.run(0.05)
    lost.append(path.timeline.seconds())
    path.run(0.05)
    link.loss = 0.12
    path.run(24 - path.timeline.seconds())
    waits = []
    while path.timeline.seconds() < 40:
        path.run(0.5)
        waits.append(max(link.busy_until - path.now, 0))
    assert max(waits) < 500_000
    assert path.estimator.overuses > 0


def test_failing_probes_become_rare() -> None:
    link = Link(steady(400e3))
    path = Path(link, constant(150e3), wanted=2.5e6).run(120)
    assert 3 <= path.estimator.clusters <= 12
    assert link.dropped == 0


def test_nothing_is_probed_when_no_more_is_wanted() -> None:
    path = Path(Link(steady(10e6)), constant(100e3), wanted=100e3).run(20)
    assert path.probe_bytes == 0
