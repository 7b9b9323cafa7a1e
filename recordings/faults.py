"""What an error tells of its cause, be it the system's own or FFmpeg's, which has the system's number too."""

import errno
from typing import Final

# No space, no quota, no larger file allowed: all of them end when somebody makes room.
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PASSING: Final = _FULL | {errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT}
_STARVED: Final = frozenset({errno.ENOMEM, errno.EMFILE, errno.ENFILE})


def number_of(error: BaseException) -> int | None:
    """The system's number for it."""
    return getattr(error, "errno", None)


def is_full(error: BaseException) -> bool:
    """Whether there was no room for what was to be written."""
    return number_of(error) in _FULL


def passes(error: BaseException) -> bool:
    """Whether the machine was in the way, its disk or its memory, and not what was read: another attempt may go well.

    Of other numbers one never knows: FFmpeg has some of them for files that make no sense too.
    """
    return number_of(error) in _PASSING


def is_starved(error: BaseException) -> bool:
    """Whether the machine had no memory or no file to give: for what else it does, or for what was read."""
    return isinstance(error, MemoryError) or number_of(error) in _STARVED


def raise_if_starved(error: Exception) -> None:
    """Raise it again where it `is_starved`: nobody is to take what was read for broken."""
    if is_starved(error):
        raise error


def blame_machine(error: BaseException) -> None:
    """Raise it as OSError where it `passes`: whoever goes on speaks of what was read."""
    if passes(error):
        raise OSError(number_of(error), str(error)) from error
