"""ORTC's negotiation, pure: what a producer becomes inside a router, and what a consumer of it looks like.

    client's rtpParameters --producer_stream--> ProducerStream: payload type, encodings, ids as the client writes them;
                                                its `consumable` part has the router's payload types and ids instead
    consumable + a client's rtpCapabilities --consumer_offer--> what all such clients get
    that + a MID and an SSRC --consumer_parameters--> the consumer's RtpParameters

The logic is mediasoup's (node/src/ortc.ts); the rules are RFC 3264's and RFC 8829's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from media.capabilities import ABSOLUTE_SEND_TIME, DEPENDENCY_DESCRIPTOR, DESCRIBED_CODECS, TRANSPORT_CC
from media.codecs import capability_for, parameters_under, same_codec
from media.errors import InvalidMedia
from media.rtp import (
    CodecCapability,
    CodecParameters,
    Encoding,
    HeaderExtension,
    MediaKind,
    RtcpFeedback,
    RtpCapabilities,
    RtpParameters,
    Rtx,
)
from media.scalability import parse_scalability_mode

StreamType = Literal["simple", "simulcast", "svc"]
Numbers = Literal["router", "client"]
"""Whose payload types and header extension ids a consumer uses: the offerer's, as RFC 3264 has it."""
_AnyCodec = TypeVar("_AnyCodec", CodecParameters, CodecCapability)


class CodecMatch(NamedTuple):
    """A codec of the client's beside the router's for it, each with its RTX format if both have one.

    `red` is the format in which the client may send the codec with redundancy.
    """

    codec: CodecParameters
    rtx: CodecParameters | None
    red: CodecParameters | None
    capability: CodecCapability
    capability_rtx: CodecCapability | None


@dataclass(frozen=True, slots=True)
class ProducerStream:
    """A producer as it arrives, and as it is offered to consumers."""

    kind: MediaKind
    type: StreamType
    mid: str | None
    match: CodecMatch
    encodings: tuple[Encoding, ...]
    header_extensions: Mapping[str, int]
    consumable: RtpParameters


def producer_stream(kind: str, parameters: RtpParameters, router: RtpCapabilities) -> ProducerStream:
    """Fit a client's parameters into the router.

    InvalidMedia invalid_kind, unsupported_codec, invalid_rtp_parameters.
    """
    if kind not in {"audio", "video"}:
        raise InvalidMedia("invalid_kind", field="kind", reason="must be audio or video")
    match = _match(parameters, router)
    if match.codec.kind != kind:
        raise InvalidMedia("invalid_rtp_parameters", field="codecs[0].mimeType", reason=f"is not {kind}")
    for index, encoding in enumerate(parameters.encodings):
        if encoding.codec_payload_type not in {None, match.codec.payload_type}:
            field = f"encodings[{index}].codecPayloadType"
            raise InvalidMedia(
                "invalid_rtp_parameters", field=field, reason="all encodings must use the first codec"
            )
    return ProducerStream(
        kind=match.codec.kind,
        type=_stream_type(match.codec, parameters),
        mid=parameters.mid,
        match=match,
        encodings=parameters.encodings,
        header_extensions={extension.uri: extension.id for extension in parameters.header_extensions},
        consumable=_consumable(parameters, match, router),
    )


def _stream_type(codec: CodecParameters, parameters: RtpParameters) -> StreamType:
    """Several encodings are simulcast; layers within one are svc where the plane can leave them out.

    So is a stream of which nobody said whether it has any, as of a device that knows SDP alone: its packets will tell.
    """
    if len(parameters.encodings) > 1:
        return "simulcast"
    mode = parameters.encodings[0].scalability_mode
    told = codec.name == "video/vp9" or _is_described(codec, parameters)
    return "svc" if told and (mode is None or parse_scalability_mode(mode)[:2] != (1, 1)) else "simple"


def _is_described(codec: CodecParameters, parameters: RtpParameters) -> bool:
    """Whether the producer's frames are told by the dependency descriptor."""
    return codec.name in DESCRIBED_CODECS and any(
        extension.uri == DEPENDENCY_DESCRIPTOR for extension in parameters.header_extensions
    )


def can_consume(consumable: RtpParameters, capabilities: RtpCapabilities) -> bool:
    """Whether the client has the producer's codec."""
    return any(same_codec(consumable.codecs[0], capability) for capability in capabilities.codecs)


def consumer_offer(
    consumable: RtpParameters, capabilities: RtpCapabilities, numbers: Numbers = "router"
) -> RtpParameters:
    """What every client with these capabilities is sent of a producer, before `consumer_parameters` names the stream.

    InvalidMedia cannot_consume.
    """
    if not can_consume(consumable, capabilities):
        raise InvalidMedia("cannot_consume", mimeType=consumable.codecs[0].mime_type)
    if numbers == "client":
        consumable = _numbered_by(consumable, capabilities)
    codecs: list[CodecParameters] = []
    for codec in consumable.codecs:
        capability = next((c for c in capabilities.codecs if same_codec(codec, c)), None)
        if capability is None:
            continue
        both = tuple(f for f in codec.rtcp_feedback if f in capability.rtcp_feedback)
        codecs.append(codec.model_copy(update={"rtcp_feedback": both}))
        rtx = _rtx_of(codec.payload_type, consumable.codecs)
        if rtx is not None and _understands_rtx(capability, capabilities):
            codecs.append(rtx)
    extensions = tuple(
        extension
        for extension in consumable.header_extensions
        if any(
            c.uri == extension.uri and c.preferred_id == extension.id for c in capabilities.header_extensions
        )
        # Who numbers packets for reports that nobody promised takes their absence for a dead line.
        and (extension.uri != TRANSPORT_CC or codecs[0].has_feedback("transport-cc"))
    )
    return RtpParameters(
        mid=consumable.mid,
        codecs=tuple(_with_one_estimator(codec, extensions) for codec in codecs),
        header_extensions=extensions,
        encodings=consumable.encodings,
        rtcp=consumable.rtcp,
    )


def consumer_parameters(offer: RtpParameters, *, mid: str, ssrc: int) -> RtpParameters:
    """The offer as one stream `ssrc`, its RTX stream `ssrc + 1`; codecs and extensions are the offer's own."""
    has_rtx = any(codec.is_rtx for codec in offer.codecs)
    encoding = Encoding(
        ssrc=ssrc,
        rtx=Rtx(ssrc=ssrc + 1) if has_rtx else None,
        scalability_mode=offer.encodings[0].scalability_mode,
    )
    return offer.model_copy(update={"mid": mid, "encodings": (encoding,)})


def _numbered_by(consumable: RtpParameters, client: RtpCapabilities) -> RtpParameters:
    """The codec that both have and its RTX, and the extensions, under the client's own numbers."""
    codec = consumable.codecs[0]
    capability = next(one for one in client.codecs if same_codec(codec, one))
    codecs = [codec.model_copy(update={"payload_type": capability.preferred_payload_type})]
    rtx = _rtx_of(capability.preferred_payload_type or 0, client.codecs)
    if rtx is not None and any(one.is_rtx for one in consumable.codecs):
        codecs.append(
            CodecParameters(
                mime_type=rtx.mime_type,
                payload_type=rtx.preferred_payload_type or 0,
                clock_rate=rtx.clock_rate,
                parameters=rtx.parameters,
            )
        )
    ids = {one.uri: one.preferred_id for one in client.header_extensions}
    extensions = tuple(
        extension.model_copy(update={"id": ids[extension.uri]})
        for extension in consumable.header_extensions
        if extension.uri in ids
    )
    return consumable.model_copy(update={"codecs": tuple(codecs), "header_extensions": extensions})


def _match(parameters: RtpParameters, router: RtpCapabilities) -> CodecMatch:
    """The first media codec's match; further ones are offers the client does not use, yet must be known too."""
    matches: list[CodecMatch] = []
    for codec in parameters.codecs:
        if not codec.is_media:
            continue
        capability = capability_for(codec, router.codecs)
        if capability is None or capability.preferred_payload_type is None:
            raise InvalidMedia("unsupported_codec", mimeType=codec.mime_type)
        rtx = _rtx_of(codec.payload_type, parameters.codecs)
        capability_rtx = _rtx_of(capability.preferred_payload_type, router.codecs)
        matches.append(
            CodecMatch(
                codec,
                rtx if capability_rtx else None,
                _red_of(codec, parameters.codecs, router),
                capability,
                capability_rtx if rtx else None,
            )
        )
    media = {codec.payload_type for codec in parameters.codecs if not codec.is_rtx}
    for index, codec in enumerate(parameters.codecs):
        if codec.is_rtx and codec.apt not in media:
            field = f"codecs[{index}].parameters.apt"
            raise InvalidMedia("invalid_rtp_parameters", field=field, reason="names no media codec")
    return matches[0]


def _consumable(parameters: RtpParameters, match: CodecMatch, router: RtpCapabilities) -> RtpParameters:
    """The producer's codec under the router's payload types; its RTX and RED or not: ours are our own."""
    payload_type = match.capability.preferred_payload_type or 0
    codecs = [
        CodecParameters(
            mime_type=match.capability.mime_type,
            payload_type=payload_type,
            clock_rate=match.capability.clock_rate,
            channels=match.capability.channels,
            parameters=parameters_under(match.codec, match.capability),
            rtcp_feedback=match.capability.rtcp_feedback,
        )
    ]
    red = next((c for c in router.codecs if c.is_red), None)
    if red is not None and red.preferred_payload_type is not None and red.red_types == {payload_type}:
        codecs.append(
            CodecParameters(
                mime_type=red.mime_type,
                payload_type=red.preferred_payload_type,
                clock_rate=red.clock_rate,
                channels=red.channels,
                parameters=red.parameters,
            )
        )
    rtx = _rtx_of(payload_type, router.codecs)
    if rtx is not None and rtx.preferred_payload_type is not None:
        codecs.append(
            CodecParameters(
                mime_type=rtx.mime_type,
                payload_type=rtx.preferred_payload_type,
                clock_rate=rtx.clock_rate,
                parameters=rtx.parameters,
            )
        )
    extensions = tuple(
        HeaderExtension(uri=extension.uri, id=extension.preferred_id)
        for extension in router.header_extensions
        if extension.kind == match.codec.kind
        and extension.direction in {"sendrecv", "sendonly"}
        and (extension.uri != DEPENDENCY_DESCRIPTOR or _is_described(match.codec, parameters))
    )
    return RtpParameters(
        mid="0",  # a consumer gets its own
        codecs=tuple(codecs),
        header_extensions=extensions,
        encodings=(Encoding(scalability_mode=_forwarded_mode(parameters.encodings)),),
        rtcp=parameters.rtcp.model_copy(update={"reduced_size": True, "mux": True}),
    )


def _forwarded_mode(encodings: Sequence[Encoding]) -> str | None:
    """What consumers are told of layers: simulcast looks like spatial layers of one stream."""
    if len(encodings) == 1:
        return encodings[0].scalability_mode
    temporal = max(parse_scalability_mode(encoding.scalability_mode).temporal for encoding in encodings)
    return f"L{len(encodings)}T{temporal}"


def _red_of(
    codec: CodecParameters, codecs: Sequence[CodecParameters], router: RtpCapabilities
) -> CodecParameters | None:
    """The codec's RED format, if the router knows it too; the copies must be of the codec."""
    for index, red in enumerate(codecs):
        if not red.is_red or codec.kind != "audio" or not any(same_codec(red, c) for c in router.codecs):
            continue
        if red.red_types - {codec.payload_type}:
            field = f"codecs[{index}].parameters"
            raise InvalidMedia("invalid_rtp_parameters", field=field, reason="names another codec")
        return red
    return None


def _rtx_of(payload_type: int, codecs: Sequence[_AnyCodec]) -> _AnyCodec | None:
    return next((codec for codec in codecs if codec.is_rtx and codec.apt == payload_type), None)


def _understands_rtx(capability: CodecCapability, capabilities: RtpCapabilities) -> bool:
    payload_type = capability.preferred_payload_type
    return payload_type is not None and _rtx_of(payload_type, capabilities.codecs) is not None


def _with_one_estimator(codec: CodecParameters, extensions: Sequence[HeaderExtension]) -> CodecParameters:
    """Keep the feedback of one bandwidth estimator: transport-cc if its extension is there, else REMB, else none."""
    uris = {extension.uri for extension in extensions}
    unwanted = {"transport-cc", "goog-remb"}
    if TRANSPORT_CC in uris:
        unwanted = {"goog-remb"}
    elif ABSOLUTE_SEND_TIME in uris:
        unwanted = {"transport-cc"}
    kept: tuple[RtcpFeedback, ...] = tuple(f for f in codec.rtcp_feedback if f.type not in unwanted)
    return codec.model_copy(update={"rtcp_feedback": kept})
