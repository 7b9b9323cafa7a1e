"""What the operator may set about recordings."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from recordings.storage.settings import StorageSettings
from rooms.meetings.states import MeetingKind


class RecordingSettings(BaseModel):
    """`folder` holds one directory a recording; everything else has a default that suits one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    # Capture stops below this much free space: the database on the same disk must still be able to write.
    min_free_bytes: int = Field(default=512 * 1024 * 1024, ge=0)
    # How soon capture that a disk refused is tried again; each time it is refused anew the pause doubles, to a minute.
    resume_seconds: float = Field(default=5.0, gt=0)
    # Compositions at once on this node; each takes about two cores.
    workers: int = Field(default=1, ge=0, le=16)
    # How often a composition that crashes or is killed is begun again before it counts as failed.
    attempts: int = Field(default=3, ge=1, le=10)
    # A claimed composition whose node has not renewed the claim for so long may be taken by another.
    lease_seconds: float = Field(default=60.0, gt=0)
    # Added to the server's own niceness for the composing processes; from 1 on these have the disk when it is idle.
    niceness: int = Field(default=15, ge=0, le=19)
    # Composing begins again after a crash at most this much before where it was.
    part_seconds: float = Field(default=60.0, ge=2)
    # Lectures, and whatever is longer than this, are also made in three sizes for lines of all kinds.
    hls_minutes: int = Field(default=60, ge=0)
    reconcile_seconds: float = Field(default=3600.0, gt=0)
    most_upload_bytes: int = Field(default=8 * 1024**3, ge=1)
    storage: StorageSettings | None = None  # None: the folder alone

    def sizes_from(self, kind: MeetingKind) -> float:
        """From how many seconds on a film is made in three sizes.

        Lectures are watched by many on all kinds of lines; other recordings only where they are long.
        """
        return 0.0 if kind is MeetingKind.LECTURE else self.hls_minutes * 60.0

    @property
    def bytes_left_by_films(self) -> int:
        """What films leave free, brought or being made: capture stops at the threshold, and goes before."""
        return 2 * self.min_free_bytes
