"""What clients say they can receive, kept once for all who say the same: browsers are of few kinds and many words."""

import copy
from collections import deque
from typing import Any, NamedTuple

from media.rtp import RtpCapabilities, parse_capabilities

# Of kinds met lately; who differs from all of them keeps his own.
KINDS_MOST = 32


class Said(NamedTuple):
    """A client's words, and what they mean."""

    raw: Any
    parsed: RtpCapabilities


class KnownCapabilities:
    """One for the engine: parsed, a browser's capabilities take 60 KiB, and half of the time of a consumer."""

    def __init__(self) -> None:
        self._kinds: deque[Said] = deque(maxlen=KINDS_MOST)

    def of(self, raw: Any) -> Said:
        """The words as they were first said, and parsed; InvalidMedia."""
        for said in self._kinds:
            if said.raw == raw:
                return said
        said = Said(copy.deepcopy(raw), parse_capabilities(raw))
        self._kinds.append(said)
        return said
