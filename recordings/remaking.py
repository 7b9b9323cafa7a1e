"""`Remaking`: a film made anew from what was captured or uploaded, where the one there is lacks something."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from errors import Kind, Problem
from members.policy import Action, Actor
from recordings import repository
from recordings.access import find
from recordings.folders import Folders
from recordings.models import Recording
from recordings.states import RecordingState

BROKEN: Final = frozenset({RecordingState.DAMAGED, RecordingState.FAILED})
"""What may come better out of another attempt."""

_log = structlog.get_logger(__name__)


class Remaking:
    """One unit of work a method. `on_change`: there is something to compose."""

    def __init__(
        self, database: Database, folders: Folders, clock: Clock, on_change: Callable[[], None]
    ) -> None:
        self._database = database
        self._folders = folders
        self._clock = clock
        self._on_change = on_change

    async def remake(self, actor: Actor, recording_id: str) -> None:
        """Have a broken recording made anew; until that is done nobody watches it.

        Problems: recording_not_found, forbidden, recording_whole, and those of `make_anew`.
        """
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id, lock=True)
            access.require(actor, Action.MANAGE_RECORDING)
            if access.recording.state is RecordingState.READY:
                raise Problem(Kind.CONFLICT, "recording_whole")
            await make_anew(session, access.recording, self._folders, self._clock())
        _log.info("recording_remade", recording_id=recording_id)
        self._on_change()


async def make_anew(session: AsyncSession, recording: Recording, folders: Folders, now: datetime) -> None:
    """Put it into the queue of compositions, which begins from nothing: what an attempt has left may be what is wrong.

    The caller has locked the row.

    Problems: recording_not_settled while it is captured or composed (details.state), originals_missing where nothing is
    left to make it of.
    """
    if not recording.settled:
        raise Problem(Kind.CONFLICT, "recording_not_settled", {"state": recording.state.value})
    if not await asyncio.to_thread(folders.originals, recording.id):
        raise Problem(Kind.CONFLICT, "originals_missing")
    await asyncio.to_thread(folders.drop_work, recording.id)
    await repository.enqueue(session, recording, now)


async def can_be_made_anew(recording: Recording, folders: Folders) -> bool:
    """Whether `remake` would do anything about it."""
    if recording.state not in BROKEN or recording.is_live:
        return False
    return bool(await asyncio.to_thread(folders.originals, recording.id))
