"""The plane's inner parts by themselves: counters, queues, tables, lists; against simple models, over every wrap."""

import itertools
import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.plane import probe, stores

REFERENCE_WRAP_US = (1 << 24) * 64_000


@pytest.mark.parametrize("cycle", [1, 2, 70_000])
@pytest.mark.parametrize("last", [0, 1, 32_767, 32_768, 65_534, 65_535])
@pytest.mark.parametrize("step", [-32_768, -1000, -1, 0, 1, 2, 3000, 32_767])
def test_sequence_numbers_unwrap_to_the_nearest(cycle: int, last: int, step: int) -> None:
    extended = cycle * 65_536 + last
    assert probe.unwrap16(extended, (extended + step) & 0xFFFF) == extended + step


@given(st.integers(0, 1 << 40), st.sampled_from((7, 15)), st.integers(-64, 63))
def test_picture_ids_unwrap_in_both_widths(last: int, bits: int, step: int) -> None:
    assert probe.unwrap_bits(last, (last + step) % (1 << bits), bits) == last + step


@pytest.mark.parametrize("first", [0, 1, 65_533, 65_534, 65_535])
def test_a_stream_counts_over_the_wrap(first: int) -> None:
    stream = stores.Stream()
    kinds = []
    for number in (0, 1, 3, 2, 2, 4):
        kind, extended, _ = stream.arrival((first + number) & 0xFFFF)
        kinds.append(kind)
        assert extended == 65_536 + first + number
    assert kinds == ["new", "new", "new", "late", "late", "new"]
    assert stream.missing == []


@pytest.mark.parametrize(
    ("arrivals", "kinds"),
    [
        ((5, 5), ("new", "duplicate")),
        ((50, 49, 33, 34), ("new", "late", "late", "late")),  # the first were overtaken
        ((50, 33), ("new", "bad")),  # from before the beginning
        ((5, 3006), ("new", "bad")),
        ((5, 3005), ("new", "new")),
        ((5, 9000, 9001, 9002), ("new", "bad", "restart", "new")),
        ((5, 9000, 6, 9001), ("new", "bad", "new", "restart")),
        ((9000, 100, 101), ("new", "bad", "restart")),
    ],
)
def test_leaps_are_believed_when_confirmed(arrivals: tuple[int, ...], kinds: tuple[str, ...]) -> None:
    stream = stores.Stream()
    assert tuple(stream.arrival(number)[0] for number in arrivals) == kinds


def test_a_gap_is_listed_and_a_long_one_is_an_outage() -> None:
    stream = stores.Stream()
    stream.arrival(65_534)
    assert stream.arrival(2)[2] is False
    assert stream.missing == [65_536 + 65_535, 65_536 + 65_536, 65_536 + 65_537]
    assert stream.arrival(500)[2] is True
    assert stream.missing == []


def test_requests_for_a_missing_packet_come_at_growing_distance_and_end() -> None:
    missing = stores.Missing()
    assert missing.add(10, 12, 0)
    asked: dict[int, list[int]] = {10: [], 11: [], 12: []}
    for now in range(0, 2_000_000, 1000):
        wanted, _ = missing.due(now, 40_000)
        assert wanted == sorted(wanted)
        for number in wanted:
            asked[number].append(now)
        if now == 50_000:
            assert missing.arrived(11, now) > 0
    assert asked[11] == [5_000]
    assert asked[10] == asked[12] == [5_000 + 50_000 * n for n in range(10)]
    assert len(missing) == 0


@given(
    st.lists(st.integers(0, 3000), min_size=1, max_size=128, unique=True).map(sorted), st.integers(0, 1 << 20)
)
def test_a_nack_names_exactly_what_is_wanted(offsets: list[int], base: int) -> None:
    packet = probe.write_nack([base + offset for offset in offsets])
    named = []
    for at in range(12, len(packet), 4):
        pid, mask = int.from_bytes(packet[at : at + 2], "big"), int.from_bytes(packet[at + 2 : at + 4], "big")
        named += [pid, *(pid + bit + 1 & 0xFFFF for bit in range(16) if mask >> bit & 1)]
    assert named == [(base + offset) & 0xFFFF for offset in offsets]
    assert len(packet) == 4 + 4 * int.from_bytes(packet[2:4], "big")


@settings(max_examples=200)
@given(
    st.integers(0, 1 << 17),
    st.lists(st.sampled_from(("forward", "skip", "lost", "late", "switch")), max_size=60),
    st.randoms(use_true_random=False),
)
def test_spans_leave_no_gap_of_their_own(newest_out: int, script: list[str], dice: random.Random) -> None:
    """Against a model that numbers by hand: only what the source lost is missing in the outgoing numbers."""
    spans = stores.Spans(64, newest_out)
    source = dice.randrange(65_536, 1 << 20)
    spans.begin(source)
    expected = newest_out + 1
    held: list[tuple[int, int]] = []  # lost source packets and the numbers kept for them
    sent: dict[int, int] = {}
    lost_tail = False
    for action in script:
        if action == "forward":
            assert spans.forward(source) == expected
            sent[expected] = source
            source, expected = source + 1, expected + 1
            lost_tail = False
        elif action == "lost":
            held.append((source, expected))
            source, expected = source + 1, expected + 1
            lost_tail = True
        elif action == "skip":
            spans.skip(source)
            assert spans.forward(source) is None
            source += 1
            lost_tail = False
        elif action == "late" and held and not lost_tail:
            number, out = held.pop(dice.randrange(len(held)))
            assert spans.forward(number) == out
            sent[out] = number
        elif action == "switch" and not lost_tail:
            held.clear()
            source += dice.randrange(1, 1000)
            spans.begin(source)
    for out, number in list(sent.items())[-20:]:
        assert spans.source_of(out) == number


@pytest.mark.parametrize("most", [2, 8, 64])
def test_spans_take_room_as_they_come_and_the_oldest_go_at_the_limit(most: int) -> None:
    spans = stores.Spans(most, 9)
    for count in range(1, 2 * most + 2):
        spans.begin(1000 * count)
        assert spans.forward(1000 * count) == 9 + count
        assert spans.capacity == min(max(2, 1 << (count - 1).bit_length()), most)
        kept = range(max(1, count - most + 1), count + 1)
        found = [spans.source_of(9 + number) for number in range(1, count + 1)]
        assert found == [1000 * number if number in kept else None for number in range(1, count + 1)]
        assert [spans.forward(1000 * number) for number in kept] == [9 + number for number in kept], "late"


def test_skipped_pictures_close_up_too() -> None:
    spans = stores.Spans(64, 9)
    spans.begin(100)
    spans.forward(100)
    before = spans.picture_shift()
    for source, new in ((101, True), (102, False), (103, False), (104, True)):
        spans.skip(source, new)
    assert spans.picture_shift() == before + 2
    assert spans.forward(105) == 11


@settings(max_examples=100)
@given(st.lists(st.one_of(st.none(), st.binary(max_size=1500)), max_size=300))
def test_the_queue_gives_what_it_took_in_order(script: list[bytes | None]) -> None:
    queue = stores.Queue(4096)
    model: deque[bytes] = deque()
    for item in script:
        if item is None:
            assert queue.pop() == (model.popleft() if model else None)
        elif queue.push(b"head", item):
            model.append(b"head" + item)
        else:
            assert sum(len(entry) + 12 for entry in model) + len(item) > 1000, "it was far from full"
    while model:
        assert queue.pop() == model.popleft()
    assert queue.pop() is None


def test_the_queue_goes_round_its_block_many_times() -> None:
    queue = stores.Queue(4096)
    model: deque[bytes] = deque()
    refused = 0
    for number in range(20_000):
        body = number.to_bytes(4, "big") * (number * 37 % 101)
        if queue.push(b"", body):
            model.append(body)
        else:
            refused += 1
        if model and (number % 7 in {1, 3, 4, 6} or len(model) > 12):
            assert queue.pop() == model.popleft()
    assert refused < 10_000
    while model:
        assert queue.pop() == model.popleft()
    assert queue.pop() is None


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(("put", "remove")), st.integers(0, 40), st.integers(1, 99)), max_size=300
    )
)
def test_the_address_table_is_a_dictionary(script: list[tuple[str, int, int]]) -> None:
    table = stores.Table()
    model: dict[bytes, int] = {}
    for action, key, owner in script:
        address = key.to_bytes(24, "big")
        if action == "put":
            assert table.put(address, owner)
            model[address] = owner
        else:
            table.remove(address)
            model.pop(address, None)
    for key in range(41):
        address = key.to_bytes(24, "big")
        assert table.find(address) == model.get(address, 0)


def test_the_address_table_survives_being_full() -> None:
    table = stores.Table()
    addresses = [number.to_bytes(24, "big") for number in range(20_000)]
    taken = sum(table.put(address, number + 1) for number, address in enumerate(addresses))
    assert taken == 16_384
    for address in addresses[:16_384:2]:
        table.remove(address)
    for number, address in enumerate(addresses[:16_384]):
        assert table.find(address) == (0 if number % 2 == 0 else number + 1)


@settings(max_examples=150)
@given(
    st.integers(0, 65_535),
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9_000_000)), min_size=1, max_size=200),
)
def test_transport_wide_feedback_is_understood_as_it_was_meant(
    base: int, script: list[tuple[int, int]]
) -> None:
    """What one side writes the other reads: arrivals within a quarter of a millisecond, everything else lost."""
    arrivals, sent = probe.Arrivals(), probe.Sent()
    number, now = 0, 1_000_000
    for _ in range(base % 50):
        sent.note(1, 1)
    number = start = base % 50
    truth: dict[int, int] = {}
    got: dict[int, int] = {}
    for step, pause in script:
        for _ in range(step):
            sent.note(100, 1_000 + number)
            number += 1
        now += pause
        if number - 1 - start < 1000:
            truth[number - 1] = now
            arrivals.note(number - 1, now)
    while message := arrivals.message():
        assert len(message) <= 1850
        assert sent.read(message, 1_000_000)
        got |= {sent_us - 1_000: arrival for sent_us, arrival, _, _ in sent.results if arrival >= 0}
    recent = [wide for wide in truth if wide > number - 2048]
    assert got.keys() == set(recent)
    for before, after in itertools.pairwise(recent):
        apart = truth[after] - truth[before]
        assert abs((got[after] - got[before]) % REFERENCE_WRAP_US - apart) <= 500


@pytest.mark.parametrize(
    ("packets", "apart_us", "room"),
    [
        (256, 1_000, 256),
        (257, 1_000, 512),
        (1_000, 1_000, 1_024),
        (5_000, 100, 2_048),  # as many as there may be: the oldest go
        (5_000, 20_000, 256),  # 5.1 s for 256 of them: whoever reports so late has other troubles
    ],
)
@pytest.mark.parametrize("before", [0, 65_300])
def test_what_is_sent_takes_room_only_while_reports_are_due(
    packets: int, apart_us: int, room: int, before: int
) -> None:
    sent = probe.Sent()
    arrivals = probe.Arrivals()
    for number in range(before):
        sent.note(100, 1 + number)
        arrivals.note(number, 1_000_000)
        if number % 100 == 99:
            assert sent.read(arrivals.message(), 1_000_000)
    while message := arrivals.message():
        sent.read(message, 1_000_000)
    assert sent.room == 256, "all was reported in time"
    now, kept = 2_000_000, min(packets, room)
    for number in range(packets):
        sent.note(100, now + number * apart_us)
        if number >= packets - kept:
            arrivals.note(before + number & 0xFFFF, 2_000_000 + 250 * number)
    assert sent.room == room
    got = []
    while message := arrivals.message():
        assert sent.read(message, now + packets * apart_us)
        got += [sent_us for sent_us, _, _, _ in sent.results]
    assert got == [now + number * apart_us for number in range(packets - kept, packets)]


@pytest.mark.parametrize("ticks", [0, 1, 255, 256, 257, 32_767, 32_768, 40_000, -1, -256, -32_768, -32_769])
def test_every_length_of_step_between_arrivals_survives(ticks: int) -> None:
    """In ticks of 250 us: one byte up to 255, two up to 32,767, a message of its own beyond."""
    arrivals, sent = probe.Arrivals(), probe.Sent()
    first = 640_000_000
    for number, at in enumerate((first, first + 250 * ticks)):
        sent.note(1, 1 + number)
        arrivals.note(number, at)
    messages = 0
    got = []
    while message := arrivals.message():
        assert sent.read(message)
        got += [arrival for _, arrival, _, _ in sent.results]
        messages += 1
    one, other = got
    assert other - one == 250 * ticks
    assert messages == (1 if -32_768 <= ticks <= 32_767 else 2)


def test_what_a_forwarded_frame_touches_is_fetched_ahead_whole() -> None:
    for touched, fetched in stores.near_bytes():
        assert touched <= fetched
