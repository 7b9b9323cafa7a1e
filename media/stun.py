"""STUN binding requests in, answers out (RFC 8489, RFC 8445 section 7.3), over aioice's codec.

aioice's parser lets `struct.error` out for attributes of the wrong length and does not say which rule a message
breaks; here every input gives a `BindingRequest` or a `StunError` with a reason to count.
"""

import struct
from dataclasses import dataclass

from aioice import stun

# Connectivity checks of browsers are about 100 bytes; the longest lawful user name alone is 513.
MAX_REQUEST_BYTES = 1_280

# Checks have six to eight attributes, the user name among the first.
_ATTRIBUTES_PEEKED = 12
_HEADER_BYTES = 20
_USERNAME = 0x0006

_REASONS = {400: "Bad Request", 401: "Unauthenticated", 487: "Role Conflict"}


class StunError(ValueError):
    """Not a binding request we could attribute to a transport; `reason` is the name of the counter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """A connectivity check, its integrity not yet verified."""

    local_ufrag: str
    remote_ufrag: str
    use_candidate: bool
    peer_is_controlled: bool
    has_integrity: bool
    has_fingerprint: bool
    length: int
    message: stun.Message

    def verified_by(self, password: str) -> bool:
        """Whether MESSAGE-INTEGRITY was made with our password; compared in constant time."""
        return self.message.check_message_integrity(password.encode())


def peek_local_ufrag(datagram: bytes) -> str | None:
    """Our half of the user name, at a tenth of the cost of parsing: strangers may send as much STUN as they like."""
    position = _HEADER_BYTES
    for _ in range(_ATTRIBUTES_PEEKED):
        if position + 4 > len(datagram):
            return None
        length = datagram[position + 2] << 8 | datagram[position + 3]
        if datagram[position] << 8 | datagram[position + 1] == _USERNAME:
            local, colon, _rest = datagram[position + 4 : position + 4 + length].partition(b":")
            return local.decode("latin-1") if colon else None
        position += 4 + length + -length % 4
    return None


def parse_binding_request(datagram: bytes) -> BindingRequest:
    """The check in `datagram`; raises StunError for everything else."""
    if len(datagram) > MAX_REQUEST_BYTES:
        raise StunError("stun_too_long")
    try:
        message = stun.parse_message(datagram)
    except (ValueError, struct.error) as error:
        raise StunError("stun_malformed") from error
    if datagram[4:8] != stun.COOKIE.to_bytes(4):
        raise StunError("stun_malformed")
    if message.message_class != stun.Class.REQUEST or message.message_method != stun.Method.BINDING:
        raise StunError("stun_not_a_binding_request")
    local, colon, remote = str(message.attributes.get("USERNAME", "")).partition(":")
    if not local or not colon:
        raise StunError("stun_without_username")
    return BindingRequest(
        local_ufrag=local,
        remote_ufrag=remote,
        use_candidate="USE-CANDIDATE" in message.attributes,
        peer_is_controlled="ICE-CONTROLLED" in message.attributes,
        has_integrity="MESSAGE-INTEGRITY" in message.attributes,
        has_fingerprint="FINGERPRINT" in message.attributes,
        length=len(datagram),
        message=message,
    )


def success_response(request: BindingRequest, host: str, port: int, password: str) -> bytes:
    """XOR-MAPPED-ADDRESS, integrity with our password, fingerprint."""
    response = stun.Message(
        stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.message.transaction_id
    )
    response.attributes["XOR-MAPPED-ADDRESS"] = (host, port)
    response.add_message_integrity(password.encode())
    return bytes(response)


def error_response(request: BindingRequest, code: int, password: str | None = None) -> bytes:
    """400 and 401 go without integrity (RFC 8489 section 9.1.3), 487 with it."""
    response = stun.Message(
        stun.Method.BINDING, stun.Class.ERROR, transaction_id=request.message.transaction_id
    )
    response.attributes["ERROR-CODE"] = (code, _REASONS[code])
    if password is None:
        response.add_fingerprint()
    else:
        response.add_message_integrity(password.encode())
    return bytes(response)
