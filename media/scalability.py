"""scalabilityMode of webrtc-svc: "L1T3", "L3T3_KEY", "S3T3h" -> layers."""

import re
from typing import NamedTuple

_MODE = re.compile(r"^[LS]([1-9])T([1-9])(h)?(_KEY|_KEY_SHIFT)?$")


class Layers(NamedTuple):
    """How many spatial and temporal layers a stream has."""

    spatial: int = 1
    temporal: int = 1


def parse_scalability_mode(mode: str | None) -> Layers:
    """The layers; one of each for anything that is not a mode, as mediasoup reads it."""
    match = _MODE.match(mode or "")
    return Layers(int(match[1]), int(match[2])) if match else Layers()
