"""Where a recording's files lie."""

import shutil
from pathlib import Path
from typing import Final

from ids import is_id
from recordings.capture.journal import SEGMENT_PREFIX
from recordings.renditions import COMPOSING_FOLDER, CONVERTING_FOLDER, FETCHING_FOLDER, FILE_NAMES, Rendition

SOURCE_FOLDER: Final = "source"
"""Holds the one file that was uploaded, of a film made elsewhere."""

SOURCE_NAME: Final = "film"
"""That file."""

_WORK: Final = (COMPOSING_FOLDER, CONVERTING_FOLDER, FETCHING_FOLDER)
_PART_SUFFIX: Final = ".part"


def bytes_of(path: Path) -> int:
    """Of a file, or of all files in a folder; 0 for what is gone meanwhile."""
    try:
        if path.is_dir():
            return sum(map(bytes_of, path.iterdir()))
        return path.stat().st_size
    except OSError:
        return 0


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

    def finished(self, recording_id: str) -> list[tuple[str, Path]]:
        """Every composed file by its name within the folder."""
        found: list[tuple[str, Path]] = []
        for name in FILE_NAMES.values():
            path = self.of(recording_id) / name
            inner = sorted(path.rglob("*")) if path.is_dir() else [path]
            found += [
                (file.relative_to(self.of(recording_id)).as_posix(), file) for file in inner if file.is_file()
            ]
        return found

    def drop_finished(self, recording_id: str) -> None:
        """Remove what was composed; what was captured stays."""
        for rendition in FILE_NAMES:
            self.drop(recording_id, rendition)

    def drop(self, recording_id: str, rendition: Rendition) -> None:
        """Remove one composed file, or HLS's folder; harmless where it is not there."""
        path = self.rendition(recording_id, rendition)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def originals(self, recording_id: str) -> list[tuple[str, Path]]:
        """Every captured or uploaded file by its name within the folder."""
        top = self.of(recording_id)
        folders = [*sorted(top.glob(f"{SEGMENT_PREFIX}*")), top / SOURCE_FOLDER]
        files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
        return [(path.relative_to(top).as_posix(), path) for path in files]

    def kept_bytes(self, recording_id: str) -> int:
        """Of everything that is there for it and stays, which is what quotas count."""
        return bytes_of(self.of(recording_id)) - self.work_bytes(recording_id)

    def work_bytes(self, recording_id: str) -> int:
        """Of what is being made."""
        return sum(bytes_of(self.of(recording_id) / name) for name in _WORK)

    def last_segment(self, recording_id: str) -> int:
        """The highest number of a segment there is, 0 where there is none."""
        numbers = [
            int(path.name.removeprefix(SEGMENT_PREFIX))
            for path in self.of(recording_id).glob(f"{SEGMENT_PREFIX}*")
            if path.name.removeprefix(SEGMENT_PREFIX).isdigit()
        ]
        return max(numbers, default=0)

    def with_work(self) -> list[str]:
        """Names under the root, in order, where something is being made or was left half made."""
        if not self.root.is_dir():
            return []
        return sorted({path.parent.name for name in _WORK for path in self.root.glob(f"*/{name}")})

    def drop_work(self, recording_id: str) -> int:
        """Remove what was left half made; answers its bytes."""
        freed = self.work_bytes(recording_id)
        for name in _WORK:
            shutil.rmtree(self.of(recording_id) / name, ignore_errors=True)
        return freed

    def temporary(self) -> list[Path]:
        """Folders of what is being made, and files that have not got their names yet."""
        parts = [path for path in self.root.glob(f"*/*{_PART_SUFFIX}") if path.is_file()]
        return sorted([*parts, *(path for name in _WORK for path in self.root.glob(f"*/{name}"))])

    def names(self) -> set[str]:
        """Whatever there is under the root."""
        return {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()
