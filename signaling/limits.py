"""How many events a connection may send: a token bucket on a clock that is passed in."""

from dataclasses import dataclass


@dataclass
class TokenBucket:
    """`burst` events at once, refilled at `rate` a second; times in seconds of one monotonic clock."""

    burst: float
    rate: float
    tokens: float
    filled_at: float

    @classmethod
    def full(cls, burst: float, rate: float, now: float) -> "TokenBucket":
        """A bucket nobody has taken from yet."""
        return cls(burst, rate, burst, now)

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost` and answer 0.0; or take nothing and answer after how many seconds it can be taken."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens >= cost:
            self.tokens -= cost
            return 0.0
        return (cost - self.tokens) / self.rate
