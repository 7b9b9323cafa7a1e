"""Attempt limits: so many at once, then one more for each recovery time (the generic cell rate algorithm).

`MemoryLimiter` counts for one node, and forgets at a restart. With several nodes each counts for itself, so that an
attacker gets the allowance once a node; a Redis limiter with the same two methods takes its place then.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from database import Clock

MAXIMUM_KEYS: Final = 20_000
"""Keys remembered; beyond, the one longest unused is forgotten. About 4 MB."""

_IPV6_SITE_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Allowance:
    """`burst` attempts at once, then one more every `recovery`."""

    burst: int
    recovery: timedelta


class Limiter(Protocol):
    """Counts attempts by key."""

    async def spend(self, key: str, allowance: Allowance) -> float:
        """Take one attempt; 0 when there was one, else the seconds until there is."""
        ...

    async def refund(self, key: str, allowance: Allowance) -> None:
        """Give one attempt back: it was no wrong guess."""
        ...


class MemoryLimiter:
    """A limiter in this process's memory."""

    def __init__(self, clock: Clock, maximum_keys: int = MAXIMUM_KEYS) -> None:
        self._clock = clock
        self._maximum_keys = maximum_keys
        self._free_at: OrderedDict[str, float] = OrderedDict()  # when the key's whole burst is there again

    async def spend(self, key: str, allowance: Allowance) -> float:
        """Take one attempt; 0 when there was one, else the seconds until there is."""
        now = self._clock().timestamp()
        step = allowance.recovery.total_seconds()
        free_at = max(self._free_at.get(key, now), now)
        wait = free_at + step - now - allowance.burst * step
        if wait > 0:
            return wait
        self._remember(key, free_at + step)
        return 0.0

    async def refund(self, key: str, allowance: Allowance) -> None:
        """Give one attempt back."""
        free_at = self._free_at.get(key)
        if free_at is not None:
            self._remember(key, free_at - allowance.recovery.total_seconds())

    def _remember(self, key: str, free_at: float) -> None:
        if free_at <= self._clock().timestamp():
            self._free_at.pop(key, None)
            return
        self._free_at[key] = free_at
        self._free_at.move_to_end(key)
        if len(self._free_at) > self._maximum_keys:
            self._free_at.popitem(last=False)


def source_key(address: str) -> str:
    """An address as an attempt's source: an IPv6 site has 2^64 addresses and counts as one. Total."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> (128 - _IPV6_SITE_BITS):x}/64"
