"""Activity cards: a member's append-only record.

The invariant: an entry is never changed or removed, and each carries the SHA-256 of itself and the one before, so
that whatever is done to the tables behind the program's back shows. A correction is a further entry.
"""

from members.cards.entries import CardEntryView, NewEntry
from members.cards.models import CardEntry, CardEntryKind
from members.cards.service import Cards
from members.cards.verification import BrokenLink, Fault, Verification

__all__ = [
    "BrokenLink",
    "CardEntry",
    "CardEntryKind",
    "CardEntryView",
    "Cards",
    "Fault",
    "NewEntry",
    "Verification",
]
