"""What a measurement says of the packets that did not come."""

from bench.measuring import spread
from bench.report import PACE, Sample, missing, missing_line

SECONDS = 10.0
SENT = PACE * SECONDS


def sample(lost: int, *, subscribers: int = 10, sent: float = SENT, **dropped: int) -> Sample:
    """Each of the subscribers receives what was sent but for `lost` packets."""
    return Sample([int(sent) - lost] * subscribers, SECONDS, 1.0, [], 1, sent, lost * subscribers, dropped)


def test_what_does_not_come_is_lost_and_so_is_what_is_not_sent_but_for_two_bursts_at_the_ends() -> None:
    assert sample(1).loss == 1 / SENT
    assert sample(0, sent=SENT - 8).loss == 0.0
    assert sample(0, sent=SENT - 9).loss == 9 / SENT


def test_missing_packets_are_told_with_who_dropped_them() -> None:
    found = missing([sample(100, sockets=600, backlog=400), sample(50, sockets=500)])

    assert found == {"packets": 1500, "not sent by the publishers": 0, "sockets": 1100, "backlog": 400}
    assert missing_line(found).endswith("1500 packets missing: 1100 sockets, 400 backlog")


def test_what_was_never_sent_is_told_apart() -> None:
    found = missing([sample(0, sent=SENT - 20)])

    assert found == {"packets": 200, "not sent by the publishers": 200}


def test_what_nobody_dropped_is_told() -> None:
    found = missing_line(missing([sample(100, sockets=300)]))

    assert found.endswith("missing: 300 sockets, 700 dropped by nobody known")


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert not missing_line(missing([sample(0, sockets=3)]))


def test_latency_is_of_all_who_are_measured_and_of_the_one_who_has_it_worst() -> None:
    first, last = [0.1] * 97 + [3.0] * 3, [0.2] * 90 + [9.0] * 10
    found = Sample([1, 1], SECONDS, 1.0, [first, last], 1, SENT, 0, {})

    assert [found.latency(share) for share in (0.50, 0.90, 0.96)] == [0.2, 0.2, 9.0]
    assert found.worst_latency(0.95) == 9.0
    assert Sample([1], SECONDS, 1.0, [], 1, SENT, 0, {}).latency(0.95) == 0.0


def test_those_who_are_measured_are_spread_from_the_first_to_the_last() -> None:
    assert spread(1000, 5) == [0, 250, 500, 749, 999]
    assert spread(3, 20) == [0, 1, 2]
    assert spread(1, 20) == [0]
