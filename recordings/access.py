"""Who may watch which recording: the policy asked for one, and the same answer as a condition for lists.

A recording has no hosts: whoever organized the meeting or uploaded the film did so by an office, and what he may do to
it ends with the office. As a member he goes on watching what any member in his place may.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, exists, false, or_
from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.organizations import Organization
from members.organizations.repository import in_scope, in_subtree
from members.policy import Action, Actor, Audience, Subject, circle, line, may, scope
from recordings import repository
from recordings.models import Recording
from recordings.states import RecordingState
from rooms.meetings import repository as meetings
from rooms.meetings.access import Access
from rooms.meetings.kinds import PRIVATE_KINDS
from rooms.meetings.models import Invitation

Asked = tuple[Actor | None, str]
"""Who asks, and for which recording."""


@dataclass(frozen=True, slots=True)
class RecordingAccess:
    """A recording that the actor may watch, with its organization and the policy's subject that it is to the actor."""

    recording: Recording
    organization: Organization
    subject: Subject

    @property
    def deleted(self) -> bool:
        """Whether it is shown to nobody any more, whatever the rights."""
        return self.recording.state is RecordingState.DELETED

    def may(self, actor: Actor | None, action: Action) -> bool:
        """Whether the actor may do it to the recording."""
        return may(actor, action, self.subject)

    def require(self, actor: Actor, action: Action) -> None:
        """Problem forbidden; that the actor may watch it is known already."""
        if not may(actor, action, self.subject):
            raise Problem(Kind.FORBIDDEN, "forbidden", {"action": action.value})

    def require_playable(self) -> None:
        """Problem recording_not_playable unless there is a film."""
        if not self.recording.state.playable:
            raise Problem(Kind.CONFLICT, "recording_not_playable", {"state": self.recording.state.value})


async def find(
    session: AsyncSession,
    actor: Actor | None,
    recording_id: str,
    *,
    lock: bool = False,
    keep: bool = False,
) -> RecordingAccess:
    """The recording; Problem recording_not_found where there is none or the actor may not watch it.

    Whoever is not signed in (None) finds what is public, and is asked to sign in for everything else, be it there or
    not. `lock` it to change it, `keep` it as it is until the transaction ends.
    """
    access = await _reached(session, actor, recording_id, lock=lock, keep=keep)
    if access is not None and not access.deleted:
        return access
    if actor is None:
        raise Problem(Kind.UNAUTHENTICATED, "not_signed_in")
    raise recording_not_found()


async def find_deleted(session: AsyncSession, actor: Actor, recording_id: str) -> RecordingAccess:
    """A deleted recording, for whoever might have watched it; Problem recording_not_found for everybody else."""
    access = await _reached(session, actor, recording_id)
    if access is None or not access.deleted:
        raise recording_not_found()
    return access


async def _reached(
    session: AsyncSession,
    actor: Actor | None,
    recording_id: str,
    *,
    lock: bool = False,
    keep: bool = False,
) -> RecordingAccess | None:
    """The recording, deleted or not, where the actor's rights reach it."""
    found = await repository.with_organization(session, recording_id, lock=lock, keep=keep)
    if found is None:
        return None
    recording, organization = found
    meeting = None
    if actor is not None and recording.meeting_id is not None:
        meeting = await meetings.access(session, recording.meeting_id, actor)
    access = _access(recording, organization, meeting)
    return access if access.may(actor, Action.WATCH_RECORDING) else None


async def find_all(session: AsyncSession, asked: Collection[Asked]) -> dict[Asked, RecordingAccess]:
    """What `find` answers to each of many, in four queries; who may not watch is left out."""
    found = await repository.many_with_organization(session, {recording_id for _, recording_id in asked})
    recordings = {recording.id: (recording, organization) for recording, organization in found}
    of_meetings = {
        (meeting_id, actor)
        for actor, recording_id in asked
        if actor is not None and recording_id in recordings
        if (meeting_id := recordings[recording_id][0].meeting_id) is not None
    }
    accesses = await meetings.accesses(session, of_meetings) if of_meetings else {}
    answers: dict[Asked, RecordingAccess] = {}
    for actor, recording_id in asked:
        if recording_id not in recordings:
            continue
        recording, organization = recordings[recording_id]
        meeting = accesses.get((recording.meeting_id or "", actor)) if actor is not None else None
        access = _access(recording, organization, meeting)
        if access.may(actor, Action.WATCH_RECORDING) and not access.deleted:
            answers[actor, recording_id] = access
    return answers


def _access(recording: Recording, organization: Organization, meeting: Access | None) -> RecordingAccess:
    """`meeting`: the actor's part in it, where the recording is of one and somebody is signed in."""
    return _of_meeting(meeting, recording) if meeting is not None else _by_itself(recording, organization)


def _of_meeting(access: Access, recording: Recording) -> RecordingAccess:
    struck = access.invitation is not None and access.invitation.struck
    audience = recording.audience
    if struck and audience is not Audience.PUBLIC:  # what is shown to the whole world is kept from nobody
        audience = Audience.INVITED
    subject = replace(
        access.subject, audience=audience, organizer_account_id=None, host_account_ids=frozenset()
    )
    return RecordingAccess(recording, access.organization, subject)


def _by_itself(recording: Recording, organization: Organization) -> RecordingAccess:
    subject = Subject(
        organization_path=organization.path,
        audience=recording.audience,
        private=recording.kind in PRIVATE_KINDS,
    )
    return RecordingAccess(recording, organization, subject)


def watchable(actor: Actor) -> ColumnElement[bool]:
    """The condition for recordings joined with their organizations; a test holds it to `find`."""
    return and_(Recording.state != RecordingState.DELETED, reachable(actor))


def reachable(actor: Actor) -> ColumnElement[bool]:
    """The rights alone: also deleted recordings, which the actor might have watched."""
    by_office = and_(
        in_scope(Organization.path, scope(actor, Action.WATCH_RECORDING)),
        Recording.kind.not_in(PRIVATE_KINDS),
    )
    alternatives = [Recording.audience == Audience.PUBLIC, by_office]
    if actor.member_id is not None:
        own = exists().where(
            Invitation.meeting_id == Recording.meeting_id, Invitation.member_id == actor.member_id
        )
        open_to = or_(
            Recording.audience == Audience.MEMBERS,
            and_(Recording.audience == Audience.ORGANIZATION, _around(actor)),
            *(
                and_(Recording.audience == audience, _in_circles(actor, audience))
                for audience in (Audience.COMMITTEE, Audience.DISTRICT)
            ),
        )
        alternatives += [own.where(~Invitation.struck), and_(open_to, ~own.where(Invitation.struck))]
    return or_(*alternatives)


def _around(actor: Actor) -> ColumnElement[bool]:
    """Organizations above, at and below the branches that the actor belongs to."""
    paths = [path for path in (actor.home_path, actor.guest_path) if path]
    conditions = [
        or_(in_subtree(Organization.path, path), Organization.path.in_(line(path))) for path in paths
    ]
    return or_(*conditions) if conditions else false()


def _in_circles(actor: Actor, audience: Audience) -> ColumnElement[bool]:
    """Organizations that share the actor's committee or department, and those above a committee: `policy.circle`."""
    tops = {circle(path, audience) for path in (actor.home_path, actor.guest_path) if path}
    conditions = [or_(in_subtree(Organization.path, top), Organization.path.in_(line(top))) for top in tops]
    return or_(*conditions) if conditions else false()


def recording_not_found() -> Problem:
    """The same for one that is not there and one that the actor may not know of."""
    return Problem(Kind.NOT_FOUND, "recording_not_found")
