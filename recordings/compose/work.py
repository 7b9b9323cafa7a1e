"""What a composition has done so far, kept beside the captured files until it is finished.

Parts are only good for the very same composition: the same captured files, the same brief, the same program. A
fingerprint of these says so, and where it differs everything is done anew.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from recordings.capture.journal import JOURNAL_NAME
from recordings.compose.brief import Brief, write_brief
from recordings.compose.film import PART_SUFFIX, Reel, Size
from recordings.compose.story import segment_folders
from recordings.renditions import COMPOSING_FOLDER

_FINGERPRINT: Final = "fingerprint"
_UNREADABLE: Final = "unreadable.json"
# Raised with every change of the program that makes other pictures or sounds of the same files.
_PROGRAM: Final = 5


class Work:
    """The folder `work` of one recording; made, or emptied where it belongs to another composition."""

    def __init__(self, folder: Path, brief: Brief) -> None:
        self.folder = folder / COMPOSING_FOLDER
        wanted = _fingerprint(folder, brief)
        kept = self.folder / _FINGERPRINT
        if not kept.is_file() or kept.read_text(encoding="ascii", errors="replace") != wanted:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            kept.write_text(wanted, encoding="ascii")
        for unfinished in self.folder.glob(f"*{PART_SUFFIX}"):
            unfinished.unlink()
        self._left_out = _read_unreadable(self.folder)

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Keys of the clips that have broken whoever decoded them, and how: nobody tries again."""
        return self._left_out

    def leave_out(self, key: str, cause: str) -> None:
        """Note, for whoever goes on with this work too, that a clip cannot be read."""
        self._left_out[key] = cause
        part = self.folder / f"{_UNREADABLE}{PART_SUFFIX}"
        part.write_text(json.dumps(self._left_out), encoding="utf-8")
        part.replace(self.folder / _UNREADABLE)

    def part(self, number: int, size: Size) -> Path:
        """The pictures of one stretch in one size, numbered from 0."""
        return self.folder / f"{size.name}-{number:05d}.mp4"

    def finished_parts(self, sizes: Sequence[Size]) -> int:
        """How many stretches stand from the beginning on, in every size."""
        number = 0
        while all(self.part(number, size).is_file() for size in sizes):
            number += 1
        return number

    def reel(self, size: Size, sound: Path, frames_a_part: int, frames: int, seconds: float) -> Reel:
        """All of one size."""
        count = -(-frames // frames_a_part)
        parts = [(number * frames_a_part, self.part(number, size)) for number in range(count)]
        return Reel(parts, sound, seconds)

    def remove(self) -> None:
        """It is composed; nothing here is needed any more."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read_unreadable(folder: Path) -> dict[str, str]:
    try:
        content = json.loads((folder / _UNREADABLE).read_bytes())
        return {str(key): str(cause) for key, cause in content.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _fingerprint(folder: Path, brief: Brief) -> str:
    digest = hashlib.sha256(f"{_PROGRAM}\n".encode() + write_brief(brief))
    for segment in segment_folders(folder):
        digest.update((segment / JOURNAL_NAME).read_bytes())
        sizes = {path.name: path.stat().st_size for path in sorted(segment.iterdir())}
        digest.update(json.dumps([segment.name, sizes]).encode())
    return digest.hexdigest()
