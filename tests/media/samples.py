"""rtpParameters and rtpCapabilities as browsers' mediasoup-client sends them."""

from typing import Any

from media.capabilities import router_capabilities

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

FEEDBACK = [
    {"type": "goog-remb", "parameter": ""},
    {"type": "transport-cc", "parameter": ""},
    {"type": "ccm", "parameter": "fir"},
    {"type": "nack", "parameter": ""},
    {"type": "nack", "parameter": "pli"},
]


def microphone(ssrc: int = 1_111) -> dict[str, Any]:
    """Opus from Chromium."""
    return {
        "mid": "0",
        "codecs": [
            {
                "mimeType": "audio/opus",
                "payloadType": 111,
                "clockRate": 48_000,
                "channels": 2,
                "parameters": {"minptime": 10, "useinbandfec": 1},
                "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}],
            }
        ],
        "headerExtensions": [
            {"uri": MID, "id": 4, "encrypt": False, "parameters": {}},
            {"uri": AUDIO_LEVEL, "id": 1, "encrypt": False, "parameters": {}},
        ],
        "encodings": [{"ssrc": ssrc, "dtx": False}],
        "rtcp": {"cname": "abc", "reducedSize": True},
    }


def camera(
    mime_type: str = "video/VP8", parameters: dict[str, str | int] | None = None, *, ssrc: int = 2_222
) -> dict[str, Any]:
    """One encoding with RTX."""
    return {
        "mid": "1",
        "codecs": [
            {
                "mimeType": mime_type,
                "payloadType": 96,
                "clockRate": 90_000,
                "parameters": dict(parameters or {}),
                "rtcpFeedback": FEEDBACK,
            },
            {
                "mimeType": "video/rtx",
                "payloadType": 97,
                "clockRate": 90_000,
                "parameters": {"apt": 96},
                "rtcpFeedback": [],
            },
        ],
        "headerExtensions": [{"uri": MID, "id": 4}, {"uri": TRANSPORT_CC, "id": 3}],
        "encodings": [{"ssrc": ssrc, "rtx": {"ssrc": ssrc + 1}, "dtx": False}],
        "rtcp": {"cname": "abc", "reducedSize": True},
    }


def simulcast_camera() -> dict[str, Any]:
    """Three RIDs, no SSRCs."""
    parameters = camera()
    parameters["encodings"] = [
        {"rid": f"r{i}", "scalabilityMode": "L1T3", "maxBitrate": 100_000} for i in range(3)
    ]
    return parameters


def everything() -> dict[str, Any]:
    """The capabilities of a client that can do all the router can."""
    capabilities = router_capabilities().to_json()
    for codec in capabilities["codecs"]:
        codec["kind"] = codec["mimeType"].split("/")[0]
    return capabilities


def only(*mime_types: str, rtx: bool = True) -> dict[str, Any]:
    """The capabilities of a client with these codecs alone."""
    capabilities = everything()
    wanted = {*mime_types, *(["video/rtx"] if rtx else [])}
    capabilities["codecs"] = [codec for codec in capabilities["codecs"] if codec["mimeType"] in wanted]
    return capabilities
