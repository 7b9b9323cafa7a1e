"""What the plane must know of a video payload: key frames, and VP8's counters (RFC 7741, RFC 9628, RFC 6184)."""

from libc.stdint cimport uint8_t, uint16_t
from libc.string cimport memset

from media.plane.bits cimport get16

cdef enum codec_t:
    CODEC_OPAQUE  # audio: every packet stands alone
    CODEC_VP8
    CODEC_VP9
    CODEC_H264

ctypedef struct payload_t:
    bint key  # the first packet of a key frame
    bint first  # the first packet of a frame, where the codec tells
    bint layer_sync  # VP8 Y: a higher temporal layer may be entered here
    bint has_layer
    uint8_t temporal
    # VP8 only; `*_at` are offsets into the payload, picture_bits 0 when absent
    uint8_t picture_bits
    uint8_t picture_at
    uint8_t tl0_at
    uint8_t layer_at
    uint16_t picture
    uint8_t tl0
    uint8_t key_index


cdef inline bint parse_vp8(payload_t *out, const uint8_t *data, int length) noexcept nogil:
    cdef int at = 1
    cdef uint8_t flags
    if length < 1:
        return False
    out.first = (data[0] & 0x17) == 0x10  # S set, partition 0
    if data[0] & 0x80:
        if length < 2:
            return False
        flags = data[1]
        at = 2
        if flags & 0x80:
            if length < at + 1:
                return False
            out.picture_at = <uint8_t>at
            if data[at] & 0x80:
                if length < at + 2:
                    return False
                out.picture_bits = 15
                out.picture = get16(data + at) & 0x7FFF
                at += 2
            else:
                out.picture_bits = 7
                out.picture = data[at]
                at += 1
        if flags & 0x40:
            if length < at + 1:
                return False
            out.tl0_at = <uint8_t>at
            out.tl0 = data[at]
            at += 1
        if flags & 0x30:
            if length < at + 1:
                return False
            out.layer_at = <uint8_t>at
            if flags & 0x20:
                out.has_layer = True
                out.temporal = data[at] >> 6
                out.layer_sync = (data[at] >> 5) & 1
            if flags & 0x10:
                out.key_index = data[at] & 0x1F
            at += 1
    if length <= at:
        return False
    out.key = out.first and not data[at] & 1
    return True


cdef inline bint parse_vp9(payload_t *out, const uint8_t *data, int length) noexcept nogil:
    cdef int at = 1
    cdef bint bottom = True
    if length < 1:
        return False
    out.first = (data[0] >> 3) & 1
    if data[0] & 0x80:
        if length < at + 1:
            return False
        at += 2 if data[at] & 0x80 else 1
    if data[0] & 0x20:
        if length < at + 1:
            return False
        bottom = data[at] & 0x0E == 0  # spatial layer 0
        at += 1
    if length <= at:
        return False
    out.key = out.first and bottom and not data[0] & 0x40
    return True


cdef inline bint parse_h264(payload_t *out, const uint8_t *data, int length) noexcept nogil:
    cdef int at = 1
    cdef int size
    cdef uint8_t kind
    if length < 1:
        return False
    kind = data[0] & 0x1F
    if kind == 24:  # STAP-A
        while at + 3 <= length:
            size = get16(data + at)
            if size == 0 or at + 2 + size > length:
                return False
            if (data[at + 2] & 0x1F) == 7 or (data[at + 2] & 0x1F) == 5:
                out.key = True
            at += 2 + size
        return at == length
    if kind == 28:  # FU-A
        if length < 2:
            return False
        kind = data[1] & 0x1F
        out.key = data[1] & 0x80 and (kind == 5 or kind == 7)
        return True
    out.key = kind == 5 or kind == 7
    return True


cdef inline bint parse_payload(payload_t *out, int codec, const uint8_t *data, int length) noexcept nogil:
    """Fill `out`; false when the payload is broken. For audio every packet is a key frame."""
    memset(out, 0, sizeof(payload_t))
    if codec == CODEC_VP8:
        return parse_vp8(out, data, length)
    if codec == CODEC_VP9:
        return parse_vp9(out, data, length)
    if codec == CODEC_H264:
        return parse_h264(out, data, length)
    out.key = True
    out.first = True
    return True
