"""Who may do what: the one policy of the whole program, pure.

A role is held at an organization and reaches down its subtree, never sideways or up. `may` answers, `require` raises.
Every HTTP call and Socket.IO event asks here with what is acted on as a `Subject`; lists are cut to what one may see
with `scope`, which a test holds to the same answers as `may`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from errors import Kind, Problem
from members.actors import (
    BRANCH_OFFICERS,
    LEVELS,
    OFFICERS,
    SUPERIORS,
    Actor,
    GuestActor,
    HeldRole,
    Level,
    Principal,
    RoleName,
    StationActor,
)
from members.subjects import SEEN_BY, Action, Audience, Subject, circle, line, within

__all__ = [
    "BRANCH_OFFICERS",
    "LEVELS",
    "OFFICERS",
    "SEEN_BY",
    "SUPERIORS",
    "Action",
    "Actor",
    "Audience",
    "GuestActor",
    "HeldRole",
    "Level",
    "Principal",
    "RoleName",
    "Scope",
    "StationActor",
    "Subject",
    "circle",
    "line",
    "may",
    "require",
    "scope",
    "within",
]


def may(principal: Principal | None, action: Action, subject: Subject) -> bool:
    """Whether `principal` (None: nobody signed in) may do `action` to `subject`."""
    match principal:
        case Actor():
            return _ACTOR_RULES[action](principal, subject)
        case StationActor():
            rule = _STATION_RULES.get(action)
            return rule is not None and rule(principal, subject)
        case GuestActor():
            guest_rule = _GUEST_RULES.get(action)
            return guest_rule is not None and guest_rule(principal, subject)
        case None:
            open_rule = _OPEN_RULES.get(action)
            return open_rule is not None and open_rule(subject)


def require(principal: Principal | None, action: Action, subject: Subject) -> None:
    """Raise Problem unless `may`: not_signed_in, not_found for what one may not know of, forbidden."""
    if may(principal, action, subject):
        return
    if principal is None:
        raise Problem(Kind.UNAUTHENTICATED, "not_signed_in")
    seeing = SEEN_BY[action]
    if seeing is action or not may(principal, seeing, subject):
        raise Problem(Kind.NOT_FOUND, "not_found")
    raise Problem(Kind.FORBIDDEN, "forbidden", {"action": action.value})


@dataclass(frozen=True, slots=True)
class Scope:
    """Which organizations a list may show: these subtrees, and these single nodes by path."""

    subtrees: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


def scope(actor: Actor, action: Action) -> Scope:
    """The organizations for which `may(actor, action, Subject(organization_path=...))` answers True.

    For SEE_ORGANIZATION, SEE_MEMBERS and the officers' actions (SCHEDULE_MEETING, SEE_FIGURES, SEE_CARD,
    SEE_ATTENDANCE ...): what the offices and the registers reach, not what an invitation opens.
    """
    subtrees = [held.organization_path for held in actor.roles if held.role in _REACHING[action]]
    if action in _BRANCH_MATES_SEE:
        subtrees += [path for path in (actor.home_path, actor.guest_path) if path]
    nodes = (
        [node for path in _own_paths(actor) for node in line(path)]
        if action is Action.SEE_ORGANIZATION
        else []
    )
    return Scope(tuple(dict.fromkeys(subtrees)), tuple(dict.fromkeys(nodes)))


def _own_paths(actor: Actor) -> list[str]:
    own = [held.organization_path for held in actor.roles]
    return own + [path for path in (actor.home_path, actor.guest_path) if path]


def _reaches(actor: Actor, roles: frozenset[RoleName], path: str | None) -> bool:
    return path is not None and any(
        held.role in roles and within(path, held.organization_path) for held in actor.roles
    )


def _is_self(actor: Actor, subject: Subject) -> bool:
    return actor.member_id is not None and actor.member_id == subject.member_id


def _belongs(actor: Actor, path: str) -> bool:
    """A member or guest of the branch at `path`, or of the branch above the group at `path`."""
    return within(path, actor.home_path) or within(path, actor.guest_path)


def _is_below(actor: Actor, path: str) -> bool:
    """A member or guest of an organization at or below `path`."""
    return any(within(own, path) for own in (actor.home_path, actor.guest_path) if own)


def _officer(actor: Actor, subject: Subject) -> bool:
    return _reaches(actor, OFFICERS, subject.organization_path)


def _superior(actor: Actor, subject: Subject) -> bool:
    return _reaches(actor, SUPERIORS, subject.organization_path)


def _member_officer(actor: Actor, subject: Subject) -> bool:
    """An officer over the member's home branch or over the destination branch."""
    return _officer(actor, subject) or _reaches(actor, OFFICERS, subject.guest_path)


def _sees_organization(actor: Actor, subject: Subject) -> bool:
    path = subject.organization_path
    return (
        _officer(actor, subject)
        or _belongs(actor, path)
        or any(within(own, path) for own in _own_paths(actor))  # the chain above one's own
    )


def _sees_members(actor: Actor, subject: Subject) -> bool:
    return _officer(actor, subject) or _belongs(actor, subject.organization_path)


def _sees_member(actor: Actor, subject: Subject) -> bool:
    return (
        _is_self(actor, subject)
        or _member_officer(actor, subject)
        or _belongs(actor, subject.organization_path)
        or (subject.guest_path is not None and _belongs(actor, subject.guest_path))
    )


def _sees_card(actor: Actor, subject: Subject) -> bool:
    return _is_self(actor, subject) or _member_officer(actor, subject)


def _holds_office(actor: Actor, subject: Subject) -> bool:
    """Runs the organization itself: its branch's officers, or the superior officers exactly there.

    A committee's officer visits a branch's meeting; only the branch's own officers are its hosts.
    """
    return _reaches(actor, BRANCH_OFFICERS, subject.organization_path) or any(
        held.role in SUPERIORS and held.organization_path == subject.organization_path for held in actor.roles
    )


def _hosts(actor: Actor, subject: Subject) -> bool:
    """Those made host, and by office: also whoever organized it, a family visit too, as long as he is in office."""
    if actor.account_id in subject.host_account_ids:
        return True
    if actor.account_id == subject.organizer_account_id and _officer(actor, subject):
        return True
    return not subject.private and _holds_office(actor, subject)


def _invited(actor: Actor, subject: Subject) -> bool:
    if actor.account_id in subject.invited_account_ids:
        return True
    if actor.member_id is None:
        return False
    return actor.member_id in subject.invited_member_ids or _in_audience(actor, subject)


def _in_audience(actor: Actor, subject: Subject) -> bool:
    path = subject.organization_path
    match subject.audience:
        case Audience.INVITED:
            return False
        case Audience.ORGANIZATION:
            return _is_below(actor, path) or _belongs(actor, path)
        case Audience.COMMITTEE | Audience.DISTRICT:
            return _is_below(actor, circle(path, subject.audience))
        case Audience.MEMBERS | Audience.PUBLIC:
            return True


def _supervises(actor: Actor, subject: Subject) -> bool:
    return not subject.private and _officer(actor, subject)


def _attends(actor: Actor, subject: Subject) -> bool:
    return _hosts(actor, subject) or _invited(actor, subject) or _supervises(actor, subject)


def _is_public(subject: Subject) -> bool:
    return subject.audience is Audience.PUBLIC and not subject.private


def _watches(actor: Actor, subject: Subject) -> bool:
    return _attends(actor, subject) or _is_public(subject)


def _manages_meeting(actor: Actor, subject: Subject) -> bool:
    return _hosts(actor, subject) or _supervises(actor, subject)


def _releases(actor: Actor, subject: Subject) -> bool:
    """Whoever would like a recording gone cannot lift alone what was laid upon it."""
    return not subject.private and _superior(actor, subject)


def _requests_leave(actor: Actor, subject: Subject) -> bool:
    return actor.member_id is not None and actor.member_id in subject.invited_member_ids


def _corrects(actor: Actor, subject: Subject) -> bool:
    return not subject.private and _holds_office(actor, subject)


def _anybody(_actor: Actor, _subject: Subject) -> bool:
    return True


def _nearby(actor: Actor, subject: Subject) -> bool:
    """Stations and services are public; whoever is signed in may know of them."""
    return _anybody(actor, subject)


def _manages_stations(actor: Actor, subject: Subject) -> bool:
    return _reaches(actor, SUPERIORS | {RoleName.SECRETARY}, subject.organization_path)


def _serves(actor: Actor, subject: Subject) -> bool:
    return actor.account_id in subject.expert_account_ids and actor.has(RoleName.EXPERT)


def _owns(actor: Actor, subject: Subject) -> bool:
    return subject.owner_account_id is not None and actor.account_id == subject.owner_account_id


def _takes_part(actor: Actor, subject: Subject) -> bool:
    """What is said to a doctor or a lawyer is for the two of them; supervisors see figures only."""
    return _owns(actor, subject) or _serves(actor, subject)


_ACTOR_RULES: Final[dict[Action, Callable[[Actor, Subject], bool]]] = {
    Action.SEE_ORGANIZATION: _sees_organization,
    Action.MANAGE_ORGANIZATION: _superior,
    Action.SEE_MEMBERS: _sees_members,
    Action.SEE_MEMBER: _sees_member,
    Action.MANAGE_MEMBERS: _officer,
    Action.SEE_CARD: _sees_card,
    Action.CORRECT_CARD: _officer,
    Action.SCHEDULE_MEETING: _officer,
    Action.SEE_MEETING: _attends,
    Action.JOIN_MEETING: _attends,
    Action.HOST_MEETING: _hosts,
    Action.MODERATE_MEETING: _hosts,
    Action.MANAGE_MEETING: _manages_meeting,
    Action.REQUEST_LEAVE: _requests_leave,
    Action.SEE_ATTENDANCE: _manages_meeting,
    Action.CORRECT_ATTENDANCE: _corrects,
    Action.UPLOAD_RECORDING: _officer,
    Action.WATCH_RECORDING: _watches,
    Action.MANAGE_RECORDING: _supervises,
    Action.SHARE_RECORDING: _superior,
    Action.SEE_VIEWINGS: _supervises,
    Action.DELETE_RECORDING: _supervises,
    Action.HOLD_RECORDING: _supervises,
    Action.RELEASE_RECORDING: _releases,
    Action.MANAGE_STORAGE: _superior,
    Action.SEE_SERVICES: _nearby,
    Action.MANAGE_SERVICES: _superior,
    Action.SEE_STATION: _nearby,
    Action.MANAGE_STATIONS: _manages_stations,
    Action.TAKE_CONSULTATION: _anybody,
    Action.SERVE_CONSULTATION: _serves,
    Action.SEE_CONSULTATION: _takes_part,
    Action.JOIN_CONSULTATION: _takes_part,
    Action.RATE_CONSULTATION: _owns,
    Action.SEE_FIGURES: _officer,
}


def _own_station(station: StationActor, subject: Subject) -> bool:
    return subject.station_id is None or subject.station_id == station.station_id


def _at_station(station: StationActor, subject: Subject) -> bool:
    return subject.station_id == station.station_id


_STATION_RULES: Final[dict[Action, Callable[[StationActor, Subject], bool]]] = {
    Action.SEE_SERVICES: lambda _station, _subject: True,
    Action.SEE_STATION: _at_station,
    Action.TAKE_CONSULTATION: _own_station,
    Action.SEE_CONSULTATION: _at_station,
    Action.JOIN_CONSULTATION: _at_station,
    Action.RATE_CONSULTATION: _at_station,
}


def _own_ticket(guest: GuestActor, subject: Subject) -> bool:
    return guest.consultation_id is not None and guest.consultation_id == subject.consultation_id


_GUEST_RULES: Final[dict[Action, Callable[[GuestActor, Subject], bool]]] = {
    Action.SEE_SERVICES: lambda _guest, subject: subject.guests_welcome,
    Action.SEE_STATION: lambda _guest, subject: subject.guests_welcome,
    Action.TAKE_CONSULTATION: lambda _guest, subject: subject.guests_welcome,
    Action.SEE_CONSULTATION: _own_ticket,
    Action.JOIN_CONSULTATION: _own_ticket,
    Action.RATE_CONSULTATION: _own_ticket,
}

_OPEN_RULES: Final[dict[Action, Callable[[Subject], bool]]] = {Action.WATCH_RECORDING: _is_public}
"""What somebody may who is not signed in."""

_BRANCH_MATES_SEE: Final = frozenset({Action.SEE_ORGANIZATION, Action.SEE_MEMBERS})

_REACHING: Final[dict[Action, frozenset[RoleName]]] = {
    action: (SUPERIORS if rule in (_superior, _releases) else OFFICERS)
    for action, rule in _ACTOR_RULES.items()
    if rule
    in (
        _sees_organization,
        _superior,
        _sees_members,
        _officer,
        _sees_card,
        _manages_meeting,
        _supervises,
        _releases,
        _attends,
        _watches,
        _sees_member,
    )
}
"""The roles that reach down for an action whose answer depends on the organization."""
