"""Work on many recordings, of which one that makes no sense or has no luck keeps none of the others back."""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Final, TypeVar

import structlog

from errors import Problem

# Where so many fail it is no single recording's fault; the rest are counted alone.
_MOST_TOLD: Final = 100
_OURS: Final = Path(__file__).resolve().parents[1]

_log = structlog.get_logger(__name__)
Result = TypeVar("Result")


class Apart:
    """Of one step of the work: what goes wrong with a recording is counted each time, and logged when it is news.

    A database that does not answer (Problem) is everybody's, and passes.
    """

    def __init__(self, step: str) -> None:
        self.step = step
        self.failures = 0  # since the start
        self._told: set[tuple[str, str]] = set()

    @contextmanager
    def one(self, recording_id: str) -> Iterator[None]:
        """What is wrong inside is this recording's own."""
        try:
            yield
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others have nothing to do with it
            self.note(recording_id, error)

    async def many(
        self, recording_ids: Sequence[str], work: Callable[[Sequence[str]], Awaitable[Sequence[Result]]]
    ) -> Sequence[Result]:
        """What comes of all at once; where that goes wrong, of each half by itself, down to whose fault it is."""
        try:
            return await work(recording_ids)
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001 - the same
            if len(recording_ids) == 1:
                self.note(recording_ids[0], error)
                return []
        half = len(recording_ids) // 2
        return [
            result
            for ids in (recording_ids[:half], recording_ids[half:])
            for result in await self.many(ids, work)
        ]

    def note(self, recording_id: str, error: Exception) -> None:
        """Something went wrong with it."""
        self.failures += 1
        news = (recording_id, _reason(error))
        if news in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told.add(news)
        _log.error("recording_not_kept", step=self.step, recording_id=recording_id, error=news[1])


def _reason(error: Exception) -> str:
    """What kind of error, and where; not its words, in which there may be what people have written."""
    places = [frame for frame in extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    kind = type(error).__name__
    return f"{kind} at {Path(places[-1].filename).relative_to(_OURS)}:{places[-1].lineno}" if places else kind


def _is_ours(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(_OURS) and not path.is_relative_to(sys.prefix)
