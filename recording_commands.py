"""What an operator does about recordings: `server.py recordings list`, `check` and `recompose`, `server.py compose`."""

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from config import Config
from database import utc_now
from recordings.composing.service import Compositions
from recordings.events import RecordingStatus
from recordings.folders import Folders
from recordings.inspection import Inspection, Space
from recordings.losses import losses_in
from recordings.storage.shelf import Shelf
from startup import (
    StartFailed,
    recording_settings,
    recordings_folder,
    records,
    stop_signal,
    storage_settings,
)
from welcome import table

BROKEN: Final = 2  # the exit code of `check` where a film does not play
_MEBIBYTE: Final = 1024 * 1024


@asynccontextmanager
async def _inspection(config: Config) -> AsyncIterator[Inspection]:
    folder = recordings_folder(config)
    shelf = Shelf(folder, storage_settings(config))
    async with records(config) as database:
        try:
            yield Inspection(database, Folders(folder), shelf, utc_now)
        finally:
            await shelf.close()


async def list_recordings(config: Config, _arguments: argparse.Namespace) -> int:
    """Every recording, newest first: where it stands, why, how large its film is, its meeting; what is missing."""
    rows: list[Sequence[str]] = [("id", "state", "reason", "MiB", "begun", "meeting", "title")]
    lost: list[str] = []
    async with _inspection(config) as inspection:
        async for one in inspection.recordings():
            reason = one.failure.value if one.failure else "-"
            begun = one.started_at.strftime("%Y-%m-%d %H:%M")
            meeting = one.meeting_id or "-"
            rows.append((one.id, one.state.value, reason, _size(one.size_bytes), begun, meeting, one.title))
            lost += [f"of {one.id} is not in the film: {loss}" for loss in losses_in(one.losses)]
    print("\n".join([*table(rows), *lost]) if len(rows) > 1 else "There are no recordings.")
    return 0


async def check_recordings(config: Config, _arguments: argparse.Namespace) -> int:
    """Play some of every film, and name those that do not play, and files that belong to none."""
    looked = broken = remote = 0
    async with _inspection(config) as inspection:
        async for one in inspection.films():
            looked += 1
            remote += one.remote
            if one.fault is not None:
                broken += 1
                print(f"broken: {one.recording.id}  {one.fault}  ({one.recording.title})", flush=True)
            if sys.stderr.isatty():
                print(f"\rfilms: {looked}", end="", file=sys.stderr, flush=True)
        strangers, temporary = await inspection.strangers(), await inspection.temporary()
    print(f"{looked} films, {broken} broken, {remote} in the remote store alone, which were only asked for.")
    _tell("of no recording", strangers)
    _tell("temporary", temporary)
    if broken:
        print("To have one made anew from what was captured: server.py recordings recompose ID")
    return BROKEN if broken else 0


async def compose(config: Config, _arguments: argparse.Namespace) -> int:
    """Make films until a signal, of the queue that all machines with the same records and folder work on."""
    settings = recording_settings(config)
    async with records(config) as database:
        if database.is_sqlite:
            raise StartFailed(
                "SQLite's records are one server's own, which makes the films itself. For another machine to make "
                "them the records must be in PostgreSQL: HUITANG_DATABASE__URL."
            )
        if not settings.folder.is_dir():
            raise StartFailed(
                f"The recordings' folder {settings.folder.absolute()} is not there. Mount the server's, and name it in "
                "HUITANG_RECORDINGS__FOLDER."
            )
        shelf = Shelf(settings.folder, settings.storage)
        compositions = Compositions(database, settings, shelf, utc_now, _told)
        stop = stop_signal()
        await compositions.start()
        print(f"Making films of {settings.folder.absolute()} ({settings.workers} at once).", flush=True)
        await stop.wait()
        await compositions.stop()
        await shelf.close()
    return 0


def _told(meeting_id: str, status: RecordingStatus) -> None:
    """The records know; pages that are open ask them."""


async def recompose(config: Config, arguments: argparse.Namespace) -> int:
    """Have one film made anew; the server does it, within seconds where it runs."""
    async with _inspection(config) as inspection:
        recording = await inspection.recompose(arguments.id)
    print(f"{recording.title} is made anew by the server, or as soon as one is started.")
    return 0


def _tell(kind: str, spaces: Sequence[Space]) -> None:
    for space in spaces:
        print(f"{kind}: {space.name}  {_size(space.size)} MiB")


def _size(size: int | None) -> str:
    return "-" if size is None else f"{size / _MEBIBYTE:.1f}"
