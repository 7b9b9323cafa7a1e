"""The table of who may do what, seen from every position of the tree.

Positions are named from the actor's own organization: own, below, sibling, above, elsewhere.
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import Kind, Problem
from members.policy import (
    SEEN_BY,
    Action,
    Actor,
    Audience,
    Level,
    RoleName,
    Subject,
    may,
    require,
    scope,
    within,
)
from tests.members.positions import (
    BRANCH,
    COMMITTEE,
    COMMITTEE_OFFICER,
    COUSIN,
    DISTRICT,
    EVERYBODY,
    EXPERT,
    GROUP,
    GUEST_MEMBER,
    MEMBER,
    OTHER_COMMITTEE,
    PREFIX_TWIN,
    RESIDENT,
    ROOT,
    SECRETARY,
    SERVICE,
    SIBLING,
    STRANGER,
    TICKET,
    TREE,
    actor,
)

BELOW_COMMITTEE = (COMMITTEE, BRANCH, GROUP, SIBLING, PREFIX_TWIN)

ALL = frozenset(TREE)
COMMITTEES = frozenset(BELOW_COMMITTEE)
BRANCHES = frozenset({BRANCH, GROUP})
CHAIN = frozenset({ROOT, COMMITTEE})
NONE: frozenset[str] = frozenset()

OFFICES = {"district": ALL, "committee": COMMITTEES, "secretary": BRANCHES, "branch officer": BRANCHES}
SUPERIOR_OFFICES = {"district": ALL, "committee": COMMITTEES}
OWN_OFFICES = {
    "district": frozenset({ROOT}),
    "committee": frozenset({COMMITTEE}),
    "secretary": BRANCHES,
    "branch officer": BRANCHES,
}
SIGNED_IN = {who: ALL for who, somebody in EVERYBODY.items() if isinstance(somebody, Actor)}

# For an action on a thing that belongs to an organization and invites nobody: where may each do it?
REACH: dict[Action, dict[str, frozenset[str]]] = {
    Action.SEE_ORGANIZATION: {
        "district": ALL,
        "committee": COMMITTEES | {ROOT},
        "secretary": BRANCHES | CHAIN,
        "branch officer": BRANCHES | CHAIN,
        "member": BRANCHES | CHAIN,
        "guest member": BRANCHES | CHAIN | {COUSIN, OTHER_COMMITTEE},
        "expert": frozenset({ROOT}),
        "resident": frozenset({ROOT}),
    },
    Action.SEE_MEMBERS: {**OFFICES, "member": BRANCHES, "guest member": BRANCHES | {COUSIN}},
    Action.SEE_MEMBER: {**OFFICES, "member": BRANCHES, "guest member": BRANCHES | {COUSIN}},
    Action.SEE_CARD: OFFICES,
    Action.CORRECT_CARD: OFFICES,
    Action.MANAGE_MEMBERS: OFFICES,
    Action.MANAGE_ORGANIZATION: SUPERIOR_OFFICES,
    Action.SCHEDULE_MEETING: OFFICES,
    Action.SEE_FIGURES: OFFICES,
    Action.UPLOAD_RECORDING: OFFICES,
    Action.SEE_MEETING: OFFICES,
    Action.JOIN_MEETING: OFFICES,
    Action.MANAGE_MEETING: OFFICES,
    Action.SEE_ATTENDANCE: OFFICES,
    Action.WATCH_RECORDING: OFFICES,
    Action.REQUEST_LEAVE: {},
    # Superiors visit; they are hosts of their own organization's meetings alone.
    Action.HOST_MEETING: OWN_OFFICES,
    Action.MODERATE_MEETING: OWN_OFFICES,
    Action.CORRECT_ATTENDANCE: OWN_OFFICES,
    # A recording is kept by its own officers and by those above them.
    Action.MANAGE_RECORDING: OFFICES,
    Action.SEE_VIEWINGS: OFFICES,
    Action.DELETE_RECORDING: OFFICES,
    Action.HOLD_RECORDING: OFFICES,
    Action.RELEASE_RECORDING: SUPERIOR_OFFICES,
    Action.SHARE_RECORDING: SUPERIOR_OFFICES,
    Action.MANAGE_STORAGE: SUPERIOR_OFFICES,
    Action.MANAGE_STATIONS: {**SUPERIOR_OFFICES, "secretary": BRANCHES},
    Action.MANAGE_SERVICES: SUPERIOR_OFFICES,
    Action.SERVE_CONSULTATION: {},
    Action.SEE_CONSULTATION: {},
    Action.JOIN_CONSULTATION: {},
    Action.RATE_CONSULTATION: {},
    # Services are public to whoever is signed in or stands before a screen.
    Action.SEE_SERVICES: SIGNED_IN | {"station": ALL},
    Action.TAKE_CONSULTATION: SIGNED_IN | {"station": ALL},
    Action.SEE_STATION: SIGNED_IN,
}


def test_the_table_names_every_action() -> None:
    assert set(REACH) == set(Action) == set(SEEN_BY)


@pytest.mark.parametrize("action", Action)
def test_an_office_reaches_down_its_subtree_never_sideways_or_up(action: Action) -> None:
    allowed = {
        who: {path for path in TREE if may(somebody, action, Subject(organization_path=path))}
        for who, somebody in EVERYBODY.items()
    }
    assert allowed == {who: REACH[action].get(who, NONE) for who in EVERYBODY}


ROLES_WITH_LEVELS = [
    (RoleName.DISTRICT_OFFICER, Level.DISTRICT),
    (RoleName.COMMITTEE_OFFICER, Level.COMMITTEE),
    (RoleName.SECRETARY, Level.BRANCH),
    (RoleName.BRANCH_OFFICER, Level.BRANCH),
    (RoleName.MEMBER, Level.MEMBER),
    (RoleName.RESIDENT, Level.RESIDENT),
    (RoleName.EXPERT, Level.RESIDENT),
]


@pytest.mark.parametrize(("role", "level"), ROLES_WITH_LEVELS)
def test_each_role_has_its_level_and_an_expert_none_of_its_own(role: RoleName, level: Level) -> None:
    assert actor((role, ROOT)).level is level
    both = actor((role, ROOT), (RoleName.MEMBER, BRANCH))
    assert both.level is min(level, Level.MEMBER)


MEETING = Subject(organization_path=COUSIN)
ATTENDING = (Action.SEE_MEETING, Action.JOIN_MEETING, Action.WATCH_RECORDING)
HOSTING = (Action.HOST_MEETING, Action.MODERATE_MEETING, Action.MANAGE_MEETING)
KEEPING = (Action.MANAGE_RECORDING, Action.SEE_VIEWINGS, Action.DELETE_RECORDING)


@pytest.mark.parametrize("action", ATTENDING)
def test_an_invited_member_attends_anywhere(action: Action) -> None:
    assert may(MEMBER, action, replace(MEETING, invited_member_ids=frozenset({"member"})))
    assert not may(MEMBER, action, replace(MEETING, invited_member_ids=frozenset({"somebody else"})))


@pytest.mark.parametrize("action", ATTENDING)
def test_an_invited_resident_attends(action: Action) -> None:
    assert may(RESIDENT, action, replace(MEETING, invited_account_ids=frozenset({"resident"})))
    assert not may(RESIDENT, action, MEETING)


@pytest.mark.parametrize("action", HOSTING + KEEPING)
def test_an_invitation_makes_nobody_host(action: Action) -> None:
    invited = replace(
        MEETING, invited_member_ids=frozenset({"member"}), invited_account_ids=frozenset({"account"})
    )
    assert not may(MEMBER, action, invited)


@pytest.mark.parametrize("action", HOSTING)
def test_who_was_made_host_needs_no_office(action: Action) -> None:
    assert may(STRANGER, action, replace(MEETING, host_account_ids=frozenset({"stranger"})))


@pytest.mark.parametrize("action", HOSTING + ATTENDING + (Action.SEE_ATTENDANCE,))
@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(
    ("office", "expected"),
    [
        ((RoleName.SECRETARY, COUSIN), True), ((RoleName.COMMITTEE_OFFICER, OTHER_COMMITTEE), True),
        ((RoleName.DISTRICT_OFFICER, ROOT), True), ((RoleName.SECRETARY, BRANCH), False),
        ((RoleName.COMMITTEE_OFFICER, COMMITTEE), False), ((RoleName.RESIDENT, COUSIN), False),
    ],
)  # fmt: skip
def test_the_organizer_is_host_as_long_as_his_office_reaches_the_organization(
    action: Action, office: tuple[RoleName, str], *, private: bool, expected: bool
) -> None:
    meeting = replace(MEETING, organizer_account_id="stranger", private=private)
    assert may(replace(STRANGER, roles=actor(office).roles), action, meeting) is expected
    assert not may(STRANGER, action, meeting)


@pytest.mark.parametrize("action", KEEPING)
def test_who_organized_or_uploaded_keeps_the_recording_only_while_in_office(action: Action) -> None:
    recording = replace(MEETING, organizer_account_id="stranger", host_account_ids=frozenset({"stranger"}))
    assert not may(STRANGER, action, recording)
    assert may(replace(STRANGER, roles=actor((RoleName.SECRETARY, COUSIN)).roles), action, recording)


@pytest.mark.parametrize("action", ATTENDING)
@pytest.mark.parametrize(
    ("audience", "path", "who", "expected"),
    [
        (Audience.INVITED, BRANCH, MEMBER, False),
        (Audience.ORGANIZATION, BRANCH, MEMBER, True),
        (Audience.ORGANIZATION, BRANCH, GUEST_MEMBER, True),
        (Audience.ORGANIZATION, COMMITTEE, MEMBER, True),
        (Audience.ORGANIZATION, GROUP, MEMBER, True),
        (Audience.ORGANIZATION, SIBLING, MEMBER, False),
        (Audience.ORGANIZATION, PREFIX_TWIN, MEMBER, False),
        (Audience.ORGANIZATION, OTHER_COMMITTEE, MEMBER, False),
        (Audience.ORGANIZATION, ROOT, RESIDENT, False),
        (Audience.COMMITTEE, SIBLING, MEMBER, True),
        (Audience.COMMITTEE, GROUP, MEMBER, True),
        (Audience.COMMITTEE, COUSIN, MEMBER, False),
        (Audience.COMMITTEE, ROOT, MEMBER, True),  # the department has no committee
        (Audience.COMMITTEE, COUSIN, GUEST_MEMBER, True),
        (Audience.COMMITTEE, SIBLING, RESIDENT, False),
        (Audience.DISTRICT, COUSIN, MEMBER, True),
        (Audience.DISTRICT, "/e/c/b/", MEMBER, False),
        (Audience.DISTRICT, COUSIN, EXPERT, False),
        (Audience.MEMBERS, COUSIN, MEMBER, True),
        (Audience.MEMBERS, COUSIN, RESIDENT, False),
        (Audience.MEMBERS, COUSIN, EXPERT, False),
    ],
)
def test_an_audience_opens_to_members_as_far_as_it_says(
    action: Action, audience: Audience, path: str, who: Actor, *, expected: bool
) -> None:
    assert may(who, action, Subject(organization_path=path, audience=audience)) is expected


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_public_recording_is_for_everybody_and_nothing_else_is(who: str) -> None:
    lecture = Subject(organization_path=COUSIN, audience=Audience.PUBLIC)
    signed_in = isinstance(EVERYBODY[who], Actor)
    assert may(EVERYBODY[who], Action.WATCH_RECORDING, lecture) is (signed_in or who == "nobody")
    if who == "nobody":
        assert not any(
            may(None, action, lecture) for action in Action if action is not Action.WATCH_RECORDING
        )
        assert not may(None, Action.WATCH_RECORDING, replace(lecture, private=True))
        for audience in set(Audience) - {Audience.PUBLIC}:
            assert not may(None, Action.WATCH_RECORDING, replace(lecture, audience=audience))


RECORDING_OFFICES = [
    Action.SEE_VIEWINGS,
    Action.DELETE_RECORDING,
    Action.HOLD_RECORDING,
    Action.RELEASE_RECORDING,
]


@pytest.mark.parametrize(
    "action", [*ATTENDING, *HOSTING, *RECORDING_OFFICES, Action.SEE_ATTENDANCE, Action.CORRECT_ATTENDANCE]
)
@pytest.mark.parametrize("who", [DISTRICT, COMMITTEE_OFFICER, SECRETARY])
def test_nobody_looks_into_a_family_visit_by_office(who: Actor, action: Action) -> None:
    assert not may(who, action, Subject(organization_path=BRANCH, private=True))


def test_leave_is_asked_by_who_was_invited_as_a_member() -> None:
    meeting = Subject(organization_path=BRANCH, invited_member_ids=frozenset({"member"}))
    assert may(MEMBER, Action.REQUEST_LEAVE, meeting)
    assert not may(SECRETARY, Action.REQUEST_LEAVE, meeting)
    assert not may(actor(account="account"), Action.REQUEST_LEAVE, meeting)


FLOWING = Subject(organization_path=COUSIN, member_id="flowing", guest_path=BRANCH)


@pytest.mark.parametrize(
    ("who", "sees_member", "sees_card"),
    [
        (DISTRICT, True, True),
        (COMMITTEE_OFFICER, True, True),  # of the destination branch
        (SECRETARY, True, True),  # of the destination branch
        (actor((RoleName.SECRETARY, COUSIN)), True, True),  # of the home branch
        (actor((RoleName.SECRETARY, SIBLING)), False, False),
        (MEMBER, True, False),  # of the destination branch
        (GUEST_MEMBER, True, True),  # oneself
        (actor((RoleName.MEMBER, SIBLING), member="other", home=SIBLING), False, False),
        (RESIDENT, False, False),
        (EXPERT, False, False),
    ],
)
def test_both_branches_see_a_flowing_member_and_their_officers_the_card(
    who: Actor, *, sees_member: bool, sees_card: bool
) -> None:
    assert may(who, Action.SEE_MEMBER, FLOWING) is sees_member
    assert may(who, Action.SEE_CARD, FLOWING) is sees_card


def test_a_destination_branch_does_not_correct_a_guests_card() -> None:
    assert not may(SECRETARY, Action.CORRECT_CARD, FLOWING)


@pytest.mark.parametrize(
    ("who", "action", "subject", "kind"),
    [
        (None, Action.SEE_MEETING, MEETING, Kind.UNAUTHENTICATED),
        (MEMBER, Action.SEE_MEETING, MEETING, Kind.NOT_FOUND),
        (MEMBER, Action.HOST_MEETING, MEETING, Kind.NOT_FOUND),
        (
            MEMBER,
            Action.HOST_MEETING,
            replace(MEETING, invited_member_ids=frozenset({"member"})),
            Kind.FORBIDDEN,
        ),
        (MEMBER, Action.SEE_CARD, Subject(organization_path=BRANCH, member_id="officer"), Kind.FORBIDDEN),
        (MEMBER, Action.SEE_CARD, Subject(organization_path=SIBLING, member_id="other"), Kind.NOT_FOUND),
        (MEMBER, Action.SCHEDULE_MEETING, Subject(organization_path=BRANCH), Kind.FORBIDDEN),
        (MEMBER, Action.SCHEDULE_MEETING, Subject(organization_path=COUSIN), Kind.NOT_FOUND),
        (RESIDENT, Action.SERVE_CONSULTATION, SERVICE, Kind.FORBIDDEN),
        (DISTRICT, Action.SEE_CONSULTATION, TICKET, Kind.NOT_FOUND),
    ],
)
def test_a_refusal_tells_nothing_of_what_one_may_not_know(
    who: Actor | None, action: Action, subject: Subject, kind: Kind
) -> None:
    with pytest.raises(Problem) as caught:
        require(who, action, subject)
    assert caught.value.kind is kind


def test_what_is_allowed_is_not_refused() -> None:
    require(SECRETARY, Action.SCHEDULE_MEETING, Subject(organization_path=GROUP))


SCOPED = [
    action
    for action in Action
    if action
    in {
        Action.SEE_ORGANIZATION,
        Action.SEE_MEMBERS,
        Action.SEE_CARD,
        Action.SCHEDULE_MEETING,
        Action.SEE_FIGURES,
        Action.SEE_MEETING,
        Action.SEE_ATTENDANCE,
        Action.WATCH_RECORDING,
        Action.MANAGE_RECORDING,
        Action.DELETE_RECORDING,
        Action.RELEASE_RECORDING,
        Action.MANAGE_STORAGE,
        Action.MANAGE_ORGANIZATION,
    }
]


def held_roles() -> st.SearchStrategy[list[tuple[RoleName, str]]]:
    return st.lists(st.tuples(st.sampled_from(RoleName), st.sampled_from(TREE)), max_size=3)


@given(
    roles=held_roles(),
    home=st.sampled_from((None, BRANCH, SIBLING, COUSIN)),
    guest=st.sampled_from((None, BRANCH, PREFIX_TWIN)),
    action=st.sampled_from(SCOPED),
)
def test_a_list_shows_exactly_what_the_policy_allows(
    roles: list[tuple[RoleName, str]], home: str | None, guest: str | None, action: Action
) -> None:
    somebody = actor(*roles, member="somebody" if home else None, home=home, guest=guest if home else None)
    found = scope(somebody, action)
    listed = {
        path for path in TREE if path in found.nodes or any(within(path, top) for top in found.subtrees)
    }
    assert listed == {path for path in TREE if may(somebody, action, Subject(organization_path=path))}


@given(roles=held_roles(), path=st.sampled_from(TREE), action=st.sampled_from(Action))
def test_more_roles_never_allow_less(roles: list[tuple[RoleName, str]], path: str, action: Action) -> None:
    subject = Subject(organization_path=path)
    alone: Iterable[bool] = (may(actor(role), action, subject) for role in roles)
    assert may(actor(*roles), action, subject) or not any(alone)
