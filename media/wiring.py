"""A negotiated stream in the plane's terms: which numbers it reads from one client and writes to another."""

from media.capabilities import AUDIO_LEVEL, TRANSPORT_CC
from media.codecs import parameter_sets
from media.guard import plane_errors
from media.ortc import ProducerStream
from media.plane import Encoding, Handle, Plane
from media.rtp import RtpParameters
from media.scalability import parse_scalability_mode


def add_producer(
    plane: Plane, transport: Handle, stream: ProducerStream, *, paused: bool, floor: Handle | None
) -> Handle:
    """Accept the stream from the transport's client; `floor` is for microphones that tell how loud they are."""
    codec, rtx, red = stream.match.codec, stream.match.rtx, stream.match.red
    layers = parse_scalability_mode(stream.encodings[0].scalability_mode)
    with plane_errors():
        return plane.add_producer(
            transport,
            stream.kind,
            codec=codec.name.partition("/")[2],
            clock_rate=codec.clock_rate,
            payload_type=codec.payload_type,
            encodings=[Encoding(e.ssrc, e.rtx.ssrc if e.rtx else None, e.rid) for e in stream.encodings],
            rtx_payload_type=rtx.payload_type if rtx else None,
            red_payload_type=red.payload_type if red else None,
            header_extensions=stream.header_extensions,
            mid=stream.mid,
            cname=stream.consumable.rtcp.cname,
            nack=codec.has_feedback("nack"),
            key_frames_by="pli" if codec.has_feedback("nack", "pli") else "fir",
            transport_cc=codec.has_feedback("transport-cc") and TRANSPORT_CC in stream.header_extensions,
            paused=paused,
            floor=floor if AUDIO_LEVEL in stream.header_extensions else None,
            spatial_layers=layers.spatial,
            keyed=layers.keyed,
            parameter_sets=parameter_sets(codec),
        )


def add_consumer(
    plane: Plane, transport: Handle, producer: Handle, parameters: RtpParameters, *, paused: bool
) -> Handle:
    """Forward the producer to the transport's client as `parameters` say."""
    codec, encoding = parameters.codecs[0], parameters.encodings[0]
    rtx = next((c for c in parameters.codecs if c.is_rtx), None)
    red = next((c for c in parameters.codecs if c.is_red), None)
    with plane_errors():
        return plane.add_consumer(
            transport,
            producer,
            ssrc=encoding.ssrc or 0,
            payload_type=codec.payload_type,
            rtx_ssrc=encoding.rtx.ssrc if encoding.rtx else None,
            rtx_payload_type=rtx.payload_type if rtx else None,
            red_payload_type=red.payload_type if red else None,
            header_extensions={e.uri: e.id for e in parameters.header_extensions},
            mid=parameters.mid,
            nack=codec.has_feedback("nack"),
            remb=codec.has_feedback("goog-remb"),
            paused=paused,
        )
