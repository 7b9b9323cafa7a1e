"""The "are you still there?" prompts of a recording that asks them: when one is due, and when counting stops. Pure.

The server makes the prompt and waits for its answer; the page only shows it. What is watched while it waits counts, up
to its deadline; after that nothing counts until it is answered, however late.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

# Long enough to come back from the kettle, short enough that nobody sleeps through a lecture.
PATIENCE: Final = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Attention:
    """`unasked`: seconds on the wall spent watching since the last answer. `prompt`: the one that is open."""

    unasked: float = 0.0
    prompt: str | None = None
    prompted_at: datetime | None = None

    @property
    def deadline(self) -> datetime | None:
        """Until when what is watched counts without an answer."""
        return self.prompted_at + PATIENCE if self.prompted_at is not None else None

    def stopped(self, now: datetime) -> bool:
        """Whether nothing counts any more until the prompt is answered."""
        return self.deadline is not None and now > self.deadline


def countable(attention: Attention, since: datetime, now: datetime) -> float:
    """How many of the seconds between two reports may count."""
    until = min(now, attention.deadline) if attention.deadline is not None else now
    return max(0.0, (until - since).total_seconds())


def watched(
    attention: Attention, seconds: float, every: timedelta | None, prompt: str, now: datetime
) -> Attention:
    """After `seconds` on the wall more; asks with the name `prompt` when `every` is full. None: never ask."""
    if every is None:
        return Attention()
    if attention.prompt is not None:
        return attention
    unasked = attention.unasked + max(0.0, seconds)
    if unasked < every.total_seconds():
        return replace(attention, unasked=unasked)
    return Attention(unasked, prompt, now)


def answered(attention: Attention, prompt: str) -> Attention:
    """After an answer; one to another prompt than the open one changes nothing."""
    return Attention() if attention.prompt is not None and prompt == attention.prompt else attention
