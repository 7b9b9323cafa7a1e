"""`Viewings`: takes the players' reports."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from database import Clock, Database, new_id
from errors import Kind, Problem
from members.cards import CardEntryKind, Cards, NewEntry
from members.organizations import Organization
from members.policy import Actor
from recordings.access import find
from recordings.apart import Apart
from recordings.models import Recording, Viewing
from recordings.viewing import repository
from recordings.viewing.attention import Attention, answered, countable, watched
from recordings.viewing.coverage import (
    FASTEST,
    Account,
    Interval,
    is_enough,
    plausible,
    share,
    total,
    watch,
)
from recordings.viewing.span import believable, latest_believable, span
from recordings.views import CoverageView, PromptView, WatchReport
from rooms.attendance.service import Attendance

CARD_SOURCE: Final = "recording"
SETTLED_AT_ONCE: Final = 200

_log = structlog.get_logger(__name__)


class Viewings:
    """Every public method is one unit of work, but that attendance learns of a studied recording in one of its own."""

    def __init__(self, database: Database, attendance: Attendance, cards: Cards, clock: Clock) -> None:
        self._database = database
        self._attendance = attendance
        self._cards = cards
        self._clock = clock
        self.apart = Apart("settle")

    async def report(self, actor: Actor, recording_id: str, report: WatchReport) -> CoverageView:
        """Count what can be true of it; answers what counts so far, and the prompt that waits for an answer.

        The first report of a member who has not even fetched the film opens the account, and counts for nothing.
        Problems: recording_not_found, recording_not_playable, viewing_too_fast, recording_renewed for what was played
        of an earlier film.
        """
        if report.rate > FASTEST:
            raise Problem(Kind.INVALID, "viewing_too_fast", {"field": "rate", "maximum": FASTEST})
        return await self._account(actor, recording_id, report)

    async def answer(self, actor: Actor, recording_id: str, prompt: str) -> CoverageView:
        """The member is still there; an answer to a prompt that is not open changes nothing.

        Problems: recording_not_found, recording_not_playable.
        """
        return await self._account(actor, recording_id, WatchReport(()), prompt)

    async def settle_left(self, most: int = SETTLED_AT_ONCE) -> int:
        """Write to the cards, and tell attendance, what no report will bring about; `most` at once.

        What is enough since less is asked for or the film is shorter; what attendance has not heard of after a kill, or
        judged only afterwards. Answers of how many absences attendance did hear.
        """
        async with self._database.reading() as session:
            enough_now = await repository.with_enough_unsaid(session)
        for recording_id in enough_now:
            with self.apart.one(recording_id):
                while await self._complete_some(recording_id, most) == most:
                    pass
        settled = 0
        failed: set[str] = set()
        while True:
            async with self._database.reading() as session:
                found = await repository.unsettled(session, most, failed)
            watchers: dict[tuple[str, str | None], list[str]] = {}
            for (recording_id, member_id), meeting_id in found:
                watchers.setdefault((recording_id, meeting_id), []).append(member_id)
            heard = 0
            for (recording_id, meeting_id), members in watchers.items():
                failed.add(recording_id)
                with self.apart.one(recording_id):
                    heard += await self._settle(recording_id, meeting_id, members)
                    failed.remove(recording_id)
            settled += heard
            if len(found) < most or not (heard or failed & {one for one, _ in watchers}):
                return settled

    async def _complete_some(self, recording_id: str, most: int) -> int:
        async with self._database.transaction() as session:
            found = await repository.enough_unsaid(session, recording_id, most)
            enough = [one for one in found if _is_enough_of_this_film(one[0], one[1])]
            for viewing, _, _ in enough:
                viewing.completed_at = self._clock()
            await self._cards.append_all(session, [_card_entry(*one) for one in enough])
        if enough:
            _log.info("recording_studied_by_many", recording_id=recording_id, members=len(enough))
        return len(found)

    async def _account(
        self, actor: Actor, recording_id: str, report: WatchReport, answer: str | None = None
    ) -> CoverageView:
        async with self._database.transaction() as session:
            # Until this is written nobody deletes the film, makes another of it or asks for less.
            access = await find(session, actor, recording_id, keep=True)
            access.require_playable()
            if actor.member_id is None:
                return CoverageView()
            _require_version(report, access.recording)
            believed = latest_believable(self._clock())
            elsewhere = await repository.spent_elsewhere(session, recording_id, actor.member_id, believed)
            now = self._clock()
            viewing = await repository.open_and_lock(session, recording_id, actor.member_id, now)
            if answer is None or _attention(viewing, now).stopped(now):
                _count(viewing, access.recording, report, elsewhere, now)
            if answer is not None:
                _set_attention(viewing, answered(_attention(viewing, now), answer))
            if viewing.completed_at is None and _is_complete(viewing, access.recording):
                viewing.completed_at = now
                await self._cards.append(session, _card_entry(viewing, access.recording, access.organization))
                _log.info("recording_studied", recording_id=recording_id)
            view = coverage_view(viewing, access.recording)
            unsettled = viewing.completed_at is not None and not viewing.settled
        if unsettled:
            await self._settle(recording_id, access.recording.meeting_id, [actor.member_id])
        return view

    async def _settle(self, recording_id: str, meeting_id: str | None, member_ids: Sequence[str]) -> int:
        """Tell attendance, then remember that it knows; killed in between, it is told again. Answers of how many."""
        if meeting_id is None:
            return 0
        heard = await self._attendance.made_up(member_ids, meeting_id, recording_id)
        if heard:  # the others were there, as far as is known now
            async with self._database.transaction() as session:
                await repository.settle(session, recording_id, heard)
        return len(heard)


def _card_entry(viewing: Viewing, recording: Recording, organization: Organization) -> NewEntry:
    return NewEntry(
        member_id=viewing.member_id,
        kind=CardEntryKind.RECORDING_STUDIED,
        occurred_at=viewing.completed_at or viewing.reported_at,
        duration_seconds=round(viewing.seconds),
        organization_id=organization.id,
        organization_name=organization.name,
        title=recording.title,
        source=CARD_SOURCE,
        reference=viewing.recording_id,
        details={"meetingId": recording.meeting_id, "share": round(_share(viewing, recording), 3)},
    )


def coverage_view(viewing: Viewing | None, recording: Recording) -> CoverageView:
    """What a member has watched, for the member; cut to the film as it is now."""
    if viewing is None:
        return CoverageView()
    duration = recording.duration_seconds or 0.0
    intervals = _counting(viewing, recording)
    attention = _attention(viewing)
    prompt = None
    if attention.prompt is not None and attention.deadline is not None and viewing.completed_at is None:
        prompt = PromptView(attention.prompt, attention.deadline)
    return CoverageView(
        seconds=total(intervals),
        share=share(intervals, duration),
        intervals=intervals,
        resume_at=min(viewing.resume_at, duration),
        studied_at=viewing.completed_at,
        prompt=prompt,
    )


def _require_version(report: WatchReport, recording: Recording) -> None:
    """What was played of another film says nothing about this one."""
    if report.version is not None and report.version != recording.version:
        raise Problem(Kind.CONFLICT, "recording_renewed", {"version": recording.version})


def _count(
    viewing: Viewing, recording: Recording, report: WatchReport, elsewhere: datetime | None, now: datetime
) -> None:
    duration = recording.duration_seconds or 0.0
    attention = _attention(viewing, now)
    since = span(viewing.reported_at, elsewhere, now)
    elapsed = countable(attention, since.begin, now)
    carried = since.unbroken and not attention.stopped(since.begin)
    before = Account(_intervals(viewing), viewing.credit_seconds if carried else 0.0)
    after = watch(before, report.intervals, report.rate, elapsed, duration)
    every = timedelta(minutes=recording.prompt_minutes) if recording.prompt_minutes else None
    _set_attention(viewing, watched(attention, after.spent, every, new_id(), now))
    viewing.intervals = [list(interval) for interval in after.intervals]
    viewing.seconds, viewing.credit_seconds = total(_counting(viewing, recording)), after.credit
    viewing.reported_at = max(now, since.begin)  # a clock set back gives nobody time twice
    if after.spent:
        viewing.spent_at = viewing.reported_at
    claims = plausible(report.intervals, duration)
    if report.ended:
        viewing.resume_at = 0.0
    elif claims:
        viewing.resume_at = claims[-1][1]  # where to go on is a convenience, and may be believed


def _attention(viewing: Viewing, now: datetime | None = None) -> Attention:
    asked = viewing.prompted_at
    if asked is not None and now is not None:
        asked = believable(asked, now)
    return Attention(viewing.unasked_seconds, viewing.prompt, asked)


def _set_attention(viewing: Viewing, attention: Attention) -> None:
    viewing.unasked_seconds = attention.unasked
    viewing.prompt, viewing.prompted_at = attention.prompt, attention.prompted_at


def _intervals(viewing: Viewing) -> tuple[Interval, ...]:
    return tuple((float(begin), float(end)) for begin, end in viewing.intervals)


def _counting(viewing: Viewing, recording: Recording) -> tuple[Interval, ...]:
    """What of it is in the film as it is now: what was watched of an earlier, longer one is kept beside."""
    return plausible(_intervals(viewing), recording.duration_seconds or 0.0)


def _share(viewing: Viewing, recording: Recording) -> float:
    return share(_counting(viewing, recording), recording.duration_seconds or 0.0)


def _is_complete(viewing: Viewing, recording: Recording) -> bool:
    return is_enough(
        _counting(viewing, recording), recording.duration_seconds or 0.0, recording.required_share
    )


def _is_enough_of_this_film(viewing: Viewing, recording: Recording) -> bool:
    """Of what the records take for enough: they may count what was in a longer film, and are put right."""
    before, viewing.seconds = viewing.seconds, total(_counting(viewing, recording))
    return viewing.seconds >= before or _is_complete(viewing, recording)
