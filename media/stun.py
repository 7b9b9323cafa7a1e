"""STUN binding requests in, answers out (RFC 8489, RFC 8445 section 7.3).

A codec of its own, of the one message that an ICE-lite server speaks: every subscriber checks every few seconds, and
reading a check into aioice's general message and back cost more processor than anything else Python did for him. Every
input gives a `BindingRequest` or a `StunError` with a reason to count. The tests hold it against aioice's.
"""

import hmac
import socket
import struct
import zlib
from dataclasses import dataclass

# Connectivity checks of browsers are about 100 bytes; the longest lawful user name alone is 513.
MAX_REQUEST_BYTES = 1_280

BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111
COOKIE = 0x2112A442

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
XOR_MAPPED_ADDRESS = 0x0020
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_LENGTH = struct.Struct("!H")
_HEADER_BYTES = 20
_INTEGRITY_BYTES = 24  # SHA-1's twenty behind the attribute's head
_FINGERPRINT_BYTES = 8
_FINGERPRINT_XOR = 0x5354554E
_ATTRIBUTES_PEEKED = 12  # checks have six to eight, the user name among the first
_IPV4, _IPV6 = 1, 2

_REASONS = {400: b"Bad Request", 401: b"Unauthenticated", 487: b"Role Conflict"}


class StunError(ValueError):
    """Not a binding request we could attribute to a transport; `reason` is the name of the counter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """A connectivity check, its integrity not yet verified."""

    datagram: bytes
    local_ufrag: str
    remote_ufrag: str
    use_candidate: bool
    peer_is_controlled: bool
    integrity_at: int | None  # where MESSAGE-INTEGRITY begins
    has_fingerprint: bool

    @property
    def has_integrity(self) -> bool:
        """Whether it is signed, rightly or not."""
        return self.integrity_at is not None

    @property
    def length(self) -> int:
        """Of the whole message, in bytes."""
        return len(self.datagram)

    @property
    def transaction_id(self) -> bytes:
        """Twelve bytes that the answer carries too."""
        return self.datagram[8:_HEADER_BYTES]

    def verified_by(self, password: str) -> bool:
        """Whether MESSAGE-INTEGRITY was made with our password; compared in constant time."""
        if self.integrity_at is None:
            return False
        signed = _with_length(self.datagram[: self.integrity_at], _INTEGRITY_BYTES)
        claimed = self.datagram[self.integrity_at + 4 : self.integrity_at + _INTEGRITY_BYTES]
        return hmac.compare_digest(claimed, hmac.digest(password.encode(), signed, "sha1"))


def peek_local_ufrag(datagram: bytes) -> str | None:
    """Our half of the user name, at a tenth of the cost of parsing: strangers may send as much STUN as they like."""
    position = _HEADER_BYTES
    for _ in range(_ATTRIBUTES_PEEKED):
        if position + 4 > len(datagram):
            return None
        kind, length = _ATTRIBUTE.unpack_from(datagram, position)
        if kind == USERNAME:
            local, colon, _rest = datagram[position + 4 : position + 4 + length].partition(b":")
            return local.decode("latin-1") if colon else None
        position += 4 + length + -length % 4
    return None


def parse_binding_request(datagram: bytes) -> BindingRequest:
    """The check in `datagram`; raises StunError for everything else."""
    if len(datagram) > MAX_REQUEST_BYTES:
        raise StunError("stun_too_long")
    if len(datagram) < _HEADER_BYTES:
        raise StunError("stun_malformed")
    kind, length, cookie, _transaction = _HEADER.unpack_from(datagram)
    if cookie != COOKIE or length + _HEADER_BYTES != len(datagram) or length % 4:
        raise StunError("stun_malformed")
    found = _attributes(datagram)
    if kind != BINDING_REQUEST:
        raise StunError("stun_not_a_binding_request")
    local, colon, remote = _value(datagram, found.get(USERNAME)).partition(b":")
    if not local or not colon:
        raise StunError("stun_without_username")
    return BindingRequest(
        datagram=datagram,
        local_ufrag=local.decode("latin-1"),
        remote_ufrag=remote.decode("latin-1"),
        use_candidate=USE_CANDIDATE in found,
        peer_is_controlled=ICE_CONTROLLED in found,
        integrity_at=found.get(MESSAGE_INTEGRITY),
        has_fingerprint=FINGERPRINT in found,
    )


def success_response(request: BindingRequest, host: str, port: int, password: str) -> bytes:
    """XOR-MAPPED-ADDRESS, integrity with our password, fingerprint."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host.partition("%")[0])
    # RFC 8489 section 14.2: masked, so that no middlebox "translates" the address on its way.
    mask = COOKIE.to_bytes(4) + request.transaction_id
    address = bytes(one ^ other for one, other in zip(packed, mask, strict=False))
    family = _IPV4 if len(packed) == 4 else _IPV6  # noqa: PLR2004
    mapped = struct.pack("!xBH", family, port ^ COOKIE >> 16) + address
    return _signed(request, BINDING_SUCCESS, XOR_MAPPED_ADDRESS, mapped, password)


def error_response(request: BindingRequest, code: int, password: str | None = None) -> bytes:
    """400 and 401 go without integrity (RFC 8489 section 9.1.3), 487 with it."""
    value = struct.pack("!xxBB", code // 100, code % 100) + _REASONS[code]
    return _signed(request, BINDING_ERROR, ERROR_CODE, value, password)


def _attributes(datagram: bytes) -> dict[int, int]:
    """Where each attribute begins, the first of its kind; what follows the signature is not signed and is left out."""
    found: dict[int, int] = {}
    position = _HEADER_BYTES
    while position < len(datagram):
        # Four bytes are left at least, because the message's length is a multiple of four.
        kind, length = _ATTRIBUTE.unpack_from(datagram, position)
        end = position + 4 + length + -length % 4
        if end > len(datagram) or FINGERPRINT in found:
            raise StunError("stun_malformed")
        # The length as it is written: 17 padded to 20 is no signature, however many bytes follow.
        if kind == MESSAGE_INTEGRITY and length != _INTEGRITY_BYTES - 4:
            raise StunError("stun_malformed")
        if kind == FINGERPRINT:
            _check_fingerprint(datagram, position, length)
        if kind == FINGERPRINT or MESSAGE_INTEGRITY not in found:
            found.setdefault(kind, position)
        position = end
    return found


def _check_fingerprint(datagram: bytes, position: int, length: int) -> None:
    if length != _FINGERPRINT_BYTES - 4:
        raise StunError("stun_malformed")
    claimed = datagram[position + 4 : position + _FINGERPRINT_BYTES]
    if int.from_bytes(claimed) != zlib.crc32(datagram[:position]) ^ _FINGERPRINT_XOR:
        raise StunError("stun_malformed")


def _value(datagram: bytes, position: int | None) -> bytes:
    if position is None:
        return b""
    _kind, length = _ATTRIBUTE.unpack_from(datagram, position)
    return datagram[position + 4 : position + 4 + length]


def _signed(request: BindingRequest, kind: int, attribute: int, value: bytes, password: str | None) -> bytes:
    """An answer with one attribute, signed where there is a password, and its fingerprint."""
    padded = value + bytes(-len(value) % 4)
    answer = _HEADER.pack(kind, 0, COOKIE, request.transaction_id)
    answer = _with_length(answer + _ATTRIBUTE.pack(attribute, len(value)) + padded, 0)
    if password is not None:
        answer = _with_length(answer, _INTEGRITY_BYTES)
        signature = hmac.digest(password.encode(), answer, "sha1")
        answer += _ATTRIBUTE.pack(MESSAGE_INTEGRITY, len(signature)) + signature
    answer = _with_length(answer, _FINGERPRINT_BYTES)
    return answer + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(answer) ^ _FINGERPRINT_XOR)


def _with_length(message: bytes, more: int) -> bytes:
    """`message` with its head saying that so many bytes more follow (RFC 8489 sections 14.5 and 14.7)."""
    return message[:2] + _LENGTH.pack(len(message) - _HEADER_BYTES + more) + message[4:]
