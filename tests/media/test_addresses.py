"""Which addresses clients are told."""

from ipaddress import ip_address

import pytest

from media.addresses import announced_addresses, ice_candidates, listened_addresses, machine_addresses

LAN, LAN6, HOME, HOME6 = (ip_address(a) for a in ("192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"))
ANY, ANY6 = "0.0.0.0", "::"  # noqa: S104 - that is what is tested
MACHINE = [HOME, HOME6, LAN6, LAN, LAN]


@pytest.mark.parametrize(
    ("configured", "bound", "expected"),
    [
        ((), (ANY, ANY6), [LAN, LAN6, HOME, HOME6]),
        ((), (ANY,), [LAN, HOME]),
        ((), ("127.0.0.1",), [HOME]),
        ((), ("192.0.2.1", "::1"), [LAN, HOME6]),
        (("203.0.113.9",), (ANY, ANY6), [ip_address("203.0.113.9")]),
        (("203.0.113.9", "203.0.113.9"), (ANY,), [ip_address("203.0.113.9")]),
    ],
)
def test_loopback_comes_last_and_configuration_first(
    configured: tuple[str, ...], bound: tuple[str, ...], expected: list[object]
) -> None:
    assert announced_addresses(configured, bound, MACHINE) == expected


@pytest.mark.parametrize(
    ("bound", "configured", "expected"),
    [
        ((ANY, ANY6), (), (ANY, ANY6)),
        ((ANY, ANY6), ("192.0.2.1",), ("192.0.2.1",)),
        ((ANY,), ("2001:db8:0::1", "192.0.2.1", "192.0.2.1"), ("2001:db8::1", "192.0.2.1")),
        ((ANY, ANY6), ("203.0.113.9", "192.0.2.1"), (ANY, ANY6)),  # of which one is a NAT's
        (("127.0.0.1",), ("192.0.2.1",), ("127.0.0.1",)),
    ],
)
def test_who_tells_of_own_addresses_listens_there_so_that_answers_come_from_there(
    bound: tuple[str, ...], configured: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert listened_addresses(bound, configured, MACHINE) == expected


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match=r"example\.org"):
        announced_addresses(("example.org",), (ANY,), MACHINE)


def test_this_machine_has_loopback_and_nothing_link_local() -> None:
    found = machine_addresses()
    assert HOME in found
    assert not [address for address in found if address.is_link_local]


def test_candidates_keep_the_order_in_their_priorities() -> None:
    candidates = ice_candidates([LAN, LAN6, HOME], 40_000)
    priorities = [candidate["priority"] for candidate in candidates]
    assert priorities == sorted(priorities, reverse=True)
    assert all(0 < priority < 2**31 for priority in priorities)
    assert [(c["ip"], c["address"], c["port"]) for c in candidates][1] == (
        "2001:db8::1",
        "2001:db8::1",
        40_000,
    )
    assert len({candidate["foundation"] for candidate in candidates}) == 3


def test_tcp_is_offered_after_everything_by_udp() -> None:
    candidates = ice_candidates([LAN, LAN6], 40_000, tcp=True)
    priorities = [candidate["priority"] for candidate in candidates]
    assert priorities == sorted(priorities, reverse=True)
    assert all(0 < priority < 2**31 for priority in priorities)
    assert [(c["ip"], c["port"], c["protocol"], c.get("tcpType")) for c in candidates] == [
        (str(LAN), 40_000, "udp", None),
        (str(LAN6), 40_000, "udp", None),
        (str(LAN), 40_000, "tcp", "passive"),
        (str(LAN6), 40_000, "tcp", "passive"),
    ]
    assert len({candidate["foundation"] for candidate in candidates}) == 4
