"""`Watchers`: who has watched how much of a recording, for those who keep the attendance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database, Page, PageRequest, SortKey, fetch_page
from members.organizations.repository import get_many
from members.people import Member
from members.policy import Action, Actor
from recordings.access import find
from recordings.models import Recording, Viewing
from recordings.viewing.service import coverage_view
from rooms.attendance.judgement import prevailing
from rooms.attendance.models import AttendanceRecord
from rooms.attendance.rules import AttendanceState

SHEET_ROWS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class WatcherView:
    """One member who was expected at the meeting or has watched; `state` is None for who was not expected."""

    member_id: str
    name: str
    organization_name: str
    state: AttendanceState | None
    seconds: float
    share: float
    studied_at: datetime | None
    last_watched_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everybody by name, under the recording's title; `zone`: the organization's, where those live who read of it."""

    title: str
    rows: Sequence[WatcherView]
    zone: ZoneInfo


class Watchers:
    """One unit of work a method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, actor: Actor, recording_id: str, page: PageRequest) -> Page[WatcherView]:
        """By name; Problems recording_not_found, forbidden."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
            access.require(actor, Action.SEE_VIEWINGS)
            return await _page(session, access.recording, page)

    async def sheet(self, actor: Actor, recording_id: str) -> Sheet:
        """All of them; Problems recording_not_found, forbidden."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
            access.require(actor, Action.SEE_VIEWINGS)
            page = await _page(session, access.recording, PageRequest(SHEET_ROWS_AT_ONCE))
            rows = [*page.items]
            while page.next_cursor is not None:
                page = await _page(
                    session, access.recording, PageRequest(SHEET_ROWS_AT_ONCE, page.next_cursor)
                )
                rows += page.items
        return Sheet(access.recording.title, rows, ZoneInfo(access.organization.timezone))


async def _page(session: AsyncSession, recording: Recording, page: PageRequest) -> Page[WatcherView]:
    watched = exists().where(Viewing.recording_id == recording.id, Viewing.member_id == Member.id)
    expected = exists().where(
        AttendanceRecord.meeting_id == recording.meeting_id,
        AttendanceRecord.member_id == Member.id,
        AttendanceRecord.expected,
    )
    query = select(Member).where(or_(watched, expected) if recording.meeting_id else watched)
    found = await fetch_page(session, query, [SortKey(Member.name), SortKey(Member.id)], page)
    ids = [member.id for member in found.items]
    viewings = {row.member_id: row for row in await session.scalars(_viewings(recording.id, ids))}
    states = {
        row.member_id: prevailing(row)
        for row in await session.scalars(
            select(AttendanceRecord).where(
                AttendanceRecord.meeting_id == recording.meeting_id,
                AttendanceRecord.member_id.in_(ids),
                AttendanceRecord.expected,
            )
        )
    }
    names = await get_many(session, {member.organization_id for member in found.items})

    def view(member: Member) -> WatcherView:
        viewing = viewings.get(member.id)
        coverage = coverage_view(viewing, recording)
        return WatcherView(
            member_id=member.id,
            name=member.name,
            organization_name=names[member.organization_id].name,
            state=states.get(member.id),
            seconds=coverage.seconds,
            share=coverage.share,
            studied_at=coverage.studied_at,
            last_watched_at=viewing.reported_at if viewing is not None else None,
        )

    return found.map(view)


def _viewings(recording_id: str, member_ids: Sequence[str]) -> Select[Viewing]:
    return select(Viewing).where(Viewing.recording_id == recording_id, Viewing.member_id.in_(member_ids))
