"""The rate that delay allows, by itself: tables reckoned by hand, and any input against a plain implementation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.plane import estimation, reference

SECOND = 1_000_000
MILLISECOND = 1_000


@pytest.mark.parametrize(
    ("start", "script", "expected"),
    [
        # (usage, acknowledged, rtt in ms, seconds): the rate afterwards
        (1e6, [("normal", 1e6, 50, 1.0)], 1.08e6),
        (1e6, [("normal", 1e6, 50, 0.5)], 1e6 * 1.08**0.5),
        (1e6, [("normal", 1e6, 50, 9.0)], 1.08e6),  # a second at most counts
        (1e6, [("normal", 0, 50, 1.0)], 1e6),  # nothing known
        (1e6, [("normal", 600e3, 50, 1.0)], 1e6),  # not beyond what is tried
        (1e6, [("normal", 700e3, 50, 1.0)], 1.06e6),  # 1.5 times 700 and ten
        (1e6, [("under", 1e6, 50, 1.0)], 1e6),
        (1e6, [("over", 900e3, 50, 1.0)], 765e3),
        (1e6, [("over", 0, 50, 1.0)], 500e3),  # nobody answers: half
        (1e6, [("over", 2e6, 50, 1.0)], 1e6),  # never up
        (1e6, [("over", 900e3, 50, 1.0), ("over", 700e3, 50, 1.34)], 765e3),  # not before it has had its effect
        (1e6, [("over", 900e3, 50, 1.0), ("over", 700e3, 50, 1.36)], 595e3),
        (1e6, [("over", 900e3, 50, 1.0), ("over", 300e3, 50, 1.01)], 255e3),  # far too much: at once
        # Near the capacity: frames of 765000/30 = 25500 bit in three packets, one a (50 + 100) ms
        (1e6, [("over", 900e3, 50, 1.0), ("normal", 765e3, 50, 1.0), ("normal", 765e3, 50, 1.5)],
         765e3 + 0.5 * 8_500 / 0.15),
        # Far above the capacity: it was another link's
        (1e6, [("over", 900e3, 50, 1.0), ("normal", 1.2e6, 50, 1.0), ("normal", 1.2e6, 50, 2.0)], 765e3 * 1.08),
        (1e6, [("over", 1_000, 50, 1.0)], 30e3),
        (39e6, [("normal", 39e6, 50, 1.0)], 40e6),
    ],
)  # fmt: skip
def test_the_rate_by_hand(start: float, script: list[tuple[str, float, int, float]], expected: float) -> None:
    rate = estimation.RateControl(start)
    for usage, acknowledged, rtt_ms, seconds in script:
        rate.update(usage, acknowledged, rtt_ms * MILLISECOND, int(seconds * SECOND))
    assert rate.bps == pytest.approx(expected)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # (usage, acknowledged, idle, seconds), from 200 kbit/s, of which sound takes 60 and a layer more would take 150
        ([("over", 60e3, False, 1.0)], 60e3),  # never below the sound
        ([("over", 60e3, True, 1.0)], 127.5e3),  # what is allowed is cut, not what is used
        ([("over", 60e3, True, 1.0), ("over", 60e3, True, 2.0)], 108.375e3),
        ([("over", 130e3, True, 1.0)], 170e3),
        ([("over", 60e3, False, 1.0), *(("normal", 60e3, False, 2.0 + n) for n in range(60))], 150e3),
    ],
)
def test_who_sends_little_keeps_what_a_layer_more_takes(
    script: list[tuple[str, float, bool, float]], expected: float
) -> None:
    rate = estimation.RateControl(200e3)
    rate.expect(60e3, 150e3)
    for usage, acknowledged, idle, seconds in script:
        rate.update(usage, acknowledged, 50 * MILLISECOND, int(seconds * SECOND), idle)
    assert rate.bps == pytest.approx(expected)


def test_who_has_nothing_to_give_up_waits_instead() -> None:
    rate = estimation.RateControl(100e3)
    rate.expect(60e3, 150e3, hungry=True)
    assert rate.update("over", 60e3, 50 * MILLISECOND, SECOND, idle=True)
    assert rate.bps == 100e3
    rate.update("normal", 60e3, 50 * MILLISECOND, 2 * SECOND, idle=True)
    assert rate.bps == 100e3
    for second in range(3, 30):
        rate.update("normal", 60e3, 50 * MILLISECOND, second * SECOND, idle=True)
    assert rate.bps == 150e3


@settings(max_examples=150)
@given(
    st.floats(30e3, 40e6),
    st.lists(
        st.tuples(
            st.sampled_from(("normal", "normal", "over", "under")),
            st.one_of(st.just(0.0), st.floats(1e3, 50e6)),
            st.integers(0, 500_000),
            st.integers(0, 2_000_000),
            st.booleans(),
        ),
        max_size=60,
    ),
    st.floats(0, 200e3),
    st.floats(0, 3e6),
    st.booleans(),
)
def test_any_script_has_the_rates_of_the_plain_implementation(
    start: float,
    script: list[tuple[str, float, int, int, bool]],
    least: float,
    following: float,
    hungry: bool,
) -> None:
    rate, plain, now = estimation.RateControl(start), reference.RateControl(start), 0
    rate.expect(least, following, hungry)
    plain.least, plain.next, plain.hungry = least, following, hungry
    for usage, acknowledged, rtt, pause, idle in script:
        now += pause
        assert rate.update(usage, acknowledged, rtt, now, idle) == plain.update(
            usage, acknowledged, rtt, now, idle
        )
        assert rate.bps == pytest.approx(plain.bps)
        assert rate.capacity == pytest.approx(plain.capacity.mean or 0)
