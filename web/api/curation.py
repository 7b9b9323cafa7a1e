"""What those who manage a recording do with it: settings, captions, making it anew, who has watched."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web

from localization import Language, page_texts
from recordings.requests import RecordingChanges
from recordings.viewing.watchers import WatcherView
from web.api.call import Asked, Nothing
from web.api.paging import page_out, page_request
from web.api.schemas.base import Page, PageQuery
from web.api.schemas.recordings import CaptionsOut, CaptionsPut, RecordingOut, RecordingUpdate, WatcherOut
from web.attachment import attachment

# Spreadsheet programs take a file for UTF-8 by this alone.
BYTE_ORDER_MARK: Final = "\ufeff"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
COLUMNS: Final = (
    "name",
    "organization",
    "attendance",
    "minutes",
    "percent",
    "studiedAt",
    "lastWatchedAt",
)


async def update(asked: Asked[RecordingUpdate]) -> RecordingOut:
    """Change who may watch, whether it may be downloaded, how much of it must be watched, who is in it."""
    recording_id = asked.path("recordingId")
    wanted = dict(asked.input)
    for field in ("persons", "persons_before"):
        if wanted.get(field) is not None:
            wanted[field] = tuple(one.named for one in wanted[field])
    changes = RecordingChanges(**wanted)
    await asked.services.curation.update(asked.caller.person, recording_id, changes)
    return RecordingOut.model_validate(await asked.services.library.get(asked.caller.person, recording_id))


async def remake(asked: Asked[Nothing]) -> RecordingOut:
    """Have a broken recording made anew of what was recorded; its progress is told as before."""
    recording_id = asked.path("recordingId")
    await asked.services.remaking.remake(asked.caller.person, recording_id)
    return RecordingOut.model_validate(await asked.services.library.get(asked.caller.person, recording_id))


async def captions(asked: Asked[Nothing]) -> web.StreamResponse:
    """Captions as WebVTT."""
    text = await asked.services.captions.text(
        asked.caller.actor, asked.path("recordingId"), asked.path("language")
    )
    return web.Response(
        text=text,
        content_type="text/vtt",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "private, no-cache"},
    )


async def put_captions(asked: Asked[CaptionsPut]) -> CaptionsOut:
    """Add captions in a language, or replace them."""
    found = await asked.services.captions.put(
        asked.caller.person,
        asked.path("recordingId"),
        asked.path("language"),
        asked.input.label,
        asked.input.text,
    )
    return CaptionsOut.model_validate(found)


async def remove_captions(asked: Asked[Nothing]) -> None:
    """Take captions away."""
    await asked.services.captions.remove(
        asked.caller.person, asked.path("recordingId"), asked.path("language")
    )


async def watchers(asked: Asked[PageQuery]) -> Page[WatcherOut]:
    """Who has watched how much, by name: everybody who was expected or has watched."""
    page = await asked.services.watchers.list(
        asked.caller.person, asked.path("recordingId"), page_request(asked.input)
    )
    return page_out(page, WatcherOut)


async def watchers_sheet(asked: Asked[Nothing]) -> web.StreamResponse:
    """The same as a CSV file for a spreadsheet."""
    found = await asked.services.watchers.sheet(asked.caller.person, asked.path("recordingId"))
    return web.Response(
        text=sheet(found.rows, asked.language, found.zone),
        content_type="text/csv",
        charset="utf-8",
        headers={
            hdrs.CACHE_CONTROL: "no-store",
            hdrs.CONTENT_DISPOSITION: attachment(
                f"{found.title} {page_texts('recordings', asked.language)['watchers']['title']}.csv",
                "viewings.csv",
            ),
        },
    )


def sheet(rows: Iterable[WatcherView], language: Language, zone: ZoneInfo) -> str:
    """The rows as CSV (RFC 4180), times in `zone`; a cell that a spreadsheet takes for a formula is made text."""
    headings = page_texts("recordings", language)["watchers"]["columns"]
    states = page_texts("meeting", language)["attendance"]["states"]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(headings[column] for column in COLUMNS)
    for row in rows:
        writer.writerow(
            (
                _text(row.name),
                _text(row.organization_name),
                states[row.state.value] if row.state else "",
                round(row.seconds / 60),
                int(row.share * 100 + 0.001),
                _time(row.studied_at, zone),
                _time(row.last_watched_at, zone),
            )
        )
    return BYTE_ORDER_MARK + file.getvalue()


def _time(moment: datetime | None, zone: ZoneInfo) -> str:
    """As spreadsheets take it for a time in every language."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else ""


def _text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
