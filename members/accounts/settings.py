"""What an operator may choose about accounts."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """Lifetimes, limits and the price of a password guess."""

    session_idle: timedelta = timedelta(days=7)
    """A session ends this long after its last use; people of seventy should not sign in every day."""

    session_lifetime: timedelta = timedelta(days=60)
    """A session ends this long after signing in, used or not."""

    attempts_per_account: int = 10
    """Wrong passwords for one account in a row before the next must wait."""

    account_recovery: timedelta = timedelta(minutes=1)
    """The time after which an account gets one more attempt; also the longest that a guesser can keep its owner out."""

    attempts_per_source: int = 60
    """Wrong passwords from one address in a row: a reading room's twenty PCs share one."""

    source_recovery: timedelta = timedelta(seconds=10)

    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65_536
    """RFC 9106 section 4, second recommended option (64 MiB, 3 passes); about 60 ms a hash here."""

    hashing_at_once: int = 2
    """Passwords hashed at the same moment; bounds memory to this many times `argon2_memory_kib`."""

    hashing_queue: int = 100
    """Sign-ins that may wait for their turn; further ones are told to come back."""
