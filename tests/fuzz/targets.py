"""What each parser's inputs are thrown at."""

import random
from collections import Counter
from types import ModuleType
from typing import Protocol

from tests.fuzz.checks import Checks
from tests.fuzz.conference import Conference
from tests.fuzz.wire import Wire


class Target(Protocol):
    """Made anew for each round. What it finds wrong is an AssertionError, if no sanitizer says it before."""

    def feed(self, data: bytes) -> None:
        """One input."""

    def close(self) -> Counter[str]:
        """Why packets were dropped."""


def target_for(parser: str, plane: ModuleType, dice: random.Random) -> Target:
    """The one that the parser is part of."""
    if parser == "framing":
        return Wire(plane, dice)
    return Checks(plane, dice) if parser == "stun" else Conference(plane, dice)
