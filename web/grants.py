"""Who was let in to which file a moment ago, so that a player's many ranges do not each ask the records.

A grant lives GRANT_SECONDS from the check, however often it is used: a right that is taken away bites within that time.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from recordings.views import MediaFile

GRANT_SECONDS: Final = 5.0
MOST_GRANTS: Final = 10_000


class Grants:
    """By session, path and query; the oldest go where there are too many."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._granted: OrderedDict[bytes, tuple[float, MediaFile]] = OrderedDict()

    def find(self, session: str, path: str) -> MediaFile | None:
        """The file, where it was granted just now."""
        key = _key(session, path)
        granted = self._granted.get(key)
        if granted is None:
            return None
        if granted[0] <= self._now():
            del self._granted[key]
            return None
        return granted[1]

    def note(self, session: str, path: str, media: MediaFile) -> None:
        """It was checked, and granted."""
        key = _key(session, path)
        self._granted.pop(key, None)
        self._granted[key] = (self._now() + GRANT_SECONDS, media)
        while len(self._granted) > MOST_GRANTS:
            self._granted.popitem(last=False)


def _key(session: str, path: str) -> bytes:
    """No token is kept as it is."""
    return hashlib.sha256(f"{session}\n{path}".encode()).digest()
