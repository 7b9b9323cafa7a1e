"""DTLS records: where one ends, for OpenSSL's memory BIO gives one run of bytes and the network wants datagrams."""

# Below the smallest path MTU in use (1280, IPv6) with room for IPv6, UDP and a tunnel.
DATAGRAM_BYTES = 1_200

_RECORD_HEADER_BYTES = 13  # DTLS 1.2 and DTLSPlaintext: type, version, epoch, sequence, length
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_UNIFIED_HEADER = 0b001  # the first three bits of a DTLS 1.3 ciphertext record (RFC 9147 section 4)


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


def is_client_hello(datagram: bytes) -> bool:
    """Whether it begins with (a part of) the first message of a handshake."""
    return len(datagram) > _RECORD_HEADER_BYTES and (datagram[0], datagram[_RECORD_HEADER_BYTES]) == (
        _HANDSHAKE,
        _CLIENT_HELLO,
    )


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
