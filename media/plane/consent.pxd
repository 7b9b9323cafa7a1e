"""Consent (RFC 7675): the checks that a peer repeats every few seconds, answered without Python.

Only a check that changes nothing is answered here: from the address that the transport's media goes to, with the
credentials in use, in order in every respect. Whatever is first, new, wrong or of another kind goes to `media.ice`, which
answers to the letter as this does.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy

from media.plane.address cimport address_t, same_address
from media.plane.batch cimport batch_add
from media.plane.bits cimport get16, get32, put16, put32
from media.plane.objects cimport consent_t, core_t, transport_t
from media.plane.sending cimport send_room

cdef extern from *:
    """
    static const uint32_t HUITANG_CRC_HALF_BYTES[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    """
    const uint32_t CRC_HALF_BYTES "HUITANG_CRC_HALF_BYTES"[16]

cdef enum:
    CHECK_MOST = 1_280  # bytes, as for media.stun
    HEADER = 20
    REQUEST = 0x0001
    SUCCESS = 0x0101
    COOKIE = 0x2112A442
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    XOR_MAPPED_ADDRESS = 0x0020
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    DIGEST = 20  # of SHA-1
    INTEGRITY_BYTES = 4 + DIGEST
    FINGERPRINT_BYTES = 8
    FINGERPRINT_XOR = 0x5354554E

# Where in a check its parts are.
ctypedef struct check_t:
    const uint8_t *user
    int user_length
    int integrity_at


cdef inline uint32_t crc32(const uint8_t *data, int length) noexcept nogil:
    """ITU-T V.42's, as RFC 8489 section 14.7 wants it; half a byte at a time."""
    cdef uint32_t crc = ~<uint32_t>0
    cdef int i
    for i in range(length):
        crc ^= data[i]
        crc = (crc >> 4) ^ CRC_HALF_BYTES[crc & 15]
        crc = (crc >> 4) ^ CRC_HALF_BYTES[crc & 15]
    return ~crc


cdef inline bint sign(core_t *core, const consent_t *consent, const uint8_t *data, int length, uint8_t *out) noexcept nogil:
    """HMAC-SHA1 under our password: DIGEST bytes (RFC 8489 section 14.5)."""
    return core.hmac(core.sha1, consent.password, consent.password_length, data, length, out, NULL) != NULL


cdef inline bint read_check(check_t *check, const uint8_t *data, int length) noexcept nogil:
    """Find the parts of a controlling peer's check that is signed and whole; False for anything else."""
    cdef int at = HEADER
    cdef int end, kind, size
    check.user = NULL
    check.user_length = 0
    check.integrity_at = 0
    if length > CHECK_MOST or length < HEADER or get16(data) != REQUEST or get32(data + 4) != <uint32_t>COOKIE:
        return False
    if get16(data + 2) + HEADER != length or length % 4:
        return False
    while at < length:
        kind = get16(data + at)
        size = get16(data + at + 2)
        end = at + 4 + ((size + 3) & ~3)
        if end > length:
            return False
        if kind == FINGERPRINT:
            # It is the last, and there must be one, so that no other protocol's bytes are taken for a check.
            return (
                end == length and size == 4 and check.user != NULL and check.integrity_at
                and get32(data + at + 4) == (crc32(data, at) ^ <uint32_t>FINGERPRINT_XOR)
            )
        if not check.integrity_at:  # what follows it is not signed
            if kind == MESSAGE_INTEGRITY:
                if size != DIGEST:
                    return False
                check.integrity_at = at
            elif kind == ICE_CONTROLLED:
                return False
            elif kind == USERNAME and check.user == NULL:
                check.user = data + at + 4
                check.user_length = size
        elif kind == MESSAGE_INTEGRITY and size != DIGEST:
            return False
        at = end
    return False


cdef inline bint is_signed(core_t *core, const consent_t *consent, uint8_t *data, const check_t *check) noexcept nogil:
    """Whether the check was made with our user name and password; compared in constant time."""
    cdef uint8_t expected[<int>DIGEST]
    cdef uint8_t length[2]
    cdef uint8_t differs = 0
    cdef bint signed
    cdef int i
    if check.user_length <= consent.ufrag_length or check.user[consent.ufrag_length] != 0x3A:  # a colon
        return False
    if memcmp(check.user, consent.ufrag, consent.ufrag_length) != 0:
        return False
    # The signature covers a header whose length ends with it.
    memcpy(length, data + 2, 2)
    put16(data + 2, <uint16_t>(check.integrity_at - HEADER + INTEGRITY_BYTES))
    signed = sign(core, consent, data, check.integrity_at, expected)
    memcpy(data + 2, length, 2)
    for i in range(DIGEST):
        differs |= expected[i] ^ data[check.integrity_at + 4 + i]
    return signed and not differs


cdef inline int write_mapped(uint8_t *out, const uint8_t *request, const address_t *address) noexcept nogil:
    """XOR-MAPPED-ADDRESS (RFC 8489 section 14.2); its length."""
    cdef int size = 16 if address.ipv6 else 4
    cdef const uint8_t *ip = &address.ip[16 - size]  # IPv4 is mapped into IPv6's
    cdef int i
    put16(out, XOR_MAPPED_ADDRESS)
    put16(out + 2, <uint16_t>(4 + size))
    out[4] = 0
    out[5] = 2 if address.ipv6 else 1
    memcpy(out + 6, &address.port, 2)
    for i in range(2):
        out[6 + i] ^= request[4 + i]
    for i in range(size):
        out[8 + i] = ip[i] ^ request[4 + i]  # the cookie, then the transaction id
    return 8 + size


cdef inline int write_success(
    core_t *core, const consent_t *consent, uint8_t *out, const uint8_t *request, const address_t *address
) noexcept nogil:
    """The answer: mapped address, integrity, fingerprint; its length, 0 where it could not be signed."""
    cdef int length = HEADER
    put16(out, SUCCESS)
    memcpy(out + 4, request + 4, 16)
    length += write_mapped(out + length, request, address)
    put16(out + 2, <uint16_t>(length - HEADER + INTEGRITY_BYTES))
    put16(out + length, MESSAGE_INTEGRITY)
    put16(out + length + 2, DIGEST)
    if not sign(core, consent, out, length, out + length + 4):
        return 0
    length += INTEGRITY_BYTES
    put16(out + 2, <uint16_t>(length - HEADER + FINGERPRINT_BYTES))
    put16(out + length, FINGERPRINT)
    put16(out + length + 2, 4)
    put32(out + length + 4, crc32(out, length) ^ <uint32_t>FINGERPRINT_XOR)
    return length + FINGERPRINT_BYTES


cdef inline bint answer_consent(
    core_t *core, transport_t *transport, uint8_t *data, int length, const address_t *address
) noexcept nogil:
    """Answer a STUN message from one of the transport's addresses; False, and nothing is done, where it is Python's."""
    cdef const consent_t *consent = &transport.consent
    cdef check_t check
    cdef uint8_t *out
    cdef int written
    if not consent.ufrag_length or not transport.has_remote or not same_address(address, &transport.remote):
        return False
    if not read_check(&check, data, length) or not is_signed(core, consent, data, &check):
        return False
    out = send_room(core, transport)
    written = write_success(core, consent, out, data, address)
    if not written:
        return False
    batch_add(core.batches[transport.remote.socket], &transport.remote, written)
    transport.consented_us = core.now
    core.consents += 1
    return True
