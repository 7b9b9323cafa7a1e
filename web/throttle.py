"""How often one address may do what costs the house something: a token bucket each, in bounded memory."""

import math
from collections import OrderedDict
from collections.abc import Callable

from errors import Kind, Problem


class Throttle:
    """`burst` at once, then one every `seconds` seconds, for each key by itself.

    Remembers `keys` keys at most; the one longest unused is forgotten first, which can only let more
    through. `now` is a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float], *, burst: int, seconds: float, keys: int = 10_000) -> None:
        self._now = now
        self._burst = burst
        self._seconds = seconds
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one; Problem RATE_LIMITED with `retryAfter` seconds when there is none left."""
        now = self._now()
        tokens, since = self._buckets.pop(key, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - since) / self._seconds)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = math.ceil((1 - tokens) * self._seconds)
            raise Problem(Kind.RATE_LIMITED, "too_many_requests", {"retryAfter": wait})
