"""What a PATCH carries: `application/trickle-ice-sdpfrag` (RFC 8840 section 9)."""

from typing import Final

from signaling.streams.offer import IceIdentity, malformed

MAX_BYTES: Final = 16 * 1024
MAX_LINES: Final = 200


def parse_fragment(text: str) -> IceIdentity:
    """Whose candidates these are; Problem malformed_sdp. The candidates themselves a lite agent has no use for."""
    lines = [line.strip("\r") for line in text.split("\n")]
    if len(text.encode()) > MAX_BYTES or len(lines) > MAX_LINES:
        raise malformed("a=candidate", "is too long")
    found: dict[str, str] = {}
    for line in (line for line in lines if line):
        if len(line) < 2 or line[1] != "=" or not line.isprintable():  # noqa: PLR2004 - a letter and "="
            raise malformed(line[:20] if line.isprintable() else "", "is not a line of SDP")
        name, _, value = line[2:].partition(":")
        if name in {"ice-ufrag", "ice-pwd"}:
            found.setdefault(name, value)
    if not found.get("ice-ufrag") or not found.get("ice-pwd"):
        raise malformed("a=ice-ufrag", "and a=ice-pwd are needed")
    return IceIdentity(found["ice-ufrag"], found["ice-pwd"])
