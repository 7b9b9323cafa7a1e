"""H.264's parameter sets, without which no picture can be shown: the newest that a stream brought, or that were signalled.

Browsers send them before every key picture (RFC 6184). Hardware encoders often send them once at the beginning, or only in their SDP
(sprop-parameter-sets): who comes later would never see anything. So they are put before a key picture that lacks them.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memcmp, memcpy, memmove

from media.plane.bits cimport get16, put16
from media.plane.payload cimport H264_KIND, H264_PPS, H264_SPS, H264_STAP_A, aggregated_size

cdef enum:
    SETS_MOST = 900  # bytes; with headers they are one packet
    SETS_HEAD = 0x60 | H264_STAP_A  # as important as can be

# A STAP-A of one sequence parameter set and the picture parameter sets that came after it.
ctypedef struct sets_t:
    uint8_t bytes[<int>SETS_MOST]
    int length
    int count  # units


cdef inline bint sets_known(const sets_t *sets) noexcept nogil:
    return sets.count > 1


cdef inline int find_set(const sets_t *sets, const uint8_t *unit) noexcept nogil:
    """Where the picture parameter set is that this one replaces, 0: none. Its number is in its first bits."""
    cdef int at = 1
    while at < sets.length:
        if sets.bytes[at + 2] & H264_KIND == H264_PPS and sets.bytes[at + 3] == unit[1]:
            return at
        at += 2 + get16(sets.bytes + at)
    return 0


cdef inline void sets_note(sets_t *sets, const uint8_t *unit, int size) noexcept nogil:
    """Keep a parameter set; other units are passed over. With more than there is room for none are known."""
    cdef int kind, at, old
    kind = unit[0] & H264_KIND
    if size < 2 or (kind != H264_SPS and kind != H264_PPS):
        return
    if kind == H264_SPS:
        if sets.count and size == get16(sets.bytes + 1) and memcmp(unit, sets.bytes + 3, size) == 0:
            return
        sets.bytes[0] = SETS_HEAD
        sets.length = 1
        sets.count = 0
    elif sets.count == 0:
        return
    else:
        at = find_set(sets, unit)
        if at:
            old = 2 + get16(sets.bytes + at)
            memmove(sets.bytes + at, sets.bytes + at + old, sets.length - at - old)
            sets.length -= old
            sets.count -= 1
    if sets.length + 2 + size > SETS_MOST:
        sets.count = 0
        return
    put16(sets.bytes + sets.length, size)
    memcpy(sets.bytes + sets.length + 2, unit, size)
    sets.length += 2 + size
    sets.count += 1


cdef inline void sets_read(sets_t *sets, const uint8_t *payload, int length) noexcept nogil:
    """Keep those that a packet brings, which has been parsed."""
    cdef int size
    cdef int at = 1
    if payload[0] & H264_KIND != H264_STAP_A:
        sets_note(sets, payload, length)
        return
    while at < length:
        size = aggregated_size(payload, at, length)
        sets_note(sets, payload + at + 2, size)
        at += 2 + size
