"""What the plane must know of a video payload: key frames, layers, and the counters it rewrites.

VP8 is RFC 7741, VP9 RFC 9628, H.264 RFC 6184, AV1 the RTP payload format of the Alliance for Open Media.
"""

from libc.stdint cimport uint8_t, uint16_t
from libc.string cimport memset

from media.plane.bits cimport get16

cdef enum codec_t:
    CODEC_OPAQUE  # audio: every packet stands alone
    CODEC_VP8
    CODEC_VP9
    CODEC_H264
    CODEC_AV1

cdef enum:
    LAYER_MOST = 3  # the highest spatial or temporal layer that is told from those above it
    VP9_REFERENCES = 3  # RFC 9628 section 4.2: at most so many in flexible mode
    H264_KIND = 0x1F  # nal_unit_type; from 24 on RFC 6184's own
    H264_IDR = 5
    H264_SPS = 7
    H264_PPS = 8
    H264_SINGLE_MOST = 23
    H264_STAP_A = 24
    H264_FU_A = 28

# H.264: what a packet has to do with parameter sets.
cdef enum sets_told_t:
    SETS_NOT
    SETS_HERE
    SETS_WANTED  # it begins a key picture without any

ctypedef struct picture_size_t:
    uint16_t width
    uint16_t height

# Kept for each packet of a ring, so it is small.
ctypedef struct payload_t:
    uint8_t key  # the first packet of a key frame
    uint8_t first  # the first packet of a frame, where the codec tells
    uint8_t last  # the last packet of a layer's frame, where the codec tells
    uint8_t layer_sync  # VP8 Y: a higher temporal layer may be entered here
    uint8_t has_layer
    uint8_t spatial
    uint8_t temporal
    # VP9 only
    uint8_t predicted  # P: refers to earlier pictures
    uint8_t stacked  # D: refers to the spatial layer below
    uint8_t up_switch  # U: higher temporal layers refer to no earlier picture of a higher layer from here on
    uint8_t flexible  # F: `references` say which earlier pictures, as differences of the picture id
    uint8_t reference_count
    uint8_t references[<int>VP9_REFERENCES]
    # VP8 and VP9; `*_at` are offsets into the payload, picture_bits 0 when absent
    uint8_t picture_bits
    uint8_t picture_at
    uint8_t tl0_at
    uint8_t layer_at
    uint8_t sets  # sets_told_t
    uint16_t picture
    uint8_t tl0
    uint8_t key_index


cdef inline int read_picture_id(payload_t *out, const uint8_t *data, int at, int length) noexcept nogil:
    """VP8's and VP9's, of 7 or 15 bits, which begins at `at`: where it ends, or 0 when it is cut off."""
    if length < at + 1:
        return 0
    out.picture_at = <uint8_t>at
    if not data[at] & 0x80:
        out.picture_bits = 7
        out.picture = data[at]
        return at + 1
    if length < at + 2:
        return 0
    out.picture_bits = 15
    out.picture = get16(data + at) & 0x7FFF
    return at + 2


cdef inline int parse_vp8(payload_t *out, const uint8_t *data, int length) noexcept nogil:
    """Fill `out`; where the picture's bytes begin behind the descriptor, 0 when it is broken."""
    cdef int at = 1
    cdef uint8_t flags
    if length < 1:
        return 0
    out.first = (data[0] & 0x17) == 0x10  # S set, partition 0
    if data[0] & 0x80:
        if length < 2:
            return 0
        flags = data[1]
        at = 2
        if flags & 0x80:
            at = read_picture_id(out, data, at, length)
            if at == 0:
                return 0
        if flags & 0x40:
            if length < at + 1:
                return 0
            out.tl0_at = <uint8_t>at
            out.tl0 = data[at]
            at += 1
        if flags & 0x30:
            if length < at + 1:
                return 0
            out.layer_at = <uint8_t>at
            if flags & 0x20:
                out.has_layer = True
                out.temporal = data[at] >> 6
                out.layer_sync = (data[at] >> 5) & 1
            if flags & 0x10:
                out.key_index = data[at] & 0x1F
            at += 1
    if length <= at:
        return 0
    out.key = out.first and not data[at] & 1
    return at


cdef inline int parse_structure(picture_size_t *largest, const uint8_t *data, int at, int length) noexcept nogil:
    """Behind VP9's scalability structure (RFC 9628 section 4.2.1), which begins at `at`; 0 when it is cut off."""
    cdef int pictures, layers
    cdef uint8_t head
    if length < at + 1:
        return 0
    head = data[at]
    at += 1
    if head & 0x10:
        layers = (head >> 5) + 1
        if length < at + 4 * layers:
            return 0
        while layers:
            if get16(data + at) > largest.width and get16(data + at + 2):
                largest.width = get16(data + at)
                largest.height = get16(data + at + 2)
            at += 4
            layers -= 1
    if head & 0x08:  # the group of pictures
        if length < at + 1:
            return 0
        pictures = data[at]
        at += 1
        while pictures:
            if length < at + 1:
                return 0
            at += 1 + ((data[at] >> 2) & 3)
            pictures -= 1
    return at if at <= length else 0


cdef inline int parse_vp9(
    payload_t *out, picture_size_t *largest, const uint8_t *data, int length
) noexcept nogil:
    """As `parse_vp8`; `largest` is only touched where the descriptor tells the sizes of layers."""
    cdef int at = 1
    cdef uint8_t flags, layer
    if length < 1:
        return 0
    flags = data[0]
    out.first = (flags >> 3) & 1
    out.last = (flags >> 2) & 1
    out.predicted = (flags >> 6) & 1
    out.flexible = (flags >> 4) & 1
    if out.flexible and not flags & 0x80:  # references are differences of the picture id
        return 0
    if flags & 0x80:
        at = read_picture_id(out, data, at, length)
        if at == 0:
            return 0
    if flags & 0x20:
        if length < at + 1:
            return 0
        layer = data[at]
        at += 1
        out.has_layer = True
        out.temporal = layer >> 5
        out.up_switch = (layer >> 4) & 1
        out.spatial = (layer >> 1) & 7
        out.stacked = layer & 1
        if out.temporal > LAYER_MOST:
            out.temporal = LAYER_MOST
        if out.spatial > LAYER_MOST:
            out.spatial = LAYER_MOST
        if not out.flexible:
            if length < at + 1:
                return 0
            out.tl0_at = <uint8_t>at
            out.tl0 = data[at]
            at += 1
    if out.flexible and out.predicted:
        while True:
            if length < at + 1 or out.reference_count == VP9_REFERENCES:
                return 0
            out.references[out.reference_count] = data[at] >> 1
            out.reference_count += 1
            at += 1
            if not data[at - 1] & 1:
                break
    if flags & 0x02:
        at = parse_structure(largest, data, at, length)
        if at == 0:
            return 0
    if length <= at:
        return 0
    out.key = out.first and not out.predicted and out.spatial == 0
    return at


cdef inline bint parse_av1(payload_t *out, const uint8_t *data, int length) noexcept nogil:
    """The aggregation header: Z, Y, W, N. A new coded video sequence begins with a key frame."""
    if length < 2:
        return False
    if data[0] & 0x80 and data[0] & 0x08:  # goes on from the packet before, and is the first of its sequence
        return False
    out.first = not data[0] >> 7
    out.key = (data[0] >> 3) & 1
    return True


cdef inline int aggregated_size(const uint8_t *data, int at, int length) noexcept nogil:
    """Of the unit behind its length at `at` in a STAP-A (RFC 6184 section 5.7.1); 0 when it is cut off or empty."""
    cdef int size
    if at + 3 > length:
        return 0
    size = get16(data + at)
    return size if at + 2 + size <= length else 0


cdef inline void note_unit(payload_t *out, uint8_t kind, const uint8_t *slice, int length) noexcept nogil:
    """Note a unit that begins in the packet. Of a key picture in several slices the one of its first macroblock (number 0, one bit of
    the slice header) is its beginning."""
    if kind == H264_SPS:
        out.key = True
    if kind == H264_SPS or kind == H264_PPS:
        out.sets = SETS_HERE
    elif kind == H264_IDR and (length == 0 or slice[0] & 0x80):
        out.key = True
        if out.sets == SETS_NOT:
            out.sets = SETS_WANTED


cdef inline bint parse_h264(payload_t *out, const uint8_t *data, int length) noexcept nogil:
    cdef int at = 1
    cdef int size
    cdef uint8_t kind
    if length < 1:
        return False
    kind = data[0] & H264_KIND
    if kind == H264_STAP_A:
        while at < length:
            size = aggregated_size(data, at, length)
            if size == 0:
                return False
            note_unit(out, data[at + 2] & H264_KIND, data + at + 3, size - 1)
            at += 2 + size
        return True
    if kind == H264_FU_A:
        if length < 2:
            return False
        if data[1] & 0x80:
            note_unit(out, data[1] & H264_KIND, data + 2, length - 2)
        return True
    note_unit(out, kind, data + 1, length - 1)
    return True


cdef inline bint parse_payload(payload_t *out, int codec, const uint8_t *data, int length) noexcept nogil:
    """Fill `out`; false when the payload is broken. For audio every packet is a key frame."""
    cdef picture_size_t largest
    memset(out, 0, sizeof(payload_t))
    if codec == CODEC_VP8:
        return parse_vp8(out, data, length) != 0
    if codec == CODEC_VP9:
        memset(&largest, 0, sizeof(picture_size_t))
        return parse_vp9(out, &largest, data, length) != 0
    if codec == CODEC_H264:
        return parse_h264(out, data, length)
    if codec == CODEC_AV1:
        return parse_av1(out, data, length)
    out.key = True
    out.first = True
    return True
