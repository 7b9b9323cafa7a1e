"""ICE-lite over simulated time."""

import pytest
from aioice import stun

from media.ice import (
    DISCONNECTED_AFTER,
    FAILED_AFTER,
    MAX_ADDRESSES,
    MAX_CREDENTIALS,
    STALE_AFTER,
    IceAgent,
    IceState,
    Verdict,
)
from media.stun import parse_binding_request
from tests.media.test_stun import check

HOME, MOBILE = ("192.0.2.1", 5_000), ("198.51.100.9", 6_000)

Agent = IceAgent[tuple[str, int]]


def send(
    agent: Agent,
    source: tuple[str, int],
    now: float,
    *,
    use_candidate: bool = False,
    controlled: bool = False,
    username: str | None = None,
    password: str | None = None,
) -> Verdict[tuple[str, int]]:
    datagram = check(
        username or f"{agent.credentials.ufrag}:remote",
        password or agent.credentials.password,
        use_candidate=use_candidate,
        controlled=controlled,
    )
    return agent.check(parse_binding_request(datagram), source, source, now)


def code(verdict: Verdict[tuple[str, int]]) -> int | None:
    return stun.parse_message(verdict.response).error_code


def test_credentials_are_long_and_never_the_same() -> None:
    one, other = Agent(), Agent()
    assert one.credentials != other.credentials
    assert len(one.credentials.ufrag) >= 4
    assert len(one.credentials.password) >= 22


def test_a_check_answered_elsewhere_counts_for_the_selected_address() -> None:
    agent = Agent()
    agent.heard(1)
    assert agent.tick(1) is IceState.NEW
    send(agent, HOME, 0)
    agent.heard(DISCONNECTED_AFTER - 1)
    agent.heard(2)  # told late
    assert agent.tick(DISCONNECTED_AFTER + 1) is IceState.CONNECTED
    # Nobody has left an address that was heard from a moment ago.
    send(agent, MOBILE, DISCONNECTED_AFTER)
    assert agent.selected == HOME
    agent.tick(2 * DISCONNECTED_AFTER)
    assert agent.addresses[HOME] == DISCONNECTED_AFTER - 1


def test_first_valid_check_selects_its_address() -> None:
    agent = Agent()
    verdict = send(agent, HOME, 0)
    assert verdict.accepted
    assert (agent.selected, agent.state) == (HOME, IceState.CONNECTED)
    assert stun.parse_message(verdict.response).attributes["XOR-MAPPED-ADDRESS"] == HOME


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"password": "guess"}, 401), ({"controlled": True}, 487), ({"username": "other:remote"}, 400)],
)
def test_wrong_checks_are_refused_and_believed_in_nothing(wrong: dict[str, str], expected: int) -> None:
    agent = Agent()
    verdict = send(agent, HOME, 0, **wrong)  # type: ignore[arg-type]
    assert code(verdict) == expected
    assert not verdict.accepted
    assert (agent.selected, agent.addresses, agent.state) == (None, {}, IceState.NEW)


def test_check_without_integrity_is_a_bad_request() -> None:
    agent = Agent()
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{agent.credentials.ufrag}:remote"
    message.add_fingerprint()
    assert code(agent.check(parse_binding_request(bytes(message)), HOME, HOME, 0)) == 400


def test_nomination_moves_to_the_new_address_at_once() -> None:
    agent = Agent()
    send(agent, HOME, 0)
    send(agent, MOBILE, 1)
    assert agent.selected == HOME
    send(agent, MOBILE, 1.1, use_candidate=True)
    assert agent.selected == MOBILE


def test_consent_from_a_new_address_moves_when_the_old_one_is_silent() -> None:
    agent = Agent()
    send(agent, HOME, 0, use_candidate=True)
    send(agent, MOBILE, STALE_AFTER - 0.1)
    assert agent.selected == HOME
    send(agent, MOBILE, STALE_AFTER)
    assert agent.selected == MOBILE


def test_two_living_addresses_do_not_flap() -> None:
    agent = Agent()
    for second in range(60):
        send(agent, HOME, second)
        send(agent, MOBILE, second + 0.5)
        assert agent.selected == HOME


def test_silence_disconnects_then_fails_and_a_check_revives() -> None:
    agent = Agent()
    send(agent, HOME, 100)
    states = [
        agent.tick(100 + seconds) for seconds in (DISCONNECTED_AFTER - 0.1, DISCONNECTED_AFTER, FAILED_AFTER)
    ]
    assert states == [IceState.CONNECTED, IceState.DISCONNECTED, IceState.FAILED]
    send(agent, MOBILE, 200)
    assert (agent.tick(201), agent.selected) == (IceState.CONNECTED, MOBILE)


def test_media_without_checks_keeps_a_peer_until_that_ends_too() -> None:
    agent = Agent()
    send(agent, HOME, 100, use_candidate=True)
    for second in range(100, 200):  # as with libnice
        agent.media_heard(second)
        assert agent.tick(second + 1) is IceState.CONNECTED
    states = [
        agent.tick(199 + seconds) for seconds in (DISCONNECTED_AFTER - 0.1, DISCONNECTED_AFTER, FAILED_AFTER)
    ]
    assert states == [IceState.CONNECTED, IceState.DISCONNECTED, IceState.FAILED]
    agent.media_heard(240)
    assert agent.tick(240) is IceState.FAILED, "without a check nothing is sent again"


def test_media_that_comes_again_in_time_reconnects() -> None:
    agent = Agent()
    agent.media_heard(90)  # and makes no agent that nobody has checked
    assert agent.tick(90) is IceState.NEW
    send(agent, HOME, 100)
    assert agent.tick(100 + DISCONNECTED_AFTER) is IceState.DISCONNECTED
    agent.media_heard(100 + DISCONNECTED_AFTER)
    assert agent.tick(101 + DISCONNECTED_AFTER) is IceState.CONNECTED


def test_media_does_not_hold_an_address_that_the_peer_has_left() -> None:
    agent = Agent()
    send(agent, HOME, 0, use_candidate=True)
    agent.media_heard(STALE_AFTER)  # from the new port already
    send(agent, MOBILE, STALE_AFTER)
    assert agent.selected == MOBILE


def test_nothing_fails_before_the_first_check() -> None:
    assert Agent().tick(1_000) is IceState.NEW


def test_restart_keeps_old_credentials_until_the_new_are_used() -> None:
    agent = Agent()
    old = agent.credentials
    send(agent, HOME, 0)
    assert agent.restart() is None
    assert agent.credentials != old
    assert send(agent, HOME, 1, username=f"{old.ufrag}:r", password=old.password).accepted
    assert send(agent, MOBILE, 2, use_candidate=True).accepted
    assert code(send(agent, HOME, 3, username=f"{old.ufrag}:r", password=old.password)) == 400
    assert agent.selected == MOBILE


def test_a_peer_may_keep_its_credentials_through_any_number_of_restarts() -> None:
    agent = Agent()
    used = agent.credentials
    send(agent, HOME, 0)
    told = [used]
    for second in range(1, 6):
        forgotten = agent.restart()
        told.append(agent.credentials)
        assert forgotten == (None if len(told) <= MAX_CREDENTIALS else told[second - 2])
        verdict = send(agent, MOBILE, second, username=f"{used.ufrag}:r", password=used.password)
        assert (verdict.accepted, verdict.superseded) == (True, ())
    assert agent.valid == [used, *told[-2:]]


def test_credentials_older_than_those_in_use_are_superseded() -> None:
    agent = Agent()
    first = agent.credentials
    agent.restart()
    second = agent.credentials
    agent.restart()
    assert send(agent, HOME, 0, username=f"{second.ufrag}:r", password=second.password).superseded == (first,)
    assert code(send(agent, HOME, 1, username=f"{first.ufrag}:r", password=first.password)) == 400
    assert send(agent, HOME, 2).superseded == (second,)
    assert agent.valid == [agent.credentials]


def test_addresses_are_bounded_and_the_selected_one_stays() -> None:
    agent = Agent()
    send(agent, HOME, 0)
    others = [("203.0.113.5", port) for port in range(1, 50)]
    forgotten = [send(agent, one, number / 100).forgotten for number, one in enumerate(others, start=1)]
    kept = MAX_ADDRESSES - 1
    assert forgotten == [None] * kept + others[:-kept]
    assert list(agent.addresses) == [HOME, *others[-kept:]]
    assert agent.selected == HOME


def test_the_address_least_lately_checked_is_forgotten_and_may_come_again() -> None:
    agent = Agent()
    others = [("203.0.113.5", port) for port in range(MAX_ADDRESSES)]
    for number, one in enumerate((HOME, *others[:-1], others[0])):
        assert send(agent, one, number / 100).forgotten is None
    assert send(agent, others[-1], 1).forgotten == others[1]
    again = send(agent, others[1], 1.1)
    assert (again.new_address, again.forgotten) == (True, others[2])
