"""DTLS without sockets: datagrams in, datagrams and SRTP keys out (RFC 5763, RFC 5764).

OpenSSL runs over memory BIOs, in the manner of aiortc. A memory BIO forgets where one datagram ended, so what OpenSSL
wrote is cut at record boundaries and packed into datagrams no longer than the MTU.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

# Below the smallest path MTU in use (1280, IPv6) with room for IPv6, UDP and a tunnel.
DATAGRAM_BYTES = 1_200

# Years, because a server runs for months with one certificate; peers check the fingerprint, not the dates (RFC 8827).
CERTIFICATE_LIFETIME = timedelta(days=3_650)

HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}

# TLS 1.2 names; DTLS 1.3 has its own fixed suites. RSA certificates are accepted from old peers.
CIPHERS = b":".join(
    (
        b"ECDHE-ECDSA-AES128-GCM-SHA256",
        b"ECDHE-ECDSA-CHACHA20-POLY1305",
        b"ECDHE-ECDSA-AES256-GCM-SHA384",
        b"ECDHE-ECDSA-AES128-SHA",
        b"ECDHE-ECDSA-AES256-SHA",
    )
)

_RECORD_HEADER_BYTES = 13  # DTLS 1.2 and DTLSPlaintext: type, version, epoch, sequence, length
_UNIFIED_HEADER = 0b001  # the first three bits of a DTLS 1.3 ciphertext record (RFC 9147 section 4)


class DtlsState(StrEnum):
    """webrtc's RTCDtlsTransportState."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "failed"


class SrtpProfile(NamedTuple):
    """A DTLS-SRTP protection profile by OpenSSL's name, with the lengths of its key and salt (RFC 5764, RFC 7714)."""

    name: str
    key_bytes: int
    salt_bytes: int


SRTP_PROFILES: Mapping[str, SrtpProfile] = {
    profile.name: profile
    for profile in (
        SrtpProfile("SRTP_AEAD_AES_128_GCM", 16, 12),
        SrtpProfile("SRTP_AES128_CM_SHA1_80", 16, 14),
    )
}


class SrtpKeys(NamedTuple):
    """What the plane needs; each key is the master key followed by the master salt, as libsrtp takes it."""

    profile: str
    receive: bytes
    send: bytes


class Fingerprint(NamedTuple):
    """`algorithm` as in RFC 8122 ("sha-256"), `value` as upper-case hex pairs with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class DtlsIdentity:
    """Our certificate and key, one for the whole engine, and the contexts that use them."""

    certificate: x509.Certificate
    context: SSL.Context
    fingerprints: tuple[Fingerprint, ...]

    @classmethod
    def generate(cls, profiles: Sequence[str]) -> "DtlsIdentity":
        """A fresh self-signed P-256 certificate; `profiles` are names of SRTP_PROFILES in order of preference."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _self_signed(key, datetime.now(tz=UTC))
        context = SSL.Context(SSL.DTLS_METHOD)
        # Tickets and cached sessions would only cost memory: nobody resumes a DTLS-SRTP session. No MTU query: there
        # is no socket to ask.
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        # Self-signed certificates prove nothing by themselves: the fingerprint is checked after the handshake.
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_cipher_list(CIPHERS)
        context.set_tlsext_use_srtp(":".join(SRTP_PROFILES[name].name for name in profiles).encode())
        fingerprints = tuple(Fingerprint(name, _digest(certificate, name)) for name in HASHES)
        return cls(certificate, context, fingerprints)


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
        self._outgoing: list[bytes] = []
        self._connection = SSL.Connection(identity.context, None)
        self._connection.set_ciphertext_mtu(DATAGRAM_BYTES)
        if role == "server":
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()

    @property
    def version(self) -> str:
        """The negotiated protocol, for statistics."""
        return self._connection.get_protocol_version_name()

    def start(self) -> None:
        """The path exists: a client says hello, a server waits for it."""
        if self.state is DtlsState.NEW:
            self.state = DtlsState.CONNECTING
            if self.role == "client":
                self._advance()

    def receive(self, datagram: bytes) -> None:
        """One datagram of the peer's; anything may be in it."""
        if self.state in {DtlsState.CLOSED, DtlsState.FAILED} or not datagram:
            return
        self.start()
        try:
            self._connection.bio_write(datagram)
        except SSL.Error:
            return  # OpenSSL's buffer would not take it: as good as lost on the way
        self._advance()

    def timeout(self) -> float | None:
        """Seconds until `handle_timeout` is due; None when nothing waits to be retransmitted."""
        if self.state not in {DtlsState.CONNECTING, DtlsState.CONNECTED}:
            return None
        return self._connection.DTLSv1_get_timeout()

    def handle_timeout(self) -> None:
        """Retransmit the last flight where it is due; OpenSSL doubles its timer and gives up after a dozen."""
        if self.state not in {DtlsState.CONNECTING, DtlsState.CONNECTED}:
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
        return outgoing

    def close(self) -> None:
        """Say goodbye (close_notify); `take_outgoing` holds it."""
        if self.state is DtlsState.CONNECTED:
            self._goodbye()
        if self.state is not DtlsState.FAILED:
            self.state = DtlsState.CLOSED

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


def fingerprints_match(certificate: x509.Certificate, expected: Sequence[Fingerprint]) -> bool:
    """Whether at least one hash we know was announced and every such one is the certificate's (RFC 8122 section 5)."""
    known = [f for f in expected if f.algorithm in HASHES]
    return bool(known) and all(hmac.compare_digest(_digest(certificate, f.algorithm), f.value) for f in known)


def pack_datagrams(written: bytes, limit: int = DATAGRAM_BYTES) -> list[bytes]:
    """Cut OpenSSL's output at record boundaries and fill datagrams up to `limit`; a longer record goes alone."""
    datagrams: list[bytes] = []
    start = position = 0
    while position < len(written):
        length = _record_bytes(written, position)
        if position > start and position + length - start > limit:
            datagrams.append(written[start:position])
            start = position
        position += length
    datagrams.append(written[start:])
    return datagrams


def _record_bytes(data: bytes, position: int) -> int:
    """The length of the record at `position`; whatever is not understood reaches to the end."""
    rest = len(data) - position
    first = data[position]
    if first >> 5 != _UNIFIED_HEADER:
        if rest < _RECORD_HEADER_BYTES:
            return rest
        return min(rest, _RECORD_HEADER_BYTES + int.from_bytes(data[position + 11 : position + 13]))
    has_connection_id, long_sequence, has_length = first & 0x10, first & 0x08, first & 0x04
    if has_connection_id or not has_length:
        return rest
    header = 1 + (2 if long_sequence else 1)
    return min(rest, header + 2 + int.from_bytes(data[position + header : position + header + 2]))


def _self_signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFETIME)
        .sign(key, hashes.SHA256())
    )


def _digest(certificate: x509.Certificate, algorithm: str) -> str:
    return certificate.fingerprint(HASHES[algorithm]).hex(":").upper()
