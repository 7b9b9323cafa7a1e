"""What is asked of uploads and what they answer."""

from dataclasses import dataclass
from datetime import datetime

from members.policy import Audience
from recordings.requests import NamedPerson
from recordings.uploads.rules import CHUNK_BYTES
from rooms.meetings.states import MeetingKind


@dataclass(frozen=True, slots=True)
class NewFilm:
    """A film that somebody wants to bring; `meeting_id` where it shows a meeting that was not recorded here.

    `fingerprint` is `rules.FINGERPRINT`; with it no other file is taken for the rest of this one. `duration_seconds`:
    what the uploader knows of its length, for the room that it takes; the file itself is asked when it is whole.
    """

    organization_id: str
    title: str
    kind: MeetingKind
    audience: Audience
    held_at: datetime
    size_bytes: int
    meeting_id: str | None = None
    fingerprint: str | None = None
    duration_seconds: float | None = None
    persons: tuple[NamedPerson, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadView:
    """A film on its way: the next chunk begins at `offset`. With `recording_id` it is whole and in the library."""

    id: str
    title: str
    size_bytes: int
    offset: int
    expires_at: datetime
    chunk_bytes: int = CHUNK_BYTES
    recording_id: str | None = None
    fingerprint: str | None = None
