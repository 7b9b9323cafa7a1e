"""What the composing process says on its standard output: one JSON object a line, parsed totally."""

import json
import math
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from recordings.captions.rules import CaptionsFile
from recordings.losses import Loss, losses_in, losses_out
from recordings.renditions import Outputs, Rendition, chapters_out, outputs_in, renditions_out
from recordings.states import Failure


class Exit(IntEnum):
    """How the process ends; anything else is a crash and worth another try."""

    COMPOSED = 0
    NOT_COMPOSABLE = 3  # another try would find the same
    DISK_FULL = 4  # another try when there is room
    PUT_OFF = 5  # another try in a while


@dataclass(frozen=True, slots=True)
class Progress:
    """The share done, 0..1."""

    share: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The files stand; `failure` where something is known to be missing, `losses` say what of it was captured.

    `captions` stood in a film made elsewhere.
    """

    duration: float
    outputs: Outputs
    failure: Failure | None
    losses: tuple[Loss, ...] = ()
    captions: tuple[CaptionsFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no file; `detail` is for the log. Not every attempt counts: the machine may have been in the way."""

    failure: Failure
    detail: str
    counts: bool = True


Report = Progress | Finished | Failed


def write(report: Report) -> str:
    """One line."""
    match report:
        case Progress(share):
            content: dict[str, Any] = {"progress": round(share, 4)}
        case Finished(duration, outputs, failure, losses, captions):
            content = {
                "duration": duration,
                "renditions": renditions_out(outputs),
                "chapters": chapters_out(outputs.chapters),
                "failure": failure and failure.value,
                "losses": losses_out(losses),
                "captions": [asdict(one) for one in captions],
            }
        case Failed(failure, detail, counts):
            content = {"failed": failure.value, "detail": detail, "counts": counts}
    return json.dumps(content, ensure_ascii=False)


def parse(line: bytes) -> Report | None:
    """What a line says; None for anything that `write` does not write."""
    try:
        content = json.loads(line)
        if "progress" in content:
            share = float(content["progress"])
            return Progress(min(1.0, max(0.0, share))) if math.isfinite(share) else None
        if "failed" in content:
            return Failed(Failure(content["failed"]), str(content["detail"]), content["counts"] is not False)
        failure = Failure(content["failure"]) if content["failure"] else None
        duration = float(content["duration"])
        outputs = outputs_in(content["renditions"], content["chapters"])
        if not math.isfinite(duration) or Rendition.FILM not in outputs.sizes:
            return None
        captions = tuple(
            CaptionsFile(str(one["language"]), str(one["label"]), str(one["text"]))
            for one in content.get("captions", ())
        )
        return Finished(duration, outputs, failure, losses_in(content["losses"]), captions)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None
