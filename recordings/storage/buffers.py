"""Memory that pieces of films are read into, lent again: fresh memory costs more than what is read into it."""

from typing import Final

from recordings.storage.store import CHUNK_BYTES

# As many as are filled at the same moment; who waits for a slow line holds his own meanwhile.
MOST_SPARE: Final = 8


class Buffers:
    """Of CHUNK_BYTES each. Not for several threads."""

    def __init__(self) -> None:
        self._spare: list[bytearray] = []

    def lend(self) -> bytearray:
        """One that nobody reads; what stood in it may still."""
        return self._spare.pop() if self._spare else bytearray(CHUNK_BYTES)

    def take_back(self, buffer: bytearray) -> None:
        """Keep it for the next, unless somebody still holds a part of it: then it is his for good."""
        try:
            buffer.append(0)  # BufferError while any view of it is left
        except BufferError:
            return
        buffer.pop()
        if len(self._spare) < MOST_SPARE:
            self._spare.append(buffer)
