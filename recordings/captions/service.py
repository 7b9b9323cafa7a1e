"""`Captions`: list, replace, serve, remove."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from database import Clock, Database
from errors import Kind, Problem
from members.policy import Action, Actor
from recordings.access import find
from recordings.captions.models import RecordingCaptions
from recordings.captions.rules import LABEL_LENGTH, MOST_LANGUAGES, CaptionsFile, is_label, is_language
from recordings.captions.webvtt import CaptionsError, parse, write
from recordings.models import Recording
from recordings.views import CaptionsView

_log = structlog.get_logger(__name__)


class Captions:
    """Every public method is one unit of work and asks the policy."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(
        self, actor: Actor, recording_id: str, language: str, label: str, text: str
    ) -> CaptionsView:
        """Add a language or replace it.

        Problems: recording_not_found, forbidden, invalid_language, invalid_label, captions_too_many_languages, and
        those of `webvtt` with the line.
        """
        if not is_label(label):
            raise Problem(Kind.INVALID, "invalid_label", {"field": "label", "maximum": LABEL_LENGTH})
        try:
            clean = await asyncio.to_thread(lambda: write(parse(text)))
        except CaptionsError as refusal:
            raise Problem(Kind.INVALID, refusal.code, {"field": "text", "line": refusal.line}) from None
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id, lock=True)
            access.require(actor, Action.MANAGE_RECORDING)
            if not is_language(language):
                raise Problem(Kind.INVALID, "invalid_language", {"field": "language"})
            row = await session.get(RecordingCaptions, (recording_id, language))
            if row is None:
                if len(await of_recording(session, recording_id)) >= MOST_LANGUAGES:
                    raise Problem(Kind.CONFLICT, "captions_too_many_languages", {"maximum": MOST_LANGUAGES})
                row = RecordingCaptions(recording_id=recording_id, language=language)
                session.add(row)
            row.label, row.text = label, clean
            row.uploaded_by, row.uploaded_at = actor.account_id, self._clock()
        _log.info("captions_put", recording_id=recording_id, language=language)
        return CaptionsView(language, label)

    async def remove(self, actor: Actor, recording_id: str, language: str) -> None:
        """Take a language away; Problems recording_not_found, forbidden, captions_not_found."""
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id)
            access.require(actor, Action.MANAGE_RECORDING)
            own = delete(RecordingCaptions).where(
                RecordingCaptions.recording_id == recording_id, RecordingCaptions.language == language
            )
            if (await session.execute(own.returning(RecordingCaptions.language))).first() is None:
                raise _not_found()

    async def text(self, actor: Actor | None, recording_id: str, language: str) -> str:
        """The WebVTT file, for whoever may watch; Problems recording_not_found, captions_not_found."""
        async with self._database.reading() as session:
            await find(session, actor, recording_id)
            query = select(RecordingCaptions).where(
                RecordingCaptions.recording_id == recording_id, RecordingCaptions.language == language
            )
            row = await session.scalar(query.options(undefer(RecordingCaptions.text)))
        if row is None:
            raise _not_found()
        return row.text


async def of_recording(session: AsyncSession, recording_id: str) -> tuple[CaptionsView, ...]:
    """The languages there are, in order."""
    query = (
        select(RecordingCaptions.language, RecordingCaptions.label)
        .where(RecordingCaptions.recording_id == recording_id)
        .order_by(RecordingCaptions.language)
    )
    return tuple(CaptionsView(row.language, row.label) for row in await session.execute(query))


def understood(files: Iterable[CaptionsFile]) -> tuple[CaptionsFile, ...]:
    """Those that are captions, written anew; of what another process says no more goes through than of an upload."""
    clean: list[CaptionsFile] = []
    for file in files:
        if len(clean) == MOST_LANGUAGES or not (is_language(file.language) and is_label(file.label)):
            continue
        with contextlib.suppress(CaptionsError):
            clean.append(replace(file, text=write(parse(file.text))))
    return tuple(clean)


async def add_found(
    session: AsyncSession, recording: Recording, found: Sequence[CaptionsFile], now: datetime
) -> None:
    """Offer what was `understood` of an uploaded film's own subtitles; what somebody has put there stays."""
    known = {one.language for one in await of_recording(session, recording.id)}
    added = [one for one in found if one.language not in known][: MOST_LANGUAGES - len(known)]
    session.add_all(
        RecordingCaptions(
            recording_id=recording.id, language=one.language, label=one.label, text=one.text,
            uploaded_by=recording.uploader_account_id, uploaded_at=now,
        )
        for one in added
    )  # fmt: skip
    if added:
        _log.info("captions_found", recording_id=recording.id, languages=len(added))


def _not_found() -> Problem:
    return Problem(Kind.NOT_FOUND, "captions_not_found")
