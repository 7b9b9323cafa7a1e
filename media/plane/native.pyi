"""The types of the compiled module; see the package's docstring for its words."""

from collections.abc import Mapping, Sequence
from typing import Literal

from media.plane.types import (
    Address,
    ConsumerStatistics,
    Datagram,
    Encoding,
    Event,
    Handle,
    PlaneStatistics,
    ProducerStatistics,
    Profile,
    Reception,
    RtpFrame,
    TapBatch,
    TransportStatistics,
)

DROP_REASONS: tuple[str, ...]
"""Every reason for which the plane drops a packet; the keys of `PlaneStatistics.drops`."""

def host_and_port(address: Address) -> tuple[str, int]:
    """The IP address (IPv4 in its dotted form) and port of a plane address, for XOR-MAPPED-ADDRESS."""

def is_tcp(address: Address) -> bool:
    """Whether the address is a TCP connection. No two connections are the same address."""

class Exchange:
    """Joins `places` (2 to 64) planes that share one port; each that is made with it takes the next place.

    What comes to one plane and is another's goes there through a bounded queue.
    """

    places: int

    def __init__(self, places: int) -> None: ...

class Core:
    """The packet logic without sockets, thread or clock. Times are microseconds of any monotonic clock.

    All control methods raise `StaleHandleError` for a handle that does not live and `ValueError` for a wrong
    argument, and change nothing then. Removing an object removes what hangs on it: a transport takes its producers
    and consumers with it, a producer its consumers and taps; their handles are stale from that moment.
    """

    letter: str
    """The first character of the ICE user names of this plane's transports; planes of one port know them by it."""

    def __init__(self, *, seed: int | None = None, exchange: Exchange | None = None) -> None:
        """`seed` makes initial sequence numbers and timestamps repeatable in tests."""

    # Transports
    def add_transport(self) -> Handle:
        """A transport that knows no address, has no keys and is not admitted."""
    def remove_transport(self, transport: Handle) -> None: ...
    def add_address(self, transport: Handle, address: Address) -> None:
        """Let datagrams from the address be this transport's; at most eight, or ValueError.

        For STUN checks that passed MESSAGE-INTEGRITY. An address belongs to one transport: the last one wins. The
        plane gives up an address by itself only to another transport or when its TCP connection ends.
        """
    def forget_address(self, transport: Handle, address: Address) -> None:
        """Datagrams from the address are a stranger's again; nothing happens if it is not this transport's."""
    def set_remote_address(self, transport: Handle, address: Address) -> None:
        """Send to the address from now on; also adds it. For the first valid check and for each USE-CANDIDATE."""
    def set_srtp(self, transport: Handle, profile: Profile, rx: bytes, tx: bytes) -> None:
        """Install the keys DTLS negotiated: `rx` is the client's master key + salt, `tx` the server's."""
    def set_admitted(self, transport: Handle, admitted: bool) -> None:
        """Forward from and to the transport, or (as at first) drop it all with the reason `not_admitted`."""
    def set_consent(self, transport: Handle, ufrag: str, password: str) -> None:
        """Answer by itself what changes nothing: checks from the remote address for `ufrag`, signed with `password`.

        At most 16 and 32 bytes; an empty `ufrag`, and all checks come by `drain_control` again.
        """
    def consented_us(self, transport: Handle) -> int:
        """When the last check was answered so, 0 for never; in CLOCK_MONOTONIC microseconds."""
    def authentic_us(self, transport: Handle) -> int:
        """When the last SRTP or SRTCP packet came that was neither forged nor a replay; likewise."""
    def transport_statistics(self, transport: Handle) -> TransportStatistics: ...
    def reception(self, transport: Handle) -> Reception:
        """What a transport is graded by. Cheap, because it is asked of every transport each second."""

    # Floors
    def add_floor(self, places: int, hold_us: int) -> Handle:
        """A room's floor: of the audio producers made with it, at most `places` (1..64) are forwarded at once.

        Free places go to whoever sends. When all are taken, a packet of speech (by its RFC 6464 level) takes the place
        of the one who has been silent longest, if that is `hold_us` at least, else of the quietest, if 6 dB louder by
        smoothed levels: a voice that begins 7 dB louder is in after 200 ms at most.
        Paused producers have no place. Taps get everything.
        """
    def remove_floor(self, floor: Handle) -> None:
        """Also removes the producers that were made with it."""

    # Producers
    def add_producer(
        self,
        transport: Handle,
        kind: Literal["audio", "video"],
        *,
        codec: str,
        clock_rate: int,
        payload_type: int,
        encodings: Sequence[Encoding],
        rtx_payload_type: int | None = None,
        red_payload_type: int | None = None,
        header_extensions: Mapping[str, int] = ...,
        mid: str | None = None,
        cname: str = "",
        nack: bool = True,
        key_frames_by: Literal["pli", "fir"] = "pli",
        transport_cc: bool = True,
        paused: bool = False,
        floor: Handle | None = None,
        spatial_layers: int = 1,
        keyed: bool = False,
        parameter_sets: Sequence[bytes] = (),
    ) -> Handle:
        """Accept a track from the transport's client.

        `codec` is the lower-case MIME subtype: video is "vp8", "vp9", "h264" or "av1"; audio anything, as "opus".
        `encodings` are ordered from the lowest simulcast layer to the highest (at most four). `header_extensions`
        maps URIs to the ids the *publisher* writes; URIs the plane does not know are ignored. `cname` goes into the
        source descriptions that subscribers get: give all tracks of a participant the same one, lip
        synchronisation hangs on it.
        `red_payload_type`: audio that comes as RFC 2198 redundant data under this type, or plain.
        `floor`: an audio producer that is forwarded only while it has a place there; without one, always.
        `spatial_layers` (1..4) is how many the single encoding announces; `keyed`: they depend on each other in key
        pictures only (scalability modes L.._KEY and S..).
        `parameter_sets`: what was signalled of them for H.264 in one encoding, for key pictures that bring none.
        `nack` and `transport_cc` say that the publisher negotiated that feedback.
        """
    def remove_producer(self, producer: Handle) -> None: ...
    def set_producer_paused(self, producer: Handle, paused: bool) -> None: ...
    def request_key_frame(self, handle: Handle) -> None:
        """Ask the publisher of a producer, consumer or tap for a key frame; throttled, repeated until one comes."""
    def producer_statistics(self, producer: Handle) -> ProducerStatistics: ...
    def audio_levels(self) -> list[tuple[Handle, int]]:
        """Smoothed levels (RFC 6464: -127 .. 0 dBov) of the audio producers that send them, unpaused.

        -127 where nobody speaks: what does not stand out of its microphone's own noise is no speech, however loud.
        Read every 100 to 200 ms; costs the plane thread nothing. Choosing the active speaker is the caller's: the
        plane does not know who meets whom.
        """

    # Consumers and taps
    def add_consumer(
        self,
        transport: Handle,
        producer: Handle,
        *,
        ssrc: int,
        payload_type: int,
        rtx_ssrc: int | None = None,
        rtx_payload_type: int | None = None,
        red_payload_type: int | None = None,
        header_extensions: Mapping[str, int] = ...,
        mid: str | None = None,
        nack: bool = True,
        remb: bool = False,
        paused: bool = True,
    ) -> Handle:
        """Forward a producer to the transport's client.

        SSRCs must be unused on the transport. `header_extensions` maps URIs to the ids the *subscriber* expects:
        mid, abs-send-time and transport-wide-cc are written by the plane; audio level, video orientation, playout
        delay and absolute capture time are passed on. Video starts (and resumes) with a key frame, asked for or
        replayed. Without `red_payload_type` audio is forwarded plain; with it, as redundant data (RFC 2198) with a
        copy of the frame before, or of the last two, while the subscriber's reports show loss or do not show yet that
        there is none. With `remb` the client is taken to estimate its line itself from abs-send-time, and to send
        REMB: what is sent begins low, and is filled up with padding on RTX until REMB allows what is wanted.
        """
    def remove_consumer(self, consumer: Handle) -> None: ...
    def set_consumer_paused(self, consumer: Handle, paused: bool) -> None: ...
    def set_preferred_layers(self, consumer: Handle, spatial: int, temporal: int | None = None) -> None:
        """The highest layers wanted; the default is the highest there are. `temporal` works where layers are told."""
    def set_priority(self, consumer: Handle, priority: int) -> None:
        """1..255; kept for the bandwidth allocator, no effect yet."""
    def consumer_statistics(self, consumer: Handle) -> ConsumerStatistics: ...
    def add_tap(
        self, producer: Handle, capacity_packets: int, *, header_extensions: Mapping[str, int] = ...
    ) -> Handle:
        """Copy a producer's decrypted packets into a bounded queue: one SSRC, one continuous sequence, RTX undone.

        The payload type is the producer's. Header extensions asked for here are passed on where the publisher
        sends them.
        """
    def remove_tap(self, tap: Handle) -> None: ...
    def drain_tap(self, tap: Handle) -> TapBatch: ...

    # What comes out
    def drain_control(self) -> list[Datagram]:
        """STUN and DTLS datagrams that arrived (at most 256 a call). Also clears `Plane.event_fd`; call until empty."""
    def drain_events(self) -> list[Event]: ...
    def statistics(self) -> PlaneStatistics: ...

    # Without sockets: tests, fuzzing
    def receive(self, data: bytes, address: Address, now_us: int) -> None:
        """One datagram from the network; what it causes is in `sent` at once or after `advance`. Not on a `Plane`."""
    def receive_clear(self, transport: Handle, data: bytes, now_us: int) -> None:
        """As `receive`, for a packet of an admitted transport that has been decrypted already. Not on a `Plane`."""
    def advance(self, now_us: int) -> int:
        """Do what is due by `now_us`: frames, a batch at a time, reports, retries. Not on a `Plane`.

        Answers when it wants to be called next: at once where more is to be sent.
        """
    def connect(self, fd: int, address: Address, now_us: int) -> Address | None:
        """Take (a duplicate of) a connected stream socket as a TCP connection from that address; None when refused.

        It is read and written in `advance`. Not on a `Plane`.
        """
    def sent(self) -> list[tuple[Address, bytes]]:
        """Take the datagrams that would have been sent, in order. Not on a `Plane`."""
    def send_runs(self) -> list[tuple[Address, bytes, int]]:
        """As `sent`, but the messages as the kernel would get them: (address, bytes, segment size or 0)."""

class Plane(Core):
    """A `Core` on its own thread: a UDP socket an address and, unless told otherwise, a TCP listener beside it."""

    event_fd: int
    """Becomes readable when `drain_control` or `drain_events` has something. An eventfd, owned by the plane."""
    port: int
    """The bound port (useful when 0 was asked for)."""

    def __init__(
        self,
        bind_addresses: Sequence[str],
        port: int,
        *,
        tcp: bool = True,
        seed: int | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        """Open the sockets; several addresses, and UDP and TCP, share the port.

        OSError (EADDRINUSE, EADDRNOTAVAIL…) names the address. An IPv6 address where the machine has no IPv6 is
        skipped if another address could be bound. With an `exchange` the first plane chooses the port, the others
        are given it.
        """
    def start(self) -> None:
        """Start the plane thread. Once, and after all planes of its exchange have been opened."""
    def stop(self) -> None:
        """End the thread (waits for its batch, without the GIL), close the sockets. May be called again."""
    def send_datagram(self, address: Address, data: bytes) -> bool:
        """Send STUN or DTLS by the socket that heard the address; whether it went, or for TCP will be tried to."""
    def now_us(self) -> int:
        """The plane's clock: CLOCK_MONOTONIC in microseconds, as in tap batches and statistics."""

class Depacketizer:
    """One track's packets, as a tap gives them, put into order and together again: packets in, whole frames out.

    Waits 400 ms for what is late, holds 1,024 packets at most meanwhile, and takes a jump of more than 3,000 numbers
    for a publisher who began anew. Not safe for two threads at once.
    """

    malformed: int
    """Packets and payloads that could not be read, since the beginning."""
    foreign: int
    """Packets of another payload type."""
    held: int
    """Packets that wait for one before them."""

    def __init__(self, codec: str, payload_type: int) -> None:
        """`codec` is the lower-case MIME subtype: "vp8", "vp9", "h264", "av1"; of any other each packet is a frame."""
    def take(self, packets: Sequence[tuple[int, bytes]], now_us: int) -> list[RtpFrame]:
        """What becomes whole with these packets (arrival in microseconds, RTP), or is given up by now."""
    def flush(self) -> list[RtpFrame]:
        """What still waits; the frame that is open is given up, since nothing tells that it is whole."""
