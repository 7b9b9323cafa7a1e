"""SDP in: total functions from a device's text to an Offer. aiortc's parser does the reading.

aiortc reads what its own peers write, and raises whatever comes of anything else; so the lines it does not need are
left out before (candidates: an ICE-lite server uses none), and what it raises becomes a Problem. This file and
answer.py are the only ones that know aiortc.sdp; tests/signaling/test_streams_sdp.py holds what they need of it.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from aiortc.sdp import MediaDescription, SessionDescription

from signaling.streams.offer import IceIdentity, Offer, Section, malformed, unacceptable

# Chromium's offer of a camera and a microphone has some 250 lines; the bounds keep aiortc's searches in lines short.
MAX_BYTES: Final = 64 * 1024
MAX_LINES: Final = 1000
MAX_SECTIONS: Final = 8

PROFILE: Final = "UDP/TLS/RTP/SAVPF"
NEEDED: Final = frozenset(
    [
        "group",
        "mid",
        "sendonly",
        "recvonly",
        "sendrecv",
        "inactive",
        "rtpmap",
        "fmtp",
        "rtcp-fb",
        "extmap",
        "setup",
        "fingerprint",
        "ice-ufrag",
        "ice-pwd",
        "ssrc",
        "ssrc-group",
        "rtcp-mux",
    ]
)
_LINE: Final = re.compile(r"([a-z])=(.*)")
_RID: Final = re.compile(r"([A-Za-z0-9_-]{1,16}) send(?: (.*))?")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")


def parse_offer(text: str) -> Offer:
    """The offer; Problem malformed_sdp or unacceptable_sdp, with the line that is at fault."""
    groups = _grouped(_lines(text))
    described = _described(groups)
    bundle = {str(item) for group in described.group if group.semantic == "BUNDLE" for item in group.items}
    sections = tuple(
        _section(media, groups[index + 1], bundle) for index, media in enumerate(described.media)
    )
    if len({section.mid for section in sections}) != len(sections):
        raise malformed("a=mid", "must differ in every section")
    alive = [
        (media, section)
        for media, section in zip(described.media, sections, strict=True)
        if not section.rejected and section.kind in {"audio", "video"}
    ]
    if not alive:
        raise unacceptable("m=", "offers neither audio nor video")
    _require_one_transport(alive)
    first = alive[0][0]
    return Offer(sections, _ice(first), _dtls(first), _mixed(groups))


def _mixed(groups: list[list[str]]) -> bool:
    """Said of the session, or of every section; aiortc's parser does not know the line."""
    session, *sections = ["a=extmap-allow-mixed" in group for group in groups]
    return session or all(sections)


def _lines(text: str) -> list[str]:
    if len(text.encode()) > MAX_BYTES:
        raise malformed("v=", "is too long")
    lines = [line.strip("\r") for line in text.split("\n")]
    lines = [line for line in lines if line]
    if not lines or lines[0] != "v=0":
        raise malformed("v=", "must come first")
    if len(lines) > MAX_LINES:
        raise malformed("v=", "has too many lines")
    for line in lines:
        if not _LINE.fullmatch(line) or not line.isprintable():
            raise malformed(line[:20] if line.isprintable() else "", "is not a line of SDP")
    return lines


def _grouped(lines: Iterable[str]) -> list[list[str]]:
    """The session's lines, then those of each m-section."""
    groups: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            groups.append([])
        groups[-1].append(line)
    if len(groups) - 1 > MAX_SECTIONS:
        raise unacceptable("m=", f"more than {MAX_SECTIONS} sections")
    return groups


def _described(groups: list[list[str]]) -> SessionDescription:
    kept = [line for group in groups for line in map(_simplified, _mapped(group)) if line is not None]
    try:
        return SessionDescription.parse("\r\n".join([*kept, ""]))
    except Exception as error:  # noqa: BLE001 - it raises AssertionError, KeyError, StopIteration ..., as it comes
        raise malformed("", f"cannot be read ({type(error).__name__})") from None


def _mapped(group: list[str]) -> list[str]:
    """Without parameters of codecs that have no `a=rtpmap`: static payload types need none, and aiortc looks for it."""
    named = {line[9:].partition(" ")[0] for line in group if line.startswith("a=rtpmap:")}
    return [line for line in group if not line.startswith("a=fmtp:") or line[7:].partition(" ")[0] in named]


def _simplified(line: str) -> str | None:
    """A line as aiortc takes it, or None for one it need not see."""
    if line[0] in "votsm":
        return line
    name, _, value = line[2:].partition(":")
    if line[0] != "a" or name not in NEEDED:
        return None
    if name == "extmap":
        return "a=extmap:" + " ".join(value.split()[:2])  # without extension attributes (RFC 8285 section 5)
    if name == "fmtp":
        return "a=fmtp:" + re.sub(r";\s*", ";", value).rstrip(";")
    if name == "ssrc" and ":" not in value:
        return f"{line}:"  # `a=ssrc:1 cname` without a value is allowed (RFC 5576 section 4.1)
    return line


def _section(media: MediaDescription, lines: list[str], bundle: set[str]) -> Section:
    mid = media.rtp.muxId
    rejected = media.port == 0 and mid not in bundle  # a bundled one may have port 0 (bundle-only, RFC 9143)
    if not _TOKEN.fullmatch(mid):
        raise malformed("a=mid", "must be 1 to 16 letters and digits in every section")
    order = {str(payload_type): place for place, payload_type in enumerate(media.fmt)}
    codecs = [codec for codec in media.rtp.codecs if str(codec.payloadType) in order]
    codecs.sort(key=lambda codec: order[str(codec.payloadType)])
    repairs = {
        int(group.items[0]): int(group.items[1])
        for group in media.ssrc_group
        if group.semantic == "FID" and len(group.items) == 2  # noqa: PLR2004 - a stream and its repair
    }
    simulcast = next((group.items for group in media.ssrc_group if group.semantic == "SIM"), None)
    own = [one.ssrc for one in media.ssrc if one.ssrc not in repairs.values()]
    return Section(
        kind=media.kind,
        profile=media.profile,
        formats=tuple(str(one) for one in media.fmt),
        mid=mid,
        direction=media.direction or "sendrecv",
        rejected=rejected,
        bundled=mid in bundle,
        codecs=tuple(_codec(codec) for codec in codecs),
        extensions={extension.uri: extension.id for extension in media.rtp.headerExtensions},
        ssrcs=tuple(int(one) for one in simulcast) if simulcast else tuple(own),
        simulcast=simulcast is not None and media.kind == "video",
        repairs=repairs,
        rids=_rids(lines),
    )


def _codec(codec: Any) -> dict[str, Any]:
    return {
        "mimeType": codec.mimeType,
        "payloadType": codec.payloadType,
        "clockRate": codec.clockRate,
        "channels": codec.channels,
        "parameters": {key.strip(): value for key, value in codec.parameters.items()},
        "rtcpFeedback": [{"type": one.type, "parameter": one.parameter or ""} for one in codec.rtcpFeedback],
    }


def _rids(lines: list[str]) -> tuple[str, ...]:
    """The simulcast layers that are sent, lowest first where their restrictions say so, else as they stand.

    OBS 32 says nothing of sizes, and numbers its layers from the largest on. aiortc's parser does not know RFC 8851 and
    RFC 8853. Paused layers (`~`) and alternatives (`,`) count by their name.
    """
    restrictions: dict[str, int] = {}
    for line in lines:
        found = _RID.fullmatch(line.removeprefix("a=rid:")) if line.startswith("a=rid:") else None
        if found:
            restrictions[found[1]] = _size(found[2] or "")
    simulcast = next((line for line in lines if line.startswith("a=simulcast:")), "")
    words = simulcast.removeprefix("a=simulcast:").split()
    if "send" not in words[:-1]:
        return ()
    listed = words[words.index("send") + 1].split(";")
    rids = [each.split(",")[0].lstrip("~") for each in listed]
    if any(rid not in restrictions for rid in rids) or len(set(rids)) != len(rids):
        raise malformed("a=simulcast", "names layers that no a=rid describes")
    if all(restrictions[rid] for rid in rids):
        rids.sort(key=restrictions.__getitem__)
    elif rids == [str(number) for number in range(len(rids))]:
        rids.reverse()
    return tuple(rids)


def _size(restrictions: str) -> int:
    """How large a layer may be: pixels where it says a width, else bits a second; 0 where it says neither."""
    given = dict(part.partition("=")[::2] for part in restrictions.split(";"))
    for name in ("max-width", "max-br"):
        value = given.get(name, "")
        if value.isascii() and value.isdigit() and len(value) <= 10:  # noqa: PLR2004 - ten digits are enough
            return int(value)
    return 0


def _require_one_transport(alive: list[tuple[MediaDescription, Section]]) -> None:
    """RFC 9725 section 4.4: BUNDLE and rtcp-mux are a must."""
    for media, section in alive:
        if section.profile != PROFILE:
            raise unacceptable("m=", f"the profile must be {PROFILE}")
        if not media.rtcp_mux:
            raise unacceptable("a=rtcp-mux", "is needed")
        if len(alive) > 1 and not section.bundled:
            raise unacceptable("a=group:BUNDLE", "must name every section")


def _ice(media: MediaDescription) -> IceIdentity:
    ice = media.ice
    if ice is None or not ice.usernameFragment or not ice.password:
        raise unacceptable("a=ice-ufrag", "and a=ice-pwd are needed")
    return IceIdentity(ice.usernameFragment, ice.password)


def _dtls(media: MediaDescription) -> dict[str, Any]:
    if media.dtls is None or not media.dtls.fingerprints:
        raise unacceptable("a=fingerprint", "and a=setup are needed")
    return {
        # Whoever leaves it to us is the client, so that he begins when he is ready. FFmpeg offers to be the server.
        "role": "server" if media.dtls.role == "server" else "client",
        "fingerprints": [{"algorithm": f.algorithm, "value": f.value} for f in media.dtls.fingerprints],
    }
