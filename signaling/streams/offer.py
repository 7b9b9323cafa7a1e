"""A device's SDP offer as values, already checked: what sdp.py makes of text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from errors import Kind, Problem


@dataclass(frozen=True, slots=True)
class Section:
    """One m-section. Codecs are ORTC's codec parameters, in the offer's order of preference.

    `ssrcs`: the media streams, the layers lowest first where they are `simulcast`; `repairs`: media SSRC to that of its
    retransmissions; `rids`: the simulcast layers by RID, lowest first.
    """

    kind: str
    profile: str
    formats: tuple[str, ...]
    mid: str
    direction: str
    rejected: bool
    bundled: bool
    codecs: tuple[Mapping[str, Any], ...]
    extensions: Mapping[str, int]
    ssrcs: tuple[int, ...]
    simulcast: bool
    repairs: Mapping[int, int]
    rids: tuple[str, ...]

    @property
    def sends(self) -> bool:
        """Whether the device wants to send here."""
        return not self.rejected and self.direction in {"sendonly", "sendrecv"}

    @property
    def receives(self) -> bool:
        """Whether the device wants to receive here."""
        return not self.rejected and self.direction in {"recvonly", "sendrecv"}


@dataclass(frozen=True, slots=True)
class IceIdentity:
    """The device's ICE user name fragment and password, by which an ICE restart is told from a trickle."""

    ufrag: str
    password: str


@dataclass(frozen=True, slots=True)
class Offer:
    """The whole offer; `dtls` is ORTC's dtlsParameters.

    `mixed`: long and short header extensions may stand in one stream (RFC 8285 section 6).
    """

    sections: tuple[Section, ...]
    ice: IceIdentity
    dtls: Mapping[str, Any]
    mixed: bool = False


def malformed(field: str, reason: str) -> Problem:
    """The text is not SDP as we can read it; the edge answers 400."""
    return Problem(Kind.INVALID, "malformed_sdp", {"line": field, "reason": reason})


def unacceptable(field: str, reason: str) -> Problem:
    """It is SDP, and asks for what cannot be."""
    return Problem(Kind.INVALID, "unacceptable_sdp", {"line": field, "reason": reason})
