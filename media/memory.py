"""Giving memory back to the system that the C library keeps in pieces between what is in use."""

import ctypes


def give_back() -> None:
    """For a thread: looks through the whole heap, a millisecond for some hundred megabytes, without the GIL."""
    # glibc's; other C libraries have no such thing and need it less.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
