"""What signaling counts; web's /metrics reads it."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SignalingStatistics:
    """A copy of the counters at one moment.

    `events` by (namespace, event name), `refusals` by code, `dropped` by reason (malformed_packet, binary_packet,
    not_connected, slow_client, flood, anonymous), `connections` by namespace (now), `sessions` by state (now).
    """

    events: dict[tuple[str, str], int]
    refusals: dict[str, int]
    dropped: dict[str, int]
    connections: dict[str, int]
    sessions: dict[str, int]


@dataclass
class Counters:
    """The live counters: one object for a Signaling, incremented on the asyncio thread only."""

    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
