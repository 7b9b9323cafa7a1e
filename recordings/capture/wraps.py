"""Numbers that wrap, as RTP's timestamps do."""


class Unwrapper:
    """Turns numbers that wrap at `bits` into ones that do not: each is the one nearest to the newest before it.

    The first number stays as it is, so an earlier one that comes late may be negative.
    """

    def __init__(self, bits: int) -> None:
        self._half = 1 << bits - 1
        self._mask = (1 << bits) - 1
        self._newest: int | None = None

    def unwrap(self, number: int) -> int:
        """The whole number; remembers it when it is the highest so far."""
        whole = self.peek(number)
        self.remember(whole)
        return whole

    def peek(self, number: int) -> int:
        """The same without remembering."""
        newest = self._newest
        if newest is None:
            return number
        return newest + ((number - newest + self._half) & self._mask) - self._half

    def remember(self, whole: int) -> None:
        """What `peek` answered is there, and the newest if it is the highest so far."""
        if self._newest is None or whole > self._newest:
            self._newest = whole
