"""RTCP (RFC 3550 section 6, RFC 4585, RFC 5104): stepping through compound packets, and writing what the plane
sends."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from media.plane.bits cimport get16, put16, put24, put32, put64

cdef enum:
    RTCP_SR = 200
    RTCP_RR = 201
    RTCP_SDES = 202
    RTCP_BYE = 203
    RTCP_RTPFB = 205
    RTCP_PSFB = 206

    RTPFB_NACK = 1
    RTPFB_TRANSPORT_CC = 15
    PSFB_PLI = 1
    PSFB_FIR = 4
    PSFB_AFB = 15

    REPORT_BLOCK = 24
    REPORT_BLOCKS_MOST = 31
    CNAME_MOST = 64
    SR_AND_SDES_MOST = 28 + 8 + 2 + CNAME_MOST + 4

ctypedef struct rtcp_t:
    uint8_t count  # or the feedback message type
    uint8_t type
    int at  # of the body, behind the four bytes of the header
    int end  # without padding

ctypedef struct report_block_t:
    uint32_t ssrc
    uint8_t fraction
    uint32_t lost  # 24 bits
    uint32_t highest
    uint32_t jitter
    uint32_t last_sr
    uint32_t delay


cdef inline int next_rtcp(const uint8_t *data, int length, int *cursor, rtcp_t *packet) noexcept nogil:
    """1 and the next packet of a compound, 0 at its end, -1 when it is broken from here on."""
    cdef int at = cursor[0]
    cdef int end
    if at == length:
        return 0
    if length - at < 4 or data[at] >> 6 != 2:
        return -1
    end = at + 4 + 4 * get16(data + at + 2)
    if end > length:
        return -1
    packet.count = data[at] & 0x1F
    packet.type = data[at + 1]
    packet.at = at + 4
    packet.end = end
    if data[at] & 0x20:
        if end == at + 4 or data[end - 1] == 0 or data[end - 1] > end - at - 4:
            return -1
        packet.end = end - data[end - 1]
    cursor[0] = end
    return 1


cdef inline int write_header(uint8_t *out, int count, int type, int length) noexcept nogil:
    """The common header of a packet that is `length` bytes long in all."""
    out[0] = <uint8_t>(0x80 | count)
    out[1] = <uint8_t>type
    put16(out + 2, <uint32_t>(length // 4 - 1))
    return length


cdef inline void write_report_block(uint8_t *out, const report_block_t *block) noexcept nogil:
    put32(out, block.ssrc)
    out[4] = block.fraction
    put24(out + 5, block.lost)
    put32(out + 8, block.highest)
    put32(out + 12, block.jitter)
    put32(out + 16, block.last_sr)
    put32(out + 20, block.delay)


cdef inline int write_sr(
    uint8_t *out, uint32_t ssrc, uint64_t ntp, uint32_t rtp, uint32_t packets, uint32_t octets
) noexcept nogil:
    put32(out + 4, ssrc)
    put64(out + 8, ntp)
    put32(out + 16, rtp)
    put32(out + 20, packets)
    put32(out + 24, octets)
    return write_header(out, 0, RTCP_SR, 28)


cdef inline int write_sdes(uint8_t *out, uint32_t ssrc, const uint8_t *cname, int cname_length) noexcept nogil:
    cdef int at = 10 + cname_length
    put32(out + 4, ssrc)
    out[8] = 1
    out[9] = <uint8_t>cname_length
    memcpy(out + 10, cname, cname_length)
    out[at] = 0  # the list's end, and on to the next 32-bit boundary
    at += 1
    while at & 3:
        out[at] = 0
        at += 1
    return write_header(out, 1, RTCP_SDES, at)


cdef inline int write_pli(uint8_t *out, uint32_t sender, uint32_t media) noexcept nogil:
    put32(out + 4, sender)
    put32(out + 8, media)
    return write_header(out, PSFB_PLI, RTCP_PSFB, 12)


cdef inline int write_fir(uint8_t *out, uint32_t sender, uint32_t media, uint8_t sequence) noexcept nogil:
    put32(out + 4, sender)
    put32(out + 8, 0)
    put32(out + 12, media)
    put32(out + 16, <uint32_t>sequence << 24)
    return write_header(out, PSFB_FIR, RTCP_PSFB, 20)


cdef inline int write_nack(
    uint8_t *out, uint32_t sender, uint32_t media, const int64_t *wanted, int count
) noexcept nogil:
    """A generic NACK for ascending sequence numbers: each item names one and up to 16 that follow it."""
    cdef int at = 12
    cdef int i = 0
    cdef int64_t pid
    cdef uint32_t mask
    put32(out + 4, sender)
    put32(out + 8, media)
    while i < count:
        pid = wanted[i]
        mask = 0
        i += 1
        while i < count and wanted[i] - pid <= 16:
            mask |= <uint32_t>1 << (wanted[i] - pid - 1)
            i += 1
        put16(out + at, <uint16_t>pid)
        put16(out + at + 2, mask)
        at += 4
    return write_header(out, RTPFB_NACK, RTCP_RTPFB, at)


cdef inline uint32_t middle_ntp(uint64_t ntp) noexcept nogil:
    """The 32 bits of an NTP time that LSR carries."""
    return <uint32_t>(ntp >> 16)
