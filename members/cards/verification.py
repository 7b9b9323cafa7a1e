"""Checks cards link by link, pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from members.cards.chain import FIRST, entry_hash
from members.cards.models import CardEntry, CardHead


class Fault(StrEnum):
    """What is wrong with a link."""

    ENTRY_MISSING = "entry_missing"  # the sequence has a gap
    ENTRY_CHANGED = "entry_changed"  # its hash is not that of what it says
    CHAIN_BROKEN = "chain_broken"  # it does not name the hash of the one before
    END_MISSING = "end_missing"  # the card ends before (or after) where its head says


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first fault of a member's card."""

    member_id: str
    sequence: int
    fault: Fault

    def __str__(self) -> str:
        return f"member {self.member_id}, entry {self.sequence}: {self.fault.value}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found."""

    cards: int
    entries: int
    broken: tuple[BrokenLink, ...]


def first_fault(member_id: str, entries: Iterable[CardEntry], head: CardHead | None) -> BrokenLink | None:
    """The first fault of one card, its entries given in order of sequence; None when all is well."""
    expected, previous = 1, FIRST
    for entry in entries:
        if entry.sequence != expected:
            return BrokenLink(member_id, expected, Fault.ENTRY_MISSING)
        if entry.previous_hash != previous:
            return BrokenLink(member_id, expected, Fault.CHAIN_BROKEN)
        if entry_hash(entry) != entry.hash:
            return BrokenLink(member_id, expected, Fault.ENTRY_CHANGED)
        expected, previous = expected + 1, entry.hash
    if head is None or (head.sequence, head.hash) != (expected - 1, previous):
        return BrokenLink(member_id, expected, Fault.END_MISSING)
    return None
