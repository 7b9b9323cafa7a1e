"""Where a recording's files lie."""

from pathlib import Path

from database import is_id
from recordings.capture.journal import SEGMENT_PREFIX
from recordings.renditions import FILE_NAMES, Rendition


class Folders:
    """Under one root, which all nodes share: a folder a recording, in it a folder a segment and the composed film."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()  # the composing process has another working directory

    def of(self, recording_id: str) -> Path:
        """The recording's folder; ValueError for what is no id, so that no path can be smuggled in."""
        if not is_id(recording_id):
            raise ValueError("no id of a recording")
        return self.root / recording_id

    def segment(self, recording_id: str, number: int) -> Path:
        """The folder of one run of capture, numbered from 1."""
        return self.of(recording_id) / f"{SEGMENT_PREFIX}{number:04d}"

    def film(self, recording_id: str) -> Path:
        """The composed file."""
        return self.rendition(recording_id, Rendition.FILM)

    def rendition(self, recording_id: str, rendition: Rendition) -> Path:
        """A composed file, or for HLS the folder of its files."""
        return self.of(recording_id) / FILE_NAMES[rendition]

    def last_segment(self, recording_id: str) -> int:
        """The highest number of a segment there is, 0 where there is none."""
        numbers = [
            int(path.name.removeprefix(SEGMENT_PREFIX))
            for path in self.of(recording_id).glob(f"{SEGMENT_PREFIX}*")
            if path.name.removeprefix(SEGMENT_PREFIX).isdigit()
        ]
        return max(numbers, default=0)

    def strangers(self, known: set[str]) -> list[str]:
        """Names under the root that belong to no known recording."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if path.name not in known)
