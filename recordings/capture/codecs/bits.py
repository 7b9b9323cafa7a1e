"""Reads the headers that are written bit by bit."""

from typing import Final

from recordings.capture.codecs.frames import Malformed

_LONGEST_EXP_GOLOMB: Final = 32


class BitReader:
    """Most significant bit first; reading beyond the end raises Malformed."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def bits(self, count: int) -> int:
        """The next `count` bits as an unsigned number."""
        if count > self._left:
            raise Malformed("a header cut off")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.bits(1) == 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb number (H.264, 9.1)."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > _LONGEST_EXP_GOLOMB:
                raise Malformed("a number without an end")
        return (1 << zeros) - 1 + self.bits(zeros)

    def se(self) -> int:
        """A signed one (9.1.1)."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)
