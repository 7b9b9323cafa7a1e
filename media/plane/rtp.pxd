"""RTP headers (RFC 3550 section 5.1) and header extensions in both forms (RFC 8285). Total on any input."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from media.plane.bits cimport get16, get32

cdef enum:
    RTP_HEADER = 12
    ONE_BYTE_PROFILE = 0xBEDE
    TWO_BYTE_PROFILE = 0x1000  # the low four bits are the application's

ctypedef struct rtp_t:
    bint marker
    uint8_t payload_type
    uint16_t sequence
    uint32_t timestamp
    uint32_t ssrc
    int payload_at
    int payload_length  # without padding
    int extensions_at
    int extensions_end
    bint two_byte

ctypedef struct element_t:
    uint8_t id
    int length
    int at


cdef inline bint parse_rtp(rtp_t *rtp, const uint8_t *data, int length) noexcept nogil:
    """Fill `rtp` from a decrypted packet; false when it is not RTP."""
    cdef int at, words, padding
    cdef uint16_t profile
    if length < RTP_HEADER or data[0] >> 6 != 2:
        return False
    rtp.marker = data[1] >> 7
    rtp.payload_type = data[1] & 0x7F
    rtp.sequence = get16(data + 2)
    rtp.timestamp = get32(data + 4)
    rtp.ssrc = get32(data + 8)
    rtp.extensions_at = 0
    rtp.extensions_end = 0
    rtp.two_byte = False
    at = RTP_HEADER + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if length < at + 4:
            return False
        profile = get16(data + at)
        words = get16(data + at + 2)
        at += 4
        if length < at + 4 * words:
            return False
        if profile == ONE_BYTE_PROFILE or profile & 0xFFF0 == TWO_BYTE_PROFILE:
            rtp.two_byte = profile != ONE_BYTE_PROFILE
            rtp.extensions_at = at
            rtp.extensions_end = at + 4 * words
        at += 4 * words
    if length < at:
        return False
    padding = 0
    if data[0] & 0x20:
        if length == at:
            return False
        padding = data[length - 1]
        if padding == 0 or padding > length - at:
            return False
    rtp.payload_at = at
    rtp.payload_length = length - at - padding
    return True


cdef inline bint next_element(const rtp_t *rtp, const uint8_t *data, int *cursor, element_t *element) noexcept nogil:
    """Step through the header extension elements; start with `cursor` at `rtp.extensions_at`."""
    cdef int at = cursor[0]
    cdef int head
    while at < rtp.extensions_end:
        if data[at] == 0:  # padding between elements
            at += 1
            continue
        if rtp.two_byte:
            head = 2
            if at + 2 > rtp.extensions_end:
                return False
            element.id = data[at]
            element.length = data[at + 1]
        else:
            head = 1
            element.id = data[at] >> 4
            element.length = (data[at] & 0x0F) + 1
            if element.id == 15 or element.id == 0:  # reserved, or padding with a length: stop, RFC 8285 section 4.2
                return False
        if at + head + element.length > rtp.extensions_end:
            return False
        element.at = at + head
        cursor[0] = at + head + element.length
        return True
    return False
