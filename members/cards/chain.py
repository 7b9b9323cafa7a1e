"""The chain of a card, pure: what an entry's hash covers."""

import hashlib
import json
from datetime import UTC
from typing import Final

from members.cards.models import HASH_LENGTH, CardEntry

FIRST: Final = "0" * HASH_LENGTH
"""What the first entry of every card names as the hash before it."""


def entry_hash(entry: CardEntry) -> str:
    """SHA-256 over the canonical JSON of everything the entry says, the previous hash among it."""
    said = {
        "id": entry.id,
        "memberId": entry.member_id,
        "sequence": entry.sequence,
        "kind": entry.kind.value,
        "occurredAt": entry.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "durationSeconds": entry.duration_seconds,
        "organizationId": entry.organization_id,
        "organizationName": entry.organization_name,
        "title": entry.title,
        "source": entry.source,
        "reference": entry.reference,
        "writtenBy": entry.written_by,
        "writtenAt": entry.written_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "refersTo": entry.refers_to,
        "details": entry.details,
        "previousHash": entry.previous_hash,
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
