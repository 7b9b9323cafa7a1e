"""The little SDP that drives a bare RTCPeerConnection; real clients use mediasoup-client for this."""

from collections.abc import Sequence
from typing import Any

from aiortc.sdp import MediaDescription, SessionDescription

from media.capabilities import DEPENDENCY_DESCRIPTOR, DESCRIBED_CODECS

HEAD = [
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=ice-lite",
    "a=extmap-allow-mixed",
    "a=msid-semantic:WMS *",
]


def dtls_parameters(local: SessionDescription, role: str) -> dict[str, Any]:
    """What mediasoup-client would send to connect the transport."""
    dtls = local.media[0].dtls
    assert dtls is not None
    return {
        "role": role,
        "fingerprints": [{"algorithm": f.algorithm, "value": f.value} for f in dtls.fingerprints],
    }


def rtp_parameters(media: MediaDescription, rids: Sequence[str] = ()) -> dict[str, Any]:
    """A sending m-line as rtpParameters; `rids` are the simulcast layers', which aiortc's parser does not keep."""
    return {
        "mid": media.rtp.muxId,
        "codecs": _codecs(media),
        "headerExtensions": [{"uri": e.uri, "id": e.id} for e in media.rtp.headerExtensions],
        "encodings": [{"rid": rid} for rid in rids] or [_encoding(media)],
        "rtcp": {"cname": "browser"},
    }


def answer(offer: SessionDescription, transport: dict[str, Any], setup: str, rids: Sequence[str] = ()) -> str:
    """Accept everything the browser offers to send."""
    lines = [*HEAD, "a=group:BUNDLE " + " ".join(media.rtp.muxId for media in offer.media)]
    for media in offer.media:
        codec = media.rtp.codecs[0].mimeType.lower()
        extensions = [
            {"uri": e.uri, "id": e.id}
            for e in media.rtp.headerExtensions
            # As mediasoup-client has it: whom it is answered to leaves the layers out of VP8's own descriptor.
            if e.uri != DEPENDENCY_DESCRIPTOR or codec in DESCRIBED_CODECS
        ]
        lines += _section(
            media.kind, media.rtp.muxId, "recvonly", _codecs(media), extensions, transport, setup
        )
        if rids and media.kind == "video":
            lines += [*(f"a=rid:{rid} recv" for rid in rids), "a=simulcast:recv " + ";".join(rids)]
    return _text(lines)


def offer(consumers: list[dict[str, Any]], transport: dict[str, Any]) -> str:
    """Offer the browser these consumers' rtpParameters."""
    lines = [*HEAD, "a=group:BUNDLE " + " ".join(parameters["mid"] for parameters in consumers)]
    for parameters in consumers:
        kind = parameters["codecs"][0]["mimeType"].split("/")[0]
        mid, codecs, extensions = parameters["mid"], parameters["codecs"], parameters["headerExtensions"]
        lines += _section(kind, mid, "sendonly", codecs, extensions, transport, "actpass")
        ssrc, cname = parameters["encodings"][0]["ssrc"], parameters["rtcp"]["cname"]
        lines += [f"a=msid:stream track{mid}", f"a=ssrc:{ssrc} cname:{cname}"]
        if "rtx" in parameters["encodings"][0]:
            rtx = parameters["encodings"][0]["rtx"]["ssrc"]
            lines += [f"a=ssrc:{rtx} cname:{cname}", f"a=ssrc-group:FID {ssrc} {rtx}"]
    return _text(lines)


def _codecs(media: MediaDescription) -> list[dict[str, Any]]:
    return [
        {
            "mimeType": codec.mimeType,
            "payloadType": codec.payloadType,
            "clockRate": codec.clockRate,
            "channels": codec.channels,
            "parameters": codec.parameters,
            "rtcpFeedback": [{"type": f.type, "parameter": f.parameter or ""} for f in codec.rtcpFeedback],
        }
        for codec in media.rtp.codecs
    ]


def _encoding(media: MediaDescription) -> dict[str, Any]:
    ssrc = media.ssrc[0].ssrc
    retransmission = [g.items[1] for g in media.ssrc_group if g.semantic == "FID" and g.items[0] == ssrc]
    return {"ssrc": ssrc, "rtx": {"ssrc": retransmission[0]}} if retransmission else {"ssrc": ssrc}


def _section(
    kind: str,
    mid: str,
    direction: str,
    codecs: list[dict[str, Any]],
    extensions: list[dict[str, Any]],
    transport: dict[str, Any],
    setup: str,
) -> list[str]:
    ice, fingerprint = transport["iceParameters"], transport["dtlsParameters"]["fingerprints"][0]
    lines = [
        f"m={kind} 7 UDP/TLS/RTP/SAVPF " + " ".join(str(codec["payloadType"]) for codec in codecs),
        "c=IN IP4 127.0.0.1",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=ice-ufrag:{ice['usernameFragment']}",
        f"a=ice-pwd:{ice['password']}",
        f"a=fingerprint:{fingerprint['algorithm']} {fingerprint['value']}",
        f"a=setup:{setup}",
    ]
    for codec in codecs:
        channels = "/2" if codec.get("channels") == 2 else ""
        payload_type, name = codec["payloadType"], codec["mimeType"].split("/")[1]
        lines.append(f"a=rtpmap:{payload_type} {name}/{codec['clockRate']}{channels}")
        if codec["parameters"]:
            fmtp = ";".join(
                name if value is None else f"{name}={value}" for name, value in codec["parameters"].items()
            )
            lines.append(f"a=fmtp:{payload_type} {fmtp}")
        lines += [
            f"a=rtcp-fb:{payload_type} {f['type']} {f['parameter']}".rstrip() for f in codec["rtcpFeedback"]
        ]
    lines += [f"a=extmap:{extension['id']} {extension['uri']}" for extension in extensions]
    lines += [
        f"a=candidate:{c['foundation']} 1 {c['protocol']} {c['priority']} {c['ip']} {c['port']} typ host"
        + (f" tcptype {c['tcpType']}" if "tcpType" in c else "")
        for c in transport["iceCandidates"]
    ]
    return [*lines, "a=end-of-candidates"]


def _text(lines: list[str]) -> str:
    return "\r\n".join([*lines, ""])
