"""SDP out: the answer to a device's offer, section by section; and the fragment that answers an ICE restart.

aiortc writes the sections. What its writer does not know (RFC 8853's simulcast, reduced-size RTCP) is added behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceCandidate, RTCIceParameters
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
)
from aiortc.sdp import GroupDescription, MediaDescription, SessionDescription, candidate_to_sdp

from signaling.streams.negotiation import Accepted
from signaling.streams.offer import Offer, Section

ICE_OPTIONS: Final = "trickle ice2"  # the same in the answer and after a restart (RFC 9725 section 4.3.3)
NOWHERE: Final = "0.0.0.0"  # noqa: S104 - what trickle ICE writes for "see the candidates" (RFC 8840 section 4.1.1)
DISCARD: Final = 9


@dataclass(frozen=True, slots=True)
class Line:
    """How one accepted section is answered: `direction` is ours."""

    accepted: Accepted
    direction: str
    rids: Sequence[str] = ()
    extra: Sequence[str] = field(default=())


def answer(offer: Offer, lines: Mapping[str, Line], transport: Mapping[str, Any], session_number: int) -> str:
    """Take the sections of `lines` (by MID) and refuse the others; `transport` is mediasoup's transport options."""
    described = SessionDescription()
    described.origin = f"- {session_number} 1 IN IP4 127.0.0.1"
    taken = [section for section in offer.sections if section.mid in lines]
    described.group = [GroupDescription("BUNDLE", [section.mid for section in taken])]
    described.msid_semantic = [GroupDescription("WMS", ["*"])]
    role = "client" if offer.dtls["role"] == "server" else "server"
    described.media = [_media(section, lines.get(section.mid), transport, role) for section in offer.sections]
    head = str(described).partition("m=")[0]
    head += f"a=ice-options:{ICE_OPTIONS}\r\n" + ("a=extmap-allow-mixed\r\n" if offer.mixed else "")
    sections = []
    for section, media in zip(offer.sections, described.media, strict=True):
        line = lines.get(section.mid)
        text = (
            str(media)
            if line is not None
            else f"m={section.kind} 0 {section.profile} {_formats(section)}\r\n"
        )
        sections.append(text + "".join(f"{one}\r\n" for one in _added(section, line)))
    return head + "".join(sections)


def restart_fragment(
    ice: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]], section: Section
) -> str:
    """The body that answers an ICE restart (RFC 9725 section 4.3.3, RFC 8840); `section` is the bundle's first."""
    return "\r\n".join(
        [
            "a=ice-lite",
            f"a=ice-options:{ICE_OPTIONS}",
            f"a=group:BUNDLE {section.mid}",
            f"m={section.kind} {DISCARD} {section.profile} {_formats(section)}",
            f"a=mid:{section.mid}",
            f"a=ice-ufrag:{ice['usernameFragment']}",
            f"a=ice-pwd:{ice['password']}",
            *(f"a=candidate:{candidate_to_sdp(_candidate(one))}" for one in candidates),
            "a=end-of-candidates",
            "",
        ]
    )


def _media(
    section: Section, line: Line | None, transport: Mapping[str, Any], dtls_role: str
) -> MediaDescription:
    media = MediaDescription(section.kind, DISCARD, section.profile, [])
    ice, dtls = transport["iceParameters"], transport["dtlsParameters"]
    media.ice = RTCIceParameters(ice["usernameFragment"], ice["password"], iceLite=True)
    if line is None:
        return media
    media.fmt = [codec.payload_type for codec in line.accepted.codecs]
    media.host, media.direction = NOWHERE, line.direction
    media.rtcp_port, media.rtcp_host, media.rtcp_mux = DISCARD, NOWHERE, True
    media.rtp.muxId = section.mid
    media.rtp.codecs = [
        RTCRtpCodecParameters(
            mimeType=codec.mime_type,
            clockRate=codec.clock_rate,
            channels=codec.channels,
            payloadType=codec.payload_type,
            rtcpFeedback=[RTCRtcpFeedback(one.type, one.parameter or None) for one in codec.rtcp_feedback],
            parameters={key: str(value) if value != "" else None for key, value in codec.parameters.items()},
        )
        for codec in line.accepted.codecs
    ]
    media.rtp.headerExtensions = [
        RTCRtpHeaderExtensionParameters(id=number, uri=uri)
        for uri, number in line.accepted.extensions.items()
    ]
    media.dtls = RTCDtlsParameters(
        [RTCDtlsFingerprint(one["algorithm"], one["value"]) for one in dtls["fingerprints"]], role=dtls_role
    )
    media.ice_candidates = [_candidate(one) for one in transport["iceCandidates"]]
    media.ice_candidates_complete = True
    return media


def _added(section: Section, line: Line | None) -> list[str]:
    if line is None:
        return [f"c=IN IP4 {NOWHERE}", f"a=mid:{section.mid}", "a=inactive"]
    added = ["a=rtcp-rsize", *line.extra]
    if line.rids:
        added += [*(f"a=rid:{rid} recv" for rid in line.rids), "a=simulcast:recv " + ";".join(line.rids)]
    return added


def _formats(section: Section) -> str:
    return " ".join(section.formats)


def _candidate(one: Mapping[str, Any]) -> RTCIceCandidate:
    return RTCIceCandidate(
        component=1,
        foundation=str(one["foundation"]),
        ip=str(one["ip"]),
        port=int(one["port"]),
        priority=int(one["priority"]),
        protocol=str(one["protocol"]),
        type=str(one["type"]),
        tcpType=one.get("tcpType"),
    )
