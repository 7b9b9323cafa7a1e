"""Who is found at the same address, and who of them shares a line."""

from ipaddress import ip_address
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media.plane.coupled import Street, same_way

ROOM, ELSEWHERE = "203.0.113.7", "203.0.113.8"
TCP = 8  # the `socket` of TCP connections


def packed(text: str) -> bytes:
    """As the plane has it: IPv4 as ::ffff:a.b.c.d."""
    address = ip_address(text)
    return bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed


def street(*addresses: str) -> Street:
    made = Street(len(addresses))
    for number, one in enumerate(addresses):
        made.move_in(number, packed(one))
    return made


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (ROOM, ROOM, True),
        (ROOM, ELSEWHERE, False),
        ("::ffff:203.0.113.7", ROOM, True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # a household has a /64
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::1", "::ffff:0.0.0.1", False),  # the same first half, which of IPv4 says nothing
        ("::203.0.113.7", ROOM, False),
    ],
)
def test_who_is_at_the_same_place(one: str, other: str, together: bool) -> None:
    both = street(one, other)
    assert both.ring(0) == ([1] if together else [])
    assert both.ring(1) == ([0] if together else [])


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ((ROOM, 5_000, 0), (ROOM, 6_000, 0), True),  # a NAT's other port
        ((ROOM, 5_000, 0), (ELSEWHERE, 5_000, 0), False),
        (("2001:db8:1:2::1", 5_000, 0), ("2001:db8:1:2:ffff::9", 5_000, 0), True),
        ((ROOM, 5_000, 0), ("2001:db8:1:2::1", 5_000, 0), False),
        ((ROOM, 5_000, 0), (ROOM, 5_000, 1), True),  # another socket of ours
        ((ROOM, 5_000, 0), (ROOM, 5_000, TCP), False),
        ((ROOM, 5_000, TCP), (ROOM, 5_000, 0), False),
        ((ROOM, 5_000, TCP), (ROOM, 6_000, TCP), True),
    ],
)
def test_what_goes_over_the_same_line(
    before: tuple[str, int, int], after: tuple[str, int, int], same: bool
) -> None:
    one, other = (
        packed(host) + bytes(4) + port.to_bytes(2) + bytes([0, socket])
        for host, port, socket in (before, after)
    )
    assert same_way(one, other) == same


moves = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from((ROOM, ELSEWHERE, "2001:db8::1", ""))), max_size=40
)


@given(moves)
def test_a_ring_has_all_who_are_there_and_nobody_else(script: list[tuple[int, str]]) -> None:
    """`""`: it leaves for good."""
    made = Street(8)
    at: dict[int, str] = {}
    gone = set[int]()
    for number, where in script:
        if number in gone:
            continue
        if where:
            made.move_in(number, packed(where))
            at[number] = where
        else:
            made.leave(number)
            gone.add(number)
            at.pop(number, None)
        for one, place in at.items():
            assert sorted(made.ring(one)) == [
                other for other in sorted(at) if at[other] == place and other != one
            ]


def test_who_only_sends_is_no_company() -> None:
    both = street(ROOM, ROOM)
    assert not both.has_company(0)
    both.receive(1)
    assert both.has_company(0)


@pytest.mark.parametrize(
    ("receiving", "queueing", "shares"),
    [
        (2, 2, True),
        (3, 2, True),
        (4, 2, False),  # not more than half
        (12, 1, False),
        (12, 7, True),
        (32, 32, True),
        (33, 33, False),  # a carrier's address
        (64, 64, False),
    ],
)
def test_a_line_is_shared_when_most_of_a_room_see_its_queue(
    receiving: int, queueing: int, shares: bool
) -> None:
    made = street(*[ROOM] * receiving)
    for number in range(receiving):
        made.receive(number, queues=number < queueing)
    found = made.sharers(0)
    assert sorted(found) == (list(range(queueing)) if shares else [])
    assert not shares or found[0] == 0, "who asks is the first"


def test_more_transports_than_are_looked_at_share_nothing() -> None:
    """Thirty-two receive, but behind more others than a room's people have."""
    made = street(*[ROOM] * 100)
    for number in range(32):
        made.receive(number, queues=True)
    assert made.sharers(0) == []


class Part(NamedTuple):
    """Of a line, in kbit/s."""

    bps: int
    sound: int = 60
    main: int = 50
    desired: int = 700


def divided(*parts: Part) -> list[int]:
    made = street(*[ROOM] * len(parts))
    for number, part in enumerate(parts):
        made.share(
            number,
            bps=1000 * part.bps,
            sound=1000 * part.sound,
            main=1000 * part.main,
            desired=1000 * part.desired,
        )
    return [round(bps / 1000) for bps in made.even_out()]


@pytest.mark.parametrize(
    ("parts", "shares"),
    [
        ([Part(100), Part(200), Part(300)], [200, 200, 200]),
        ([Part(150, sound=20), Part(150, sound=80)], [120, 180]),  # who is silent himself hears one more
        ([Part(300, desired=120), Part(100)], [120, 280]),  # what one does not want goes to the others
        ([Part(900), Part(900)], [900, 900]),  # and what nobody wants to all alike
        ([Part(150, main=120), Part(130, main=10)], [180, 100]),  # while it bears the first picture of all
        ([Part(100, main=120), Part(100, main=120)], [100, 100]),  # it does not
    ],
)
def test_what_all_are_allowed_is_shared_out_anew(parts: list[Part], shares: list[int]) -> None:
    assert divided(*parts) == pytest.approx(shares, abs=1)


part_of_a_line = st.builds(
    Part,
    st.integers(40, 900),
    sound=st.integers(0, 200),
    main=st.integers(0, 200),
    desired=st.integers(400, 900),
)


@given(st.lists(part_of_a_line, min_size=2, max_size=20))
def test_sharing_out_anew_changes_no_sum_and_leaves_nobody_out(parts: list[Part]) -> None:
    allowed = sum(part.bps for part in parts)
    shares = divided(*parts)
    least = [part.sound + part.main for part in parts]
    if sum(least) <= allowed:
        assert all(share >= one - 1 for share, one in zip(shares, least, strict=True))
        lifted = sum(max(30 - one, 0) for one in least)  # everybody is allowed one voice
        assert allowed - len(parts) <= sum(shares) <= allowed + lifted + len(parts)


def test_who_comes_to_a_full_line_shares_it_from_the_first_packet_on() -> None:
    made = street(*[ROOM] * 3)
    for number in range(2):
        made.share(number, bps=300e3, sound=60_000, main=50_000, desired=700_000)
    assert made.come_to(2, queue_us=200_000) == (30_000, 3, False), "and has never seen it empty"


def test_who_comes_to_a_line_that_nobody_has_found_full_finds_out_himself() -> None:
    made = street(*[ROOM] * 2)
    made.receive(0)
    assert made.come_to(1) == (0, 0, True)
    assert made.come_to(1, queue_us=24_000) == (0, 0, True)
    assert made.come_to(1, queue_us=26_000) == (0, 0, False)
