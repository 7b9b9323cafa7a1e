"""DTLS without sockets: datagrams in, datagrams and SRTP keys out (RFC 5763, RFC 5764).

OpenSSL runs over memory BIOs, in the manner of aiortc. A memory BIO forgets where one datagram ended, so what OpenSSL
wrote is cut at record boundaries and packed into datagrams no longer than the MTU.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from OpenSSL import SSL

from media.dtls_records import DATAGRAM_BYTES, is_client_hello, pack_datagrams
from media.identity import SRTP_PROFILES, DtlsIdentity, Fingerprint, SrtpProfile, fingerprints_match

# A peer that lacks our last flight asks for it again within this time: BoringSSL, whose timer doubles from 50 ms, nine
# times.
SETTLED_AFTER = 30.0


class DtlsState(StrEnum):
    """webrtc's RTCDtlsTransportState."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "failed"


class SrtpKeys(NamedTuple):
    """What the plane needs; each key is the master key followed by the master salt, as libsrtp takes it."""

    profile: str
    receive: bytes
    send: bytes


class DtlsSession:
    """One association. Feed it with `receive` and `handle_timeout`; send whatever `take_outgoing` gives after each."""

    def __init__(
        self, identity: DtlsIdentity, role: Literal["client", "server"], expected: Sequence[Fingerprint]
    ) -> None:
        self.role = role
        self.state = DtlsState.NEW
        self.failure: str | None = None  # why it failed: a stable name
        self.keys: SrtpKeys | None = None  # once connected
        self._expected = tuple(expected)
        self.version = ""  # the negotiated protocol as webrtc-stats writes it: FEFD is 1.2
        self._outgoing: list[bytes] = []
        self._flight: list[bytes] = []  # what was sent last
        self._farewell: list[bytes] | None = None  # once settled
        self._connection = SSL.Connection(identity.context, None)
        self._connection.set_ciphertext_mtu(DATAGRAM_BYTES)
        if role == "server":
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()

    @property
    def settled(self) -> bool:
        """Whether `settle` has let the association go."""
        return self._farewell is not None

    def start(self) -> None:
        """The path exists: a client says hello, a server waits for it."""
        if self.state is DtlsState.NEW:
            self.state = DtlsState.CONNECTING
            if self.role == "client":
                self._advance()

    def receive(self, datagram: bytes) -> None:
        """One datagram of the peer's; anything may be in it."""
        if self.state in {DtlsState.CLOSED, DtlsState.FAILED} or self.settled or not datagram:
            return
        self.start()
        try:
            self._connection.bio_write(datagram)
        except SSL.Error:
            return  # OpenSSL's buffer would not take it: as good as lost on the way
        self._advance()
        # Browsers ask again after 50 ms, which OpenSSL passes over: it would send again after a second.
        if self.state is DtlsState.CONNECTING and not self._outgoing and is_client_hello(datagram):
            self._outgoing = list(self._flight)

    def timeout(self) -> float | None:
        """Seconds until `handle_timeout` is due; None when nothing waits to be retransmitted."""
        if self.state not in {DtlsState.CONNECTING, DtlsState.CONNECTED} or self.settled:
            return None
        return self._connection.DTLSv1_get_timeout()

    def handle_timeout(self) -> None:
        """Retransmit the last flight where it is due; OpenSSL doubles its timer and gives up after a dozen."""
        if self.state not in {DtlsState.CONNECTING, DtlsState.CONNECTED} or self.settled:
            return
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error:
            if self.state is DtlsState.CONNECTING:
                self._fail("handshake_timeout")
        self._collect()

    def take_outgoing(self) -> list[bytes]:
        """The datagrams to send now."""
        outgoing, self._outgoing = self._outgoing, []
        self._flight = outgoing or self._flight
        return outgoing

    def close(self) -> None:
        """Say goodbye (close_notify); `take_outgoing` holds it."""
        if self.state is DtlsState.CONNECTED:
            if self._farewell is None:
                self._goodbye()
            else:
                self._outgoing += self._farewell
        if self.state is not DtlsState.FAILED:
            self.state = DtlsState.CLOSED

    def settle(self) -> None:
        """SETTLED_AFTER the handshake: let go of OpenSSL's association, some 90 KiB, and keep only our goodbye.

        The peer's goodbye is not understood from now on: its silence (ICE), or signaling, tells that it has left.
        """
        if self.state is DtlsState.CONNECTED and not self.settled:
            self._goodbye()
            self._farewell = self.take_outgoing()
            self._flight = []
            del self._connection

    def _advance(self) -> None:
        if self.state is DtlsState.CONNECTING:
            self._handshake()
        if self.state is DtlsState.CONNECTED:
            self._read()
        self._collect()

    def _handshake(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error:
            self._fail("handshake_failed")
            return
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None or not fingerprints_match(certificate, self._expected):
            self._goodbye()
            self._fail("fingerprint_mismatch")
            return
        profile = SRTP_PROFILES.get(self._connection.get_selected_srtp_profile().decode())
        if profile is None:
            self._goodbye()
            self._fail("no_srtp_profile")
            return
        self.keys = self._export(profile)
        self.version = f"{self._connection.get_protocol_version():04X}"
        self.state = DtlsState.CONNECTED

    def _read(self) -> None:
        """Let OpenSSL see retransmissions, alerts and close_notify; there is no application data to keep."""
        try:
            while self._connection.recv(DATAGRAM_BYTES):
                pass
        except SSL.WantReadError:
            return
        except SSL.ZeroReturnError:
            self._goodbye()
            self.state = DtlsState.CLOSED
        except SSL.Error:
            self._fail("association_broken")

    def _export(self, profile: SrtpProfile) -> SrtpKeys:
        key, salt = profile.key_bytes, profile.salt_bytes
        material = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        if self.role == "server":
            return SrtpKeys(profile.name, receive=client, send=server)
        return SrtpKeys(profile.name, receive=server, send=client)

    def _goodbye(self) -> None:
        try:
            self._connection.shutdown()
        except SSL.Error:
            return
        finally:
            self._collect()

    def _fail(self, reason: str) -> None:
        self.state = DtlsState.FAILED
        self.failure = reason

    def _collect(self) -> None:
        written = bytearray()
        try:
            while True:
                written += self._connection.bio_read(65_536)
        except SSL.Error:
            pass  # WantReadError: that was all
        if written:
            self._outgoing.extend(pack_datagrams(bytes(written)))
