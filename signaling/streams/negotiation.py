"""From an offer's section to what media takes: a publisher's rtpParameters, a watcher's rtpCapabilities. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from media import MediaError
from media.capabilities import DEPENDENCY_DESCRIPTOR, DESCRIBED_CODECS, MID, RID
from media.codecs import H264Profile, capability_for, h264_profile, same_codec
from media.rtp import CodecCapability, CodecParameters, RtpCapabilities, parse_parameters
from rooms.live.events import Source
from signaling.streams.offer import Offer, Section, unacceptable

Json = dict[str, Any]

SOURCES: Final[Mapping[bool, Mapping[str, tuple[Source, ...]]]] = {
    False: {
        "video": (Source.CAMERA, Source.SCREEN),
        "audio": (Source.MICROPHONE, Source.SCREEN_AUDIO),
    },
    True: {"video": (Source.SCREEN, Source.CAMERA), "audio": (Source.SCREEN_AUDIO, Source.MICROPHONE)},
}
"""What the first and the second section of a kind show, for a device that shows a screen (True) and for others."""

MAX_LAYERS: Final = 4
CONSTRAINED_BASELINE: Final = "42e01f"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A section that is taken: its codecs and extensions, numbered by the device, as the answer repeats them."""

    section: Section
    codecs: tuple[CodecParameters, ...]
    extensions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Publishing:
    """A section that a device sends, and what it shows."""

    accepted: Accepted
    source: Source
    rids: tuple[str, ...]
    rtp_parameters: Json


@dataclass(frozen=True, slots=True)
class Watching:
    """A section that a device receives, and what it can receive there, as media takes it."""

    accepted: Accepted
    rtp_capabilities: Json


def publishing(offer: Offer, router: RtpCapabilities, *, screen: bool) -> list[Publishing]:
    """What the device sends and the room can take; Problem unacceptable_sdp when nothing is left."""
    free = {kind: list(sources) for kind, sources in SOURCES[screen].items()}
    taken: list[Publishing] = []
    for section in offer.sections:
        accepted = _accept(offer, section, router, one_codec=True) if section.sends else None
        if accepted is not None and free.get(section.kind):
            taken.append(_publishing(accepted, free[section.kind].pop(0)))
    if not taken:
        raise unacceptable("m=", "sends no Opus, VP8, VP9, AV1 or H.264 up to the high profile")
    return taken


def watching(offer: Offer, router: RtpCapabilities) -> dict[str, Watching]:
    """The first section of each kind that the device receives; Problem unacceptable_sdp when there is none."""
    wanted: dict[str, Watching] = {}
    for section in offer.sections:
        accepted = _accept(offer, section, router, one_codec=False) if section.receives else None
        if accepted is not None:
            wanted.setdefault(section.kind, Watching(accepted, _capabilities(accepted)))
    if not wanted:
        raise unacceptable("m=", "receives no Opus, VP8, VP9, AV1 or H.264 with packetization-mode=1")
    return wanted


def _capabilities(accepted: Accepted) -> Json:
    """With the device's own numbers."""
    codecs = [
        _constrained(codec).to_json() | {"kind": codec.kind, "preferredPayloadType": codec.payload_type}
        for codec in accepted.codecs
    ]
    extensions = [
        {"kind": accepted.section.kind, "uri": uri, "preferredId": number}
        for uri, number in accepted.extensions.items()
    ]
    return {"codecs": codecs, "headerExtensions": extensions}


def _accept(offer: Offer, section: Section, router: RtpCapabilities, *, one_codec: bool) -> Accepted | None:
    """The part of a section that both sides can, or None."""
    offered = _parsed(section)
    chosen: list[CodecParameters] = []
    for codec, capability in _taken(offered, section, router, one_codec=one_codec):
        chosen.append(_with_common_feedback(codec, capability))
        rtx = next((one for one in offered if one.is_rtx and str(one.apt) == str(codec.payload_type)), None)
        if rtx is not None and section.kind == "video":
            chosen.append(rtx)
    if not chosen:
        return None
    known = {one.uri for one in router.header_extensions if one.kind in {section.kind, ""}}
    # A key frame's dependency descriptor is longer than a short extension can be.
    if not offer.mixed or DESCRIBED_CODECS.isdisjoint(codec.name for codec in chosen):
        known.discard(DEPENDENCY_DESCRIPTOR)
    extensions = {uri: number for uri, number in section.extensions.items() if uri in known}
    return Accepted(section, tuple(chosen), extensions)


def _taken(
    offered: Sequence[CodecParameters], section: Section, router: RtpCapabilities, *, one_codec: bool
) -> list[tuple[CodecParameters, CodecCapability]]:
    """The codecs that both sides have, each with the router's; of a sender the first, or what goes on as another is."""
    media = [codec for codec in offered if codec.is_media and codec.kind == section.kind]
    both = [(codec, one) for codec in media for one in router.codecs if same_codec(_constrained(codec), one)]
    if not one_codec:
        return both
    parts = ((codec, capability_for(_constrained(codec), router.codecs)) for codec in media)
    return (both or [(codec, one) for codec, one in parts if one is not None])[:1]


def _parsed(section: Section) -> tuple[CodecParameters, ...]:
    """The section's codecs by the rules for everybody's; Problem unacceptable_sdp for numbers that cannot be."""
    if not section.codecs:
        return ()
    media = [codec for codec in section.codecs if not str(codec["mimeType"]).lower().endswith("/rtx")]
    rest = [codec for codec in section.codecs if codec not in media]
    if not media:
        return ()
    try:
        return parse_parameters({"mid": section.mid, "codecs": [*media, *rest], "encodings": [{}]}).codecs
    except MediaError as error:
        raise unacceptable("a=rtpmap", str(error.details.get("reason", error.code))) from None


def _constrained(codec: CodecParameters) -> CodecParameters:
    """What encoders call baseline is constrained baseline: nobody makes the rest, and no browser shows it."""
    if codec.name != "video/h264" or _profile(codec) is not H264Profile.BASELINE:
        return codec
    return codec.model_copy(
        update={"parameters": {**codec.parameters, "profile-level-id": CONSTRAINED_BASELINE}}
    )


def _profile(codec: CodecParameters) -> H264Profile | None:
    return h264_profile(codec.parameters.get("profile-level-id"))


def _with_common_feedback(codec: CodecParameters, capability: CodecCapability) -> CodecParameters:
    common = tuple(one for one in codec.rtcp_feedback if one in capability.rtcp_feedback)
    return codec.model_copy(update={"rtcp_feedback": tuple(dict.fromkeys(common))})


def _publishing(accepted: Accepted, source: Source) -> Publishing:
    section = accepted.section
    rids = section.rids[:MAX_LAYERS] if RID in accepted.extensions and MID in accepted.extensions else ()
    parameters = {
        "mid": section.mid,
        "codecs": [_constrained(codec).to_json() for codec in accepted.codecs],
        "headerExtensions": [{"uri": uri, "id": number} for uri, number in accepted.extensions.items()],
        "encodings": [{"rid": rid} for rid in rids] if len(rids) > 1 else _encodings(accepted),
    }
    return Publishing(accepted, source, rids if len(rids) > 1 else (), parameters)


def _encodings(accepted: Accepted) -> list[Json]:
    """By SSRC (several are simulcast as before RIDs), or by MID alone where none is named."""
    section = accepted.section
    has_rtx = any(codec.is_rtx for codec in accepted.codecs)
    # Without a group that says so further SSRCs are no layers: of a section with several only the first counts.
    ssrcs = section.ssrcs[:MAX_LAYERS] if section.simulcast else section.ssrcs[:1]
    if not ssrcs:
        if MID not in accepted.extensions:
            raise unacceptable("a=ssrc", f"is needed in section {section.mid}, or the extension {MID}")
        return [{}]
    repaired = {ssrc: section.repairs[ssrc] for ssrc in ssrcs if has_rtx and ssrc in section.repairs}
    return [
        {"ssrc": one, "rtx": {"ssrc": repaired[one]}} if one in repaired else {"ssrc": one} for one in ssrcs
    ]
