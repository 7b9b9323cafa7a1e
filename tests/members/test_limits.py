from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.accounts.limits import Allowance, MemoryLimiter, source_key
from tests.factories import FakeClock

THREE = Allowance(3, timedelta(seconds=10))


async def test_a_burst_then_one_each_recovery(clock: FakeClock) -> None:
    limiter = MemoryLimiter(clock)
    assert [await limiter.spend("key", THREE) for _ in range(4)] == [0, 0, 0, 10]
    clock.advance(10)
    assert [await limiter.spend("key", THREE) for _ in range(2)] == [0, 10]
    clock.advance(3600)
    assert [await limiter.spend("key", THREE) for _ in range(4)] == [0, 0, 0, 10]


async def test_a_refused_attempt_costs_nothing(clock: FakeClock) -> None:
    limiter = MemoryLimiter(clock)
    for _ in range(50):
        await limiter.spend("key", THREE)
    clock.advance(10)
    assert await limiter.spend("key", THREE) == 0


async def test_a_refund_gives_back_one_attempt_and_never_more_than_there_were(clock: FakeClock) -> None:
    limiter = MemoryLimiter(clock)
    for _ in range(5):
        await limiter.refund("key", THREE)
    assert [await limiter.spend("key", THREE) for _ in range(4)] == [0, 0, 0, 10]
    await limiter.refund("key", THREE)
    assert [await limiter.spend("key", THREE) for _ in range(2)] == [0, 10]


async def test_the_memory_is_bounded_and_forgets_the_longest_unused(clock: FakeClock) -> None:
    limiter = MemoryLimiter(clock, maximum_keys=2)
    once = Allowance(1, timedelta(seconds=10))
    for key in ("first", "second", "third"):
        assert await limiter.spend(key, once) == 0
    assert await limiter.spend("third", once) > 0
    assert await limiter.spend("second", once) > 0
    assert await limiter.spend("first", once) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("2001:db8::", "192.0.2.1", False),
    ],
)
def test_a_source_is_an_address_or_a_site(one: str, other: str, *, same: bool) -> None:
    assert (source_key(one) == source_key(other)) is same


@given(st.text())
def test_any_text_is_a_source(text: str) -> None:
    assert len(source_key(text)) <= 64
