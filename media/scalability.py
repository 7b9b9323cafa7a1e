"""scalabilityMode of webrtc-svc: "L1T3", "L3T3_KEY", "S3T3h" -> layers."""

import re
from typing import NamedTuple

# The plane tells no more layers apart, and no browser sends more (libvpx has three of each).
_MODE = re.compile(r"^([LS])([1-4])T([1-4])(h)?(_KEY|_KEY_SHIFT)?\Z")


class Layers(NamedTuple):
    """How many spatial and temporal layers a stream has.

    `keyed`: spatial layers depend on each other in key pictures only, or not at all.
    """

    spatial: int = 1
    temporal: int = 1
    keyed: bool = False


def parse_scalability_mode(mode: str | None) -> Layers:
    """The layers; one of each for anything that is not a mode, as mediasoup reads it."""
    match = _MODE.match(mode or "")
    if match is None:
        return Layers()
    return Layers(int(match[2]), int(match[3]), keyed=match[1] == "S" or match[5] is not None)
