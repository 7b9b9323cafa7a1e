"""What has been done so far of a film, kept beside the captured or uploaded files until the records know of the film.

Parts are only good for the very same film: the same files, the same brief, the same program. A fingerprint of these
says so, and where it differs everything is done anew.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from recordings.capture.journal import JOURNAL_NAME
from recordings.compose.brief import Brief, write_brief
from recordings.compose.film import PART_SUFFIX, Reel, Size
from recordings.compose.isolation import Broken, Interrupted
from recordings.compose.report import Finished, parse, write
from recordings.compose.scan import Span
from recordings.compose.story import segment_folders
from recordings.viewing.coverage import union

_FINGERPRINT: Final = "fingerprint"
_FINISHED: Final = "finished.json"
_NOTES: Final = "notes.json"
# Raised with every change of the program that makes other pictures or sounds of the same files.
_PROGRAM: Final = 9


class PutOff(Exception):  # noqa: N818 - it says what becomes of the attempt
    """Something outside of what was captured may have been in the way: somebody is to try again in a while."""


class Work:
    """One folder of one recording; made, or emptied where it belongs to another film."""

    def __init__(self, folder: Path, wanted: str) -> None:
        self.folder = folder
        kept = self.folder / _FINGERPRINT
        if not kept.is_file() or kept.read_text(encoding="ascii", errors="replace") != wanted:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            kept.write_text(wanted, encoding="ascii")
        for unfinished in self.folder.glob(f"*{PART_SUFFIX}"):
            unfinished.unlink()
        self._notes = _read_notes(self.folder)
        self._noted = self._notes

    def begin_anew(self) -> None:
        """Keep nothing of what an earlier attempt has left."""
        for path in self.folder.iterdir():
            if path.name != _FINGERPRINT:
                self.drop(path.name)
        self._notes = self._noted = _Notes()

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Keys of the clips that have broken whoever decoded them, and how: nobody tries again."""
        return self._notes.unreadable

    def lost(self, key: str) -> tuple[Span, ...]:
        """Seconds of a clip's file that were to be decoded and could not be."""
        return self._notes.lost.get(key, ())

    def blame(self, key: str, broken: Broken) -> None:
        """Leave out what has broken its process; PutOff where that may have been somebody else, the first time."""
        if isinstance(broken, Interrupted) and self.suspect(key, str(broken)):
            raise PutOff(f"{key}: {broken}")
        self.leave_out(key, str(broken))

    def suspect(self, key: str, cause: str) -> bool:
        """Note that a process was interrupted at something; whether that was the first time."""
        if key in self._notes.suspected:
            return False
        self._notes = replace(self._notes, suspected={**self._notes.suspected, key: cause})
        self.keep()
        return True

    def leave_out(self, key: str, cause: str) -> None:
        """Note, for whoever goes on with this work too, that a clip cannot be read."""
        self._notes = replace(self._notes, unreadable={**self._notes.unreadable, key: cause})
        self.keep()

    def lose(self, key: str, span: Span) -> None:
        """Note, with the next `keep`, that a part of a clip could not be decoded; twice is harmless."""
        lost = union([*self.lost(key), span])
        self._notes = replace(self._notes, lost={**self._notes.lost, key: lost})

    def keep(self) -> None:
        """Write down what was noted."""
        if self._notes == self._noted:
            return
        self._write(_NOTES, json.dumps(asdict(self._notes)))
        self._noted = self._notes

    @property
    def finished(self) -> Finished | None:
        """What `finish` noted; None where nothing has come to its end."""
        try:
            said = parse((self.folder / _FINISHED).read_bytes())
        except OSError:
            return None
        return said if isinstance(said, Finished) else None

    def finish(self, made: Finished) -> None:
        """Note that every file stands, here or in its place: from now on nobody makes them again."""
        self._write(_FINISHED, write(made))

    def clear(self) -> None:
        """Keep nothing but the note: whoever has to tell the records may be killed before they know."""
        for path in self.folder.iterdir():
            if path.name not in {_FINGERPRINT, _FINISHED}:
                path.unlink()

    def drop(self, name: str) -> None:
        """Remove a file, or a folder of files, that was begun and is not to be placed; harmless where there is none."""
        path = self.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

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
        """Nothing here is needed any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, content: str) -> None:
        part = self.folder / f"{name}{PART_SUFFIX}"
        part.write_text(content, encoding="utf-8")
        part.replace(self.folder / name)


@dataclass(frozen=True, slots=True)
class _Notes:
    """What earlier attempts have found; all by the keys of clips."""

    unreadable: Mapping[str, str] = field(default_factory=dict)
    suspected: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)


def _read_notes(folder: Path) -> _Notes:
    try:
        content = json.loads((folder / _NOTES).read_bytes())
        return _Notes(
            {str(key): str(cause) for key, cause in content["unreadable"].items()},
            {str(key): str(cause) for key, cause in content["suspected"].items()},
            {
                str(key): tuple((float(begin), float(end)) for begin, end in spans)
                for key, spans in content["lost"].items()
            },
        )
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return _Notes()


def composition(folder: Path, brief: Brief) -> str:
    """The fingerprint of the film that composing this recording gives."""
    journals = [(segment / JOURNAL_NAME).read_bytes() for segment in segment_folders(folder)]
    return _fingerprint(brief, *journals, *map(_sizes, segment_folders(folder)))


def conversion(source: Path, brief: Brief) -> str:
    """The fingerprint of the film that converting this file gives; nobody writes to it any more."""
    there = source.stat()
    return _fingerprint(brief, f"{there.st_size} {there.st_mtime_ns}".encode())


def _fingerprint(brief: Brief, *of: bytes) -> str:
    digest = hashlib.sha256(f"{_PROGRAM}\n".encode() + write_brief(brief))
    for each in of:
        digest.update(each)
    return digest.hexdigest()


def _sizes(segment: Path) -> bytes:
    sizes = {path.name: path.stat().st_size for path in sorted(segment.iterdir())}
    return json.dumps([segment.name, sizes]).encode()
