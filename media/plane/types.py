"""What crosses the border between Python and the native data plane."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple, TypeAlias

Handle: TypeAlias = int
"""An object of the plane. No number is used twice: a removed one is refused for ever (`StaleHandleError`)."""

Address: TypeAlias = bytes
"""A remote address as the plane writes it: opaque, hashable, of one fixed length. See `host_and_port`."""


class StaleHandleError(ValueError):
    """The handle names no living object of this kind."""


class PlaneBusyError(RuntimeError):
    """The plane thread has not taken the last 16,384 commands: it is stuck or far overloaded."""


class Profile(IntEnum):
    """SRTP protection profiles, by their DTLS-SRTP numbers (RFC 5764, RFC 7714)."""

    AES_CM_128_HMAC_SHA1_80 = 0x0001
    AEAD_AES_128_GCM = 0x0007
    AEAD_AES_256_GCM = 0x0008


class Encoding(NamedTuple):
    """One stream a producer sends: by SSRC, or by RID for simulcast (the SSRC is then learned)."""

    ssrc: int | None = None
    rtx_ssrc: int | None = None
    rid: str | None = None


class Datagram(NamedTuple):
    """A STUN or DTLS datagram for the control plane."""

    address: Address
    data: bytes
    transport: Handle | None
    """The transport that knows this address; None only for STUN (other datagrams of strangers are dropped)."""


class EventKind(IntEnum):
    """What `Core.drain_events` tells."""

    PRODUCER_STARTED = 1
    """The first packet of a producer was accepted."""
    PRODUCER_SILENT = 2
    """A producer that is not paused has sent nothing for five seconds."""
    PRODUCER_ACTIVE = 3
    """A silent producer sends again."""
    CONSUMER_LAYERS_CHANGED = 4
    """A consumer's forwarded spatial or temporal layer changed (a video consumer's first key frame counts); -1, -1
    when the budget does not allow even the least."""
    PRODUCER_LAYERS_WANTED = 5
    """The highest spatial layer that anybody wants of a producer (at first all are wanted): more need not be sent."""


class Event(NamedTuple):
    """One thing that happened; `spatial` and `temporal` only where layers are the matter, -1 for none."""

    kind: EventKind
    handle: Handle
    spatial: int
    temporal: int


class SenderReport(NamedTuple):
    """The publisher's clock: at `ntp` (64-bit NTP time of the publisher) the RTP clock stood at `rtp_timestamp`."""

    ntp: int
    rtp_timestamp: int
    arrival_us: int


class TapBatch(NamedTuple):
    """Packets of a tap, oldest first: `(arrival in monotonic microseconds, decrypted RTP packet)`."""

    packets: list[tuple[int, bytes]]
    overflow: int
    """Packets lost since the last drain because nobody drained."""
    sender_report: SenderReport | None
    """The newest one, its RTP timestamp in the tap's own timestamp space."""


class RtpFrame(NamedTuple):
    """Packets with one timestamp that followed each other, in the order in which they were sent."""

    timestamp: int
    """RTP's, 32 bits."""
    arrival_us: int
    """Of the packet that came first."""
    packets: int
    lost: int
    """Packets before or between them that never came."""
    units: list[bytes] | None
    """What they carry, put together: VP8's picture, frames of VP9's spatial layers, H.264's NAL units, AV1's OBUs, a
    packet of sound. Empty for padding; None where something is missing or cannot be read."""
    size: tuple[int, int] | None
    """Width and height of the largest layer, where VP9's payloads tell."""


class TransportStatistics(NamedTuple):
    """Counters since the transport was added; `now_us`-style times are monotonic microseconds, 0 for never."""

    packets_received: int
    bytes_received: int
    packets_sent: int
    bytes_sent: int
    last_received_us: int
    """The last datagram of any kind from one of the transport's addresses, STUN and DTLS included."""
    rtt_us: int
    """From the subscriber's receiver reports, smoothed; 0 while unknown."""
    fraction_lost_down: float
    """Loss of what we send, 0..1, from receiver reports, weighted by packets, smoothed."""
    fraction_lost_up: float
    """Loss of what the publisher sends us, 0..1, before retransmission, over the last second."""
    transport_cc_feedbacks: int
    remb_bps: int
    """The subscriber's own estimate by REMB, of all its pictures together; 0 when it sends none."""
    budget_bps: int
    """What the path to the subscriber is taken to bear, all consumers together; 0 while unknown (no limit then)."""
    overuses: int
    """How often the estimate was reduced because a queue grew."""
    probes_sent: int
    """Clusters of packets sent to learn whether the path bears more."""
    probe_bytes_sent: int
    desired_bps: int
    """What all consumers would take if the path bore it, sound included; kept up to date while there is a budget."""


class Reception(NamedTuple):
    """What a transport is graded by; see `TransportStatistics`."""

    rtt_us: int
    fraction_lost_down: float
    fraction_lost_up: float
    jitter_us: int
    """The worst of its producers."""
    budget_bps: int
    desired_bps: int


class ProducerStatistics(NamedTuple):
    """Counters of a producer, all encodings together; `bitrates_bps` by spatial layer, lowest first."""

    packets_received: int
    bytes_received: int
    packets_lost: int
    packets_recovered: int
    nacks_sent: int
    key_frame_requests_sent: int
    key_frames: int
    jitter_us: int
    rtt_us: int
    bitrates_bps: tuple[int, ...]
    audio_level_dbov: int
    last_packet_us: int
    packets_nacked: int
    """Packets asked for again; `nacks_sent` counts the messages."""
    frames: int
    """Whole frames of the layer that sends the most of them; of audio, talk spurts."""
    frame_rate: int
    """Of the last second."""


class ConsumerStatistics(NamedTuple):
    """Counters of a consumer; `fraction_lost` to `rtt_us` are from the subscriber's reports."""

    packets_sent: int
    bytes_sent: int
    packets_retransmitted: int
    nacks_received: int
    key_frame_requests_received: int
    spatial_layer: int
    temporal_layer: int
    fraction_lost: float
    packets_lost: int
    jitter_us: int
    rtt_us: int
    packets_nacked: int
    """Packets asked for again; `nacks_received` counts the messages."""
    firs_received: int
    """Of the key frame requests; the others were PLI."""
    reported: bool
    """Whether a receiver report has come."""
    bandwidth_limited: bool
    """Whether it gets less than it would take, for want of bandwidth."""


class PlaneStatistics(NamedTuple):
    """Counters of the whole plane; `drops` has one entry for each reason, zero included."""

    packets_received: int
    bytes_received: int
    packets_sent: int
    bytes_sent: int
    send_calls: int
    gso_messages: int
    passed_on: int
    """Datagrams that came here and are another plane's."""
    consents: int
    """Checks that were answered without Python."""
    gso_enabled: bool
    """Whether the kernel segments on every socket; where it refused, datagrams go one by one by sendmmsg."""
    drops: Mapping[str, int]
    tcp: Mapping[str, int]
    """What became of TCP connections: accepted, refused_<why>, ended_<why>."""
    tcp_connections: int
    """Open now."""
    repair: Mapping[str, int]
    """What became of losses, over all objects that ever lived: NACKs, key frames and requests for them, RTX, RED."""
    work: Mapping[str, int]
    """What the thread had to do besides packets: ticks, at each of which it looks at everybody; repairs, looks at a
    stream that misses something; rtcp_items, the blocks, requests and numbers in RTCP that was read."""
