"""The time in which the machine was slow is told apart from the server's."""

import os
import threading

from bench.report import PACE, Sample, Steady, figures, told
from bench.steadiness import CATCHING_UP, steadiness
from bench.yardstick import Yardstick

USUAL = 1e-5
LOOKS = [(0.002 * number, USUAL) for number in range(1, 1000)]


def looks(*slow: float, took: float = 10 * USUAL) -> list[tuple[float, float]]:
    """Two seconds of them, slow for twenty milliseconds from these moments on."""
    return [
        (at, took if any(one - 1e-6 < at < one + 0.0199 for one in slow) else usual) for at, usual in LOOKS
    ]


def test_a_machine_that_keeps_its_speed_is_steady_throughout() -> None:
    found = steadiness([looks(0.5, took=1.9 * USUAL), LOOKS], 0.0, 2.0)
    assert (found.share, list(found.spans)) == (1.0, [])
    assert 0.5 in found


def test_a_single_look_may_take_long() -> None:
    now_and_then = [(at, 10 * USUAL if number % 5 == 0 else USUAL) for number, (at, _) in enumerate(LOOKS)]
    assert steadiness([now_and_then], 0.0, 2.0).share == 1.0


def test_slow_moments_of_either_processor_and_what_comes_after_are_not() -> None:
    found = steadiness([looks(0.5, 0.6), looks(1.4)], 0.0, 2.0)
    moments = (0.499, 0.501, 0.6, 0.618 + CATCHING_UP - 0.001, 0.618 + CATCHING_UP + 0.001, 1.41)
    assert [at in found for at in moments] == [True, False, False, False, True, False]
    assert abs(found.share - (2.0 - (0.118 + CATCHING_UP) - (0.018 + CATCHING_UP)) / 2.0) < 1e-3


def test_only_what_lies_in_the_time_that_is_measured_is_taken_from_it() -> None:
    assert abs(steadiness([looks(1.0)], 1.2, 2.0).share - (0.8 - 0.118) / 0.8) < 1e-3


def test_without_looks_nothing_is_known_and_nothing_left_out() -> None:
    assert steadiness([[]], 0.0, 1.0).share == 1.0


def test_the_report_has_both() -> None:
    sent = PACE * 10.0
    sample = Sample([1], 10.0, 1.0, [[0.1, 0.2, 9.0]], 1, sent, 0, {}, 0.0, [0.1, 0.2], 0.9)
    found = figures([sample])
    assert (found["latencyMsP95"], found["steadyLatencyMsP95"], found["steadyShare"]) == (9.0, 0.2, 0.9)
    assert str(Steady.of([sample])) in told(found)


def test_the_yardstick_sees_its_processor_work() -> None:
    yardstick = Yardstick()
    thread = threading.Thread(target=yardstick.run)
    thread.start()
    while not yardstick.take():
        os.sched_yield()
    yardstick.stop()
    thread.join()
    assert all(0 < took < at for at, took in yardstick.take())
