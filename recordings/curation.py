"""`Curation`: the settings of one recording."""

from typing import Final

import structlog

from database import Database
from errors import Kind, Problem
from members.policy import Action, Actor, Audience, Subject, circle, require
from recordings.access import find
from recordings.persons.service import name_persons
from recordings.requests import RecordingChanges
from recordings.viewing.coverage import LEAST_ENOUGH
from rooms.meetings.states import MeetingKind

PUBLIC_KINDS: Final = frozenset({MeetingKind.LECTURE, MeetingKind.OPEN_LIFE})
"""What may be shown to the whole world."""

WITHIN: Final = frozenset({Audience.INVITED, Audience.ORGANIZATION})
"""What an organization decides by itself; for more it takes an officer of the circle that is opened to."""

PROMPT_MINUTES: Final = range(5, 61)

_log = structlog.get_logger(__name__)


class Curation:
    """One unit of work a method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def update(self, actor: Actor, recording_id: str, changes: RecordingChanges) -> None:
        """Change settings of a recording.

        Problems: recording_not_found, forbidden, kind_is_never_public, invalid_share, invalid_prompts, and those of
        `name_persons`.
        """
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id, lock=True)
            access.require(actor, Action.MANAGE_RECORDING)
            recording = access.recording
            if changes.audience is not None and changes.audience is not recording.audience:
                require_sharing(actor, access.subject.organization_path, recording.kind, changes.audience)
                recording.audience = changes.audience
                _log.info("audience_set", recording_id=recording_id, audience=changes.audience.value)
            if changes.downloadable is not None:
                recording.downloadable = changes.downloadable
            if changes.required_share is not None:
                recording.required_share = _share(changes.required_share)
            if changes.prompt_minutes is not None:
                recording.prompt_minutes = _minutes(changes.prompt_minutes)
            if changes.persons is not None:
                await name_persons(session, actor, recording, changes.persons, changes.persons_before)
                _log.info("persons_named", recording_id=recording_id, persons=len(changes.persons))


def require_sharing(actor: Actor, path: str, kind: MeetingKind, audience: Audience) -> None:
    """That the actor may open a recording of the organization at `path` so far.

    Problems: kind_is_never_public, forbidden, not_found.
    """
    if audience is Audience.PUBLIC and kind not in PUBLIC_KINDS:
        raise Problem(
            Kind.INVALID,
            "kind_is_never_public",
            {"field": "audience", "kind": kind.value},
        )
    if audience in WITHIN:
        return
    top = Audience.COMMITTEE if audience is Audience.COMMITTEE else Audience.DISTRICT
    require(
        actor,
        Action.SHARE_RECORDING,
        Subject(organization_path=circle(path, top)),
    )


def _share(share: float) -> float:
    if not LEAST_ENOUGH <= share <= 1.0:
        raise Problem(
            Kind.INVALID, "invalid_share", {"field": "requiredShare", "minimum": round(LEAST_ENOUGH * 100)}
        )
    return share


def _minutes(minutes: int) -> int | None:
    if minutes == 0:
        return None
    if minutes not in PROMPT_MINUTES:
        bounds = {"minimum": PROMPT_MINUTES.start, "maximum": PROMPT_MINUTES.stop - 1}
        raise Problem(Kind.INVALID, "invalid_prompts", {"field": "promptMinutes", **bounds})
    return minutes
