"""An agenda's items: each line of it is one. Pure."""

from typing import Final

# What a person follows in an evening, and what a list on a telephone holds.
MOST_ITEMS: Final = 50
ITEM_LENGTH: Final = 200


def agenda_items(agenda: str | None) -> tuple[str, ...]:
    """The items in their order, each on one line of at most ITEM_LENGTH characters."""
    lines = (" ".join(line.split()) for line in (agenda or "").splitlines())
    return tuple(line[:ITEM_LENGTH] for line in lines if line)[:MOST_ITEMS]
