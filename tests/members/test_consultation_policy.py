"""Who may do what with a consultation: those in it, and nobody by office."""

from dataclasses import replace

import pytest

from members.policy import Action, GuestActor, RoleName, StationActor, Subject, may
from tests.members.positions import BRANCH, EVERYBODY, EXPERT, ROOT, SERVICE, TICKET, actor

OTHER_TICKET = replace(
    TICKET,
    owner_account_id="somebody",
    consultation_id="other",
    station_id="other",
    expert_account_ids=frozenset(),
)


def test_an_expert_serves_the_own_services_alone() -> None:
    assert may(EXPERT, Action.SERVE_CONSULTATION, SERVICE)
    assert not may(
        EXPERT, Action.SERVE_CONSULTATION, replace(SERVICE, expert_account_ids=frozenset({"another"}))
    )


def test_a_listed_account_without_the_role_does_not_serve() -> None:
    assert not may(actor((RoleName.RESIDENT, ROOT), account="expert"), Action.SERVE_CONSULTATION, SERVICE)


@pytest.mark.parametrize("action", [Action.SEE_CONSULTATION, Action.JOIN_CONSULTATION])
@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("resident", True),
        ("expert", True),
        ("station", True),
        ("guest", True),
        ("guest without ticket", False),
        ("district", False),  # supervisors see figures, not what was said to a doctor
        ("secretary", False),
        ("no role", False),
        ("nobody", False),
    ],
)
def test_a_consultation_is_for_those_in_it(action: Action, who: str, *, expected: bool) -> None:
    assert may(EVERYBODY[who], action, TICKET) is expected
    assert not may(EVERYBODY[who], action, OTHER_TICKET)


@pytest.mark.parametrize(
    ("who", "expected"),
    [("resident", True), ("station", True), ("guest", True), ("expert", False), ("district", False)],
)
def test_the_one_who_asked_rates(who: str, *, expected: bool) -> None:
    assert may(EVERYBODY[who], Action.RATE_CONSULTATION, TICKET) is expected


def test_a_guest_takes_a_ticket_only_where_guests_are_welcome() -> None:
    guest = GuestActor(None, "访客")
    assert not may(guest, Action.TAKE_CONSULTATION, SERVICE)
    assert may(guest, Action.TAKE_CONSULTATION, replace(SERVICE, guests_welcome=True))


def test_a_station_takes_tickets_for_itself_alone() -> None:
    station = StationActor("screen", "b", BRANCH)
    assert may(station, Action.TAKE_CONSULTATION, replace(SERVICE, station_id="screen"))
    assert not may(station, Action.TAKE_CONSULTATION, replace(SERVICE, station_id="other"))


def test_a_consultation_that_nobody_owns_is_nobodys() -> None:
    nameless = Subject(organization_path=ROOT)
    assert not any(may(who, Action.SEE_CONSULTATION, nameless) for who in EVERYBODY.values())
