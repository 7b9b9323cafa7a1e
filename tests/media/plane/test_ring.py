"""A stream's store: right bytes or none, as much as receivers may want, and no more memory than that takes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.plane import stores

SECOND = 1_000_000
KEPT = 3_500_000
LEAST, MOST = 1 << 16, 1 << 20
SLOTS, SLOTS_MOST = 256, 1024


def video() -> stores.Ring:
    return stores.Ring(SLOTS, SLOTS_MOST, LEAST, MOST)


def packet(sequence: int, length: int) -> bytes:
    return sequence.to_bytes(4) * (length // 4)


def store_steadily(
    ring: stores.Ring, first: int, count: int, *, per_second: int, length: int, since: int
) -> int:
    """Store so many packets from a time on; when the next is due."""
    for number in range(count):
        ring.store(first + number, packet(first + number, length), since + number * SECOND // per_second)
    return since + count * SECOND // per_second


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 300), st.integers(0, 700), st.sampled_from([0, 1_000, 30_000, KEPT])),
        max_size=200,
    ),
    st.booleans(),
)
def test_the_ring_never_shows_wrong_bytes(kept_in_turn: list[tuple[int, int, int]], grows: bool) -> None:
    ring = stores.Ring(16, 64 if grows else 16, 8192, 65_536 if grows else 8192)
    kept: dict[int, bytes] = {}
    now = SECOND
    for sequence, length, later in kept_in_turn:
        now += later
        data = bytes([sequence & 0xFF]) * length
        ring.store(sequence, data, now)
        kept[sequence] = data
        for number, expected in kept.items():
            assert ring.find(number) in {None, expected}
        assert ring.find(sequence) == data
        assert ring.seen(sequence)


@pytest.mark.parametrize(
    ("per_second", "length", "size", "slots"),
    [
        (30, 500, 1 << 16, 256),  # simulcast's smallest layer
        (60, 1100, 1 << 18, 256),
        (120, 1100, 1 << 19, 512),
        (1000, 1200, 1 << 20, 1024),  # more than there may be
    ],
)
def test_memory_is_what_the_time_takes(per_second: int, length: int, size: int, slots: int) -> None:
    ring = video()
    store_steadily(ring, 1, 60 * per_second, per_second=per_second, length=length, since=SECOND)
    assert (ring.size, ring.slots) == (size, slots)


def test_whatever_the_pace_the_time_is_kept() -> None:
    """Bursts, lulls and leaps of the rate: what would be gone too soon makes the store longer first."""
    dice = random.Random(5)  # noqa: S311 - repeatable, not secret
    ring, now, sequence = video(), SECOND, 1
    stored: dict[int, tuple[int, bytes]] = {}
    for _ in range(400):
        for _ in range(dice.choice([1, 2, 4, 60])):
            data = packet(sequence, dice.randrange(80, 1200))
            ring.store(sequence, data, now)
            stored[sequence] = (now, data)
            sequence += 1
        now += dice.choice([10_000, 33_000, 200_000])
        for number, (at, data) in stored.items():
            if now - at <= KEPT and sequence - number <= SLOTS_MOST:
                assert ring.find(number) in {None, data}
                assert ring.find(number) is not None or ring.size == MOST
        stored = {number: one for number, one in stored.items() if now - one[0] <= KEPT}
    assert ring.size > LEAST


def test_a_key_frame_after_quiet_seconds_does_not_write_over_itself() -> None:
    ring = video()
    now = store_steadily(ring, 1, 300, per_second=30, length=500, since=SECOND)
    for number in range(301, 701):
        ring.store(number, packet(number, 1100), now)
    assert [number for number in range(301, 701) if ring.find(number) != packet(number, 1100)] == []
    assert ring.find(300) == packet(300, 500)


def test_what_came_before_it_grew_is_found_after() -> None:
    ring = video()
    sizes = set()
    for number in range(1, 700):
        ring.store(number, packet(number, 1100), SECOND + number * 5_000)
        sizes.add((ring.size, ring.slots))
        oldest = max(1, number - KEPT // 5_000 + 1)
        assert all(ring.find(old) == packet(old, 1100) for old in range(oldest, number + 1, 7))
    assert {size for size, _ in sizes} == {1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20}
    assert {slots for _, slots in sizes} == {256, 512, 1024}
