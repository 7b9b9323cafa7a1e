"""What the service of stream keys answers: frozen, without secrets but for the one moment of making."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StreamUse(StrEnum):
    """What a key is for: WHIP or WHEP."""

    PUBLISH = "publish"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class StreamKeyView:
    """One key as a host sees it; `online` while its device is in the room."""

    id: str
    name: str
    use: StreamUse
    created_at: datetime
    used_at: datetime | None
    online: bool


@dataclass(frozen=True, slots=True)
class NewStreamKey:
    """A key with its secret, which is not to be had a second time."""

    view: StreamKeyView
    secret: str


@dataclass(frozen=True, slots=True)
class Device:
    """Whoever shows a good key. `known`: it was in this meeting before, so a lock does not keep it out."""

    key_id: str
    meeting_id: str
    name: str
    use: StreamUse
    known: bool
