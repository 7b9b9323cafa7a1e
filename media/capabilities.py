"""What every router can do: the codecs the plane forwards and the header extensions it reads or writes.

Ids and payload types are fixed, so all rooms and restarts speak alike; consumers always use these, whatever the
producer's client chose for itself. 127 stays free: mediasoup-client takes it for its bandwidth prober.
"""

from media.rtp import (
    CodecCapability,
    HeaderExtensionCapability,
    ParameterValue,
    RtcpFeedback,
    RtpCapabilities,
)

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
ABSOLUTE_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABSOLUTE_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
DEPENDENCY_DESCRIPTOR = (
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
)
# For these the plane reads it. VP8 and VP9 tell their layers themselves, which browsers leave out where it is
# negotiated.
DESCRIBED_CODECS = frozenset({"video/av1", "video/h264"})
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

_VIDEO_FEEDBACK = (
    RtcpFeedback(type="goog-remb"),
    RtcpFeedback(type="transport-cc"),
    RtcpFeedback(type="ccm", parameter="fir"),
    RtcpFeedback(type="nack"),
    RtcpFeedback(type="nack", parameter="pli"),
)


def router_capabilities() -> RtpCapabilities:
    """Opus, with redundancy where wanted; VP8 first of the videos, because every client has it."""
    opus = CodecCapability(
        mime_type="audio/opus",
        preferred_payload_type=100,
        clock_rate=48_000,
        channels=2,
        # In-band FEC repairs single losses without a round trip; DTX spares the silent nine of ten participants.
        parameters={"minptime": 10, "useinbandfec": 1, "usedtx": 1},
        rtcp_feedback=(RtcpFeedback(type="transport-cc"),),
    )
    # Each packet repeats the frame before it: a lost one is heard all the same (RFC 2198, as libwebrtc writes it).
    red = CodecCapability(
        mime_type="audio/red",
        preferred_payload_type=99,
        clock_rate=48_000,
        channels=2,
        parameters={"": "100/100"},
    )
    videos = (
        *_video(101, "video/VP8"),
        *_video(
            103, "video/H264", **_h264("42e01f")
        ),  # constrained baseline 3.1: what RFC 7742 requires of all
        *_video(105, "video/H264", **_h264("4d0032")),  # main 5.0
        *_video(107, "video/H264", **_h264("640032")),  # high 5.0
        *_video(109, "video/VP9", **{"profile-id": 0}),
        *_video(111, "video/AV1", profile=0),
    )
    return RtpCapabilities(codecs=(opus, red, *videos), header_extensions=_header_extensions())


def _video(
    payload_type: int, mime_type: str, **parameters: ParameterValue
) -> tuple[CodecCapability, CodecCapability]:
    codec = CodecCapability(
        mime_type=mime_type,
        preferred_payload_type=payload_type,
        clock_rate=90_000,
        parameters=parameters,
        rtcp_feedback=_VIDEO_FEEDBACK,
    )
    rtx = CodecCapability(
        mime_type="video/rtx",
        preferred_payload_type=payload_type + 1,
        clock_rate=90_000,
        parameters={"apt": payload_type},
    )
    return codec, rtx


def _h264(profile_level_id: str) -> dict[str, ParameterValue]:
    return {"packetization-mode": 1, "level-asymmetry-allowed": 1, "profile-level-id": profile_level_id}


def _header_extensions() -> tuple[HeaderExtensionCapability, ...]:
    def both(uri: str, preferred_id: int) -> tuple[HeaderExtensionCapability, HeaderExtensionCapability]:
        return (
            HeaderExtensionCapability(kind="audio", uri=uri, preferred_id=preferred_id),
            HeaderExtensionCapability(kind="video", uri=uri, preferred_id=preferred_id),
        )

    return (
        *both(MID, 1),
        # A consumer is one stream without a RID, so the router only reads these two.
        HeaderExtensionCapability(kind="video", uri=RID, preferred_id=2, direction="recvonly"),
        HeaderExtensionCapability(kind="video", uri=REPAIRED_RID, preferred_id=3, direction="recvonly"),
        *both(ABSOLUTE_SEND_TIME, 4),
        # Both ways on sound too: the estimate is of everything that is sent, and on a poor line most of it is sound.
        *both(TRANSPORT_CC, 5),
        # The layers of AV1 and H.264, which do not tell them themselves.
        HeaderExtensionCapability(kind="video", uri=DEPENDENCY_DESCRIPTOR, preferred_id=8),
        HeaderExtensionCapability(kind="audio", uri=AUDIO_LEVEL, preferred_id=10),
        # Not how a phone is held (urn:3gpp:video-orientation): where that cannot be said, the sender turns the picture
        # itself (RFC 7742, 4), and it stands upright in films and for players that know nothing of it.
        *both(ABSOLUTE_CAPTURE_TIME, 13),
        HeaderExtensionCapability(kind="video", uri=PLAYOUT_DELAY, preferred_id=14),
    )
