"""Who we are in DTLS: one self-signed certificate for the whole engine, and how certificates are recognised."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

# Years, because a server runs for months with one certificate; peers check the fingerprint, not the dates (RFC 8827).
CERTIFICATE_LIFETIME = timedelta(days=3_650)

HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}

# TLS 1.2 names; DTLS 1.3 has its own fixed suites. The server's certificate decides which may be: our own is of ECDSA,
# and the RSA ones are for when we are the client of an encoder that has such a certificate.
CIPHERS = b":".join(
    (
        b"ECDHE-ECDSA-AES128-GCM-SHA256",
        b"ECDHE-ECDSA-CHACHA20-POLY1305",
        b"ECDHE-ECDSA-AES256-GCM-SHA384",
        b"ECDHE-ECDSA-AES128-SHA",
        b"ECDHE-ECDSA-AES256-SHA",
        b"ECDHE-RSA-AES128-GCM-SHA256",
        b"ECDHE-RSA-CHACHA20-POLY1305",
        b"ECDHE-RSA-AES256-GCM-SHA384",
    )
)


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
        # After the handshake an association hardly ever says anything: it need not keep its buffers for that.
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        # Self-signed certificates prove nothing by themselves: the fingerprint is checked after the handshake.
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_cipher_list(CIPHERS)
        context.set_tlsext_use_srtp(":".join(SRTP_PROFILES[name].name for name in profiles).encode())
        fingerprints = tuple(Fingerprint(name, _digest(certificate, name)) for name in HASHES)
        return cls(certificate, context, fingerprints)


def fingerprints_match(certificate: x509.Certificate, expected: Sequence[Fingerprint]) -> bool:
    """Whether at least one hash we know was announced and every such one is the certificate's (RFC 8122 section 5)."""
    known = [f for f in expected if f.algorithm in HASHES]
    return bool(known) and all(hmac.compare_digest(_digest(certificate, f.algorithm), f.value) for f in known)


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
