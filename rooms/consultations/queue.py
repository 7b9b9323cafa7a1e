"""The rules of the queue, pure: who is next, where one stands, how long it will take.

First come, first served within a service; a ticket that an expert called and lost goes before all others. Priorities
and hand-overs to a second expert will find their place in `order`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

TYPICAL_SECONDS: Final = 600.0
"""How long a talk is taken to last while a service has no experience of its own."""

EXPERIENCE: Final = 20
"""The last so many talks of a service tell how long the next will last."""

LEAST_SECONDS: Final = 60.0
"""Wrong numbers and slips must not make a queue look fast."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting ticket, as the order of the queue needs it."""

    id: str
    returned: bool
    created_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Desks:
    """The experts on duty for a service: how many, and how many of them are free now."""

    on_duty: int
    free: int


def order(tickets: Iterable[Waiting]) -> list[Waiting]:
    """In the order in which they will be called."""
    return sorted(
        tickets, key=lambda ticket: (not ticket.returned, ticket.created_at, ticket.number, ticket.id)
    )


def typical_seconds(durations: Sequence[float]) -> float:
    """How long a talk lasts, from the last talks of the service: their median, which one endless talk does not move."""
    return max(median(durations), LEAST_SECONDS) if durations else TYPICAL_SECONDS


def expected_wait(position: int, desks: Desks, typical: float) -> int | None:
    """Whole seconds until the ticket at `position` (from 1) is called; None while nobody is on duty.

    Free experts take the first ones at once. The others come up as talks end: with n experts one talk ends every
    typical / n seconds on average.
    """
    if desks.on_duty == 0:
        return None
    return round(max(0, position - desks.free) * typical / desks.on_duty)
