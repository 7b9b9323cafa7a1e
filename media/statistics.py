"""The plane's counters under the names of the W3C's "Identifiers for WebRTC's Statistics API" (webrtc-stats).

Times are seconds and rates bits a second, as there; None where a value is not known yet. Bytes are of whole RTP
packets, headers included. What the standard has no name for is named in its manner: docs/protocol.md marks those.
"""

from typing import Any

from media.ortc import ProducerStream
from media.plane import ConsumerStatistics, ProducerStatistics, TransportStatistics
from media.rtp import RtpParameters

Stats = dict[str, Any]


def path(counted: TransportStatistics) -> Stats:
    """RTCTransportStats, with the two of its candidate pair's figures that a server knows."""
    return {
        "type": "transport",
        "packetsReceived": counted.packets_received,
        "bytesReceived": counted.bytes_received,
        "packetsSent": counted.packets_sent,
        "bytesSent": counted.bytes_sent,
        "currentRoundTripTime": _seconds(counted.rtt_us),
        "availableOutgoingBitrate": counted.budget_bps or None,
        "desiredOutgoingBitrate": counted.desired_bps if counted.budget_bps else None,
        "remoteEstimatedBitrate": counted.remb_bps or None,
        "fractionLostDown": counted.fraction_lost_down,
        "fractionLostUp": counted.fraction_lost_up,
        "transportCcFeedbacks": counted.transport_cc_feedbacks,
        "overuses": counted.overuses,
        "probesSent": counted.probes_sent,
        "probeBytesSent": counted.probe_bytes_sent,
    }


def inbound(counted: ProducerStatistics, stream: ProducerStream) -> Stats:
    """RTCInboundRtpStreamStats of a whole producer: the standard has one an encoding."""
    found: Stats = {
        "type": "inbound-rtp",
        "kind": stream.kind,
        "mimeType": stream.match.codec.mime_type,
        "packetsReceived": counted.packets_received,
        "bytesReceived": counted.bytes_received,
        "packetsLost": counted.packets_lost,
        "packetsRepaired": counted.packets_recovered,
        "jitter": counted.jitter_us / 1e6,
        "roundTripTime": _seconds(counted.rtt_us),
        "nackCount": counted.nacks_sent,
        "packetsNacked": counted.packets_nacked,
        "encodings": [
            {"ssrc": encoding.ssrc, "rid": encoding.rid, "bitrate": bitrate}
            for encoding, bitrate in zip(stream.encodings, counted.bitrates_bps, strict=True)
        ],
    }
    if stream.kind == "audio":
        return found | {"audioLevel": _linear(counted.audio_level_dbov)}
    by_pli = stream.match.codec.has_feedback("nack", "pli")
    return found | {
        "retransmittedPacketsReceived": counted.packets_recovered,
        "pliCount": counted.key_frame_requests_sent if by_pli else 0,
        "firCount": 0 if by_pli else counted.key_frame_requests_sent,
        "framesReceived": counted.frames,
        "framesPerSecond": counted.frame_rate,
        "keyFramesReceived": counted.key_frames,
    }


def outbound(counted: ConsumerStatistics, parameters: RtpParameters) -> Stats:
    """RTCOutboundRtpStreamStats; the layers are those forwarded now, None for none."""
    codec = parameters.codecs[0]
    found: Stats = {
        "type": "outbound-rtp",
        "kind": codec.name.partition("/")[0],
        "ssrc": parameters.encodings[0].ssrc,
        "mimeType": codec.mime_type,
        "packetsSent": counted.packets_sent,
        "bytesSent": counted.bytes_sent,
        "retransmittedPacketsSent": counted.packets_retransmitted,
        "nackCount": counted.nacks_received,
        "packetsNacked": counted.packets_nacked,
    }
    if found["kind"] == "audio":
        return found
    return found | {
        "pliCount": counted.key_frame_requests_received - counted.firs_received,
        "firCount": counted.firs_received,
        "qualityLimitationReason": "bandwidth" if counted.bandwidth_limited else "none",
        "spatialLayer": _layer(counted.spatial_layer),
        "temporalLayer": _layer(counted.temporal_layer),
    }


def remote_inbound(counted: ConsumerStatistics, parameters: RtpParameters) -> Stats:
    """RTCRemoteInboundRtpStreamStats: what the client's receiver reports say."""
    codec = parameters.codecs[0]
    return {
        "type": "remote-inbound-rtp",
        "kind": codec.name.partition("/")[0],
        "ssrc": parameters.encodings[0].ssrc,
        "packetsLost": counted.packets_lost,
        "fractionLost": counted.fraction_lost,
        "jitter": counted.jitter_us / 1e6,
        "roundTripTime": _seconds(counted.rtt_us),
    }


def _seconds(microseconds: int) -> float | None:
    return microseconds / 1e6 if microseconds else None


def _layer(number: int) -> int | None:
    return number if number >= 0 else None


def _linear(dbov: int) -> float:
    """The standard's audioLevel: 0 silence .. 1 dBov."""
    return round(10 ** (dbov / 20), 4) if dbov > -127 else 0.0  # noqa: PLR2004 - RFC 6464's silence
