"""A segment's journal: one JSON object a line, appended and never changed, so that a kill costs its last line at most.

It holds what the media files cannot: who the tracks are, when they were paused and closed, what of them could not be
captured and why, when items of the agenda began, to what the server's clock was set, and the points from which
composition computes one time line. `us` is the server's monotonic clock in microseconds, `position` a track's own RTP
clock, unwrapped and counted from its first packet, which is also the time in its media file. `written` is the position
up to which there was a frame in that file: what is not there any more is known by it.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from recordings.capture.disk import AppendedFile

JOURNAL_NAME: Final = "journal.jsonl"
SEGMENT_PREFIX: Final = "segment-"  # of the folders that hold a journal each, numbered
VERSION: Final = 1
_MAXIMUM_LINE: Final = 16 * 1024


class Journal:
    """The writing side; lines are gathered and written at `flush`."""

    def __init__(self, folder: Path) -> None:
        self.file = AppendedFile(folder / JOURNAL_NAME)
        self._pending: list[str] = []

    def add(self, event: str, **values: Any) -> None:
        """Put one line into the next `flush`."""
        self._pending.append(
            json.dumps({"event": event, **values}, ensure_ascii=False, separators=(",", ":"))
        )

    def flush(self) -> None:
        """Write what was added; OSError where the disk refuses."""
        if self._pending:
            lines, self._pending = self._pending, []
            self.file.write(("\n".join(lines) + "\n").encode())

    def close(self) -> None:
        """Flush and close; the file is given up even where that raises."""
        try:
            self.flush()
        finally:
            self.file.close()


def read_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of a folder's journal that are whole; OSError where there is none."""
    with (folder / JOURNAL_NAME).open("rb") as file:
        while raw := file.readline(_MAXIMUM_LINE):
            try:
                line = json.loads(raw)
            except (ValueError, RecursionError):
                continue  # cut off by a kill, or by a full disk
            if isinstance(line, dict) and isinstance(line.get("event"), str):
                yield line


def meeting_of(folder: Path) -> str | None:
    """The id of the meeting of which the folder's segment was captured; None where nobody knows."""
    meeting_id = _first_line(folder).get("meetingId")
    return meeting_id if isinstance(meeting_id, str) else None


def began_at(folder: Path, boot: str, now: datetime, now_us: int) -> datetime | None:
    """When the folder's segment began by a clock that shows `now`; None where only the clock of then could tell."""
    first = _first_line(folder)
    begun_us = first.get("us")
    if not boot or first.get("boot") != boot or type(begun_us) is not int or not 0 <= begun_us <= now_us:
        return None
    return now - timedelta(microseconds=now_us - begun_us)


def _first_line(folder: Path) -> dict[str, Any]:
    """Of its journal; empty where there is none."""
    try:
        return next(read_lines(folder), {})
    except OSError:
        return {}
