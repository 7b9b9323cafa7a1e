"""Who was let in to which film a moment ago, so that a player's many requests do not each ask the records.

A grant lives GRANT_SECONDS from the check, however often it is used: a right that is taken away bites within that time.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from recordings.renditions import Rendition
from recordings.views import MediaFile, OpenedRecording

GRANT_SECONDS: Final = 5.0
MOST_GRANTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Grant:
    """One who was let in, until `ends` on the monotonic clock; `files` were looked for already, by piece."""

    opened: OpenedRecording
    ends: float
    files: dict[tuple[Rendition, str | None], MediaFile] = field(default_factory=dict)


class Grants:
    """By session, recording and query; the oldest go where there are too many."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._granted: OrderedDict[bytes, Grant] = OrderedDict()

    def lasts(self, grant: Grant) -> bool:
        """Whether it need not be asked for again yet."""
        return self._now() < grant.ends

    def find(self, session: str, recording_id: str, query: str) -> Grant | None:
        """The grant, where it was given just now."""
        key = _key(session, recording_id, query)
        granted = self._granted.get(key)
        if granted is None:
            return None
        if not self.lasts(granted):
            del self._granted[key]
            return None
        return granted

    def note(self, session: str, recording_id: str, query: str, opened: OpenedRecording) -> Grant:
        """It was checked, and granted."""
        key = _key(session, recording_id, query)
        self._granted.pop(key, None)
        granted = self._granted[key] = Grant(opened, self._now() + GRANT_SECONDS)
        while len(self._granted) > MOST_GRANTS:
            self._granted.popitem(last=False)
        return granted


def _key(session: str, recording_id: str, query: str) -> bytes:
    """No token is kept as it is."""
    return hashlib.sha256(f"{session}\n{recording_id}\n{query}".encode()).digest()
