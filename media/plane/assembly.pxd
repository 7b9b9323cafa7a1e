"""What RTP's payload formats took apart, put together again: the payloads of one timestamp become the codec's units.

A unit is what the codec decodes or describes as one: a frame of VP8, a spatial layer's frame of VP9, a NAL unit of
H.264 (RFC 6184, packetization modes 0 and 1), an OBU of AV1, a packet of sound. Total on any input: what no format
allows is refused, and the caller begins anew. What the units say is the codec's matter and not looked at here.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from media.plane.payload cimport (
    CODEC_AV1, CODEC_H264, CODEC_VP8, CODEC_VP9, H264_FU_A, H264_KIND, H264_SINGLE_MOST, H264_STAP_A, aggregated_size,
    parse_vp8, parse_vp9, payload_t, picture_size_t,
)

cdef enum:
    ASSEMBLY_MOST = 1 << 23  # bytes: far above a key frame of a shared 4K screen; what grows beyond it is no picture
    ASSEMBLY_KEPT = 1 << 18  # of the room that one large picture took
    UNITS_MOST = 4096
    LEB128_BYTES = 8  # AV1 specification, 4.10.5
    FU_HEADER = 2

ctypedef struct assembly_t:
    uint8_t *bytes
    uint32_t room
    uint32_t used
    int count
    bint unfinished  # the last unit goes on in the next payload
    picture_size_t largest  # of the layers, where VP9's payloads tell
    uint32_t ends[<int>UNITS_MOST]  # of the units that are whole


cdef inline void assembly_clear(assembly_t *assembly) noexcept nogil:
    """Forget the picture; the room stays for the next one."""
    if assembly.room > ASSEMBLY_KEPT:
        free(assembly.bytes)
        assembly.bytes = NULL
        assembly.room = 0
    assembly.used = 0
    assembly.count = 0
    assembly.unfinished = False
    memset(&assembly.largest, 0, sizeof(picture_size_t))


cdef inline void assembly_close(assembly_t *assembly) noexcept nogil:
    free(assembly.bytes)
    assembly.bytes = NULL
    assembly.room = 0


cdef inline bint append_bytes(assembly_t *assembly, const uint8_t *data, int length) noexcept nogil:
    """False for a picture without an end, and without memory."""
    cdef uint32_t room = assembly.room if assembly.room else 4096
    cdef uint8_t *bytes
    if assembly.used + <uint32_t>length > ASSEMBLY_MOST:
        return False
    while room < assembly.used + <uint32_t>length:
        room *= 2
    if room != assembly.room:
        bytes = <uint8_t *>realloc(assembly.bytes, room)
        if bytes == NULL:
            return False
        assembly.bytes = bytes
        assembly.room = room
    memcpy(assembly.bytes + assembly.used, data, length)
    assembly.used += length
    return True


cdef inline bint end_unit(assembly_t *assembly) noexcept nogil:
    if assembly.count == UNITS_MOST:
        return False
    assembly.ends[assembly.count] = assembly.used
    assembly.count += 1
    return True


cdef inline bint append_unit(assembly_t *assembly, const uint8_t *data, int length) noexcept nogil:
    return append_bytes(assembly, data, length) and end_unit(assembly)


cdef inline bint append_vp8(assembly_t *assembly, const uint8_t *data, int length) noexcept nogil:
    """A picture begins with S set and partition 0, and has no end of its own."""
    cdef payload_t payload
    cdef int at
    memset(&payload, 0, sizeof(payload_t))
    at = parse_vp8(&payload, data, length)
    if at == 0 or payload.first == (assembly.used > 0):
        return False
    assembly.count = 0  # the one unit ends anew with each payload
    return append_unit(assembly, data + at, length - at)


cdef inline bint append_vp9(assembly_t *assembly, const uint8_t *data, int length) noexcept nogil:
    cdef payload_t payload
    cdef int at
    memset(&payload, 0, sizeof(payload_t))
    at = parse_vp9(&payload, &assembly.largest, data, length)
    if at == 0 or payload.first == assembly.unfinished:
        return False
    assembly.unfinished = not payload.last
    if assembly.unfinished:
        return append_bytes(assembly, data + at, length - at)
    return append_unit(assembly, data + at, length - at)


cdef inline bint append_fragment(assembly_t *assembly, const uint8_t *data, int length) noexcept nogil:
    """FU-A (RFC 6184 section 5.8): the unit's own first byte is spread over the two of the fragment's."""
    cdef uint8_t head
    cdef bint starts
    if length <= FU_HEADER:
        return False
    starts = data[1] >> 7
    if starts == assembly.unfinished:
        return False
    if starts:
        head = (data[0] & 0xE0) | (data[1] & H264_KIND)
        if not append_bytes(assembly, &head, 1):
            return False
    assembly.unfinished = not data[1] & 0x40
    if assembly.unfinished:
        return append_bytes(assembly, data + FU_HEADER, length - FU_HEADER)
    return append_unit(assembly, data + FU_HEADER, length - FU_HEADER)


cdef inline bint append_h264(assembly_t *assembly, const uint8_t *data, int length) noexcept nogil:
    cdef int kind = data[0] & H264_KIND
    cdef int at = 1
    cdef int size
    if kind == H264_FU_A:
        return append_fragment(assembly, data, length)
    if assembly.unfinished:
        return False
    if 1 <= kind <= H264_SINGLE_MOST:
        return append_unit(assembly, data, length)
    if kind != H264_STAP_A or length == 1:  # of nothing, or a packetization that was not negotiated
        return False
    while at < length:
        size = aggregated_size(data, at, length)
        if size == 0 or not append_unit(assembly, data + at + 2, size):
            return False
        at += 2 + size
    return True


cdef inline int read_leb128(uint64_t *value, const uint8_t *data, int at, int length) noexcept nogil:
    """The number at `at` (AV1 specification, 4.10.5): where it ends, 0 when it does not."""
    cdef int i
    value[0] = 0
    for i in range(LEB128_BYTES):
        if at + i >= length:
            return 0
        value[0] |= <uint64_t>(data[at + i] & 0x7F) << (7 * i)
        if not data[at + i] & 0x80:
            return at + i + 1
    return 0


cdef inline bint append_av1(assembly_t *assembly, const uint8_t *data, int length) noexcept nogil:
    """The elements behind the aggregation header: Z and Y say that the first and the last are parts of a unit, W how
    many there are, of which the last then has no length."""
    cdef int count, at
    cdef int seen = 0
    cdef uint64_t size
    cdef bint goes_on
    if length < 2 or (data[0] >> 7) != assembly.unfinished:
        return False
    goes_on = (data[0] >> 6) & 1
    count = (data[0] >> 4) & 3
    at = 1
    while at < length:
        seen += 1
        if seen == count:
            size = length - at
        else:
            at = read_leb128(&size, data, at, length)
            if at == 0 or size > <uint64_t>(length - at):
                return False
        if not append_bytes(assembly, data + at, <int>size):
            return False
        at += <int>size
        if (at < length or not goes_on) and not end_unit(assembly):
            return False
    assembly.unfinished = goes_on
    return seen >= count


cdef inline bint append_payload(assembly_t *assembly, int codec, const uint8_t *data, int length) noexcept nogil:
    """Add what a payload of at least one byte carries; false where its format does not allow it here."""
    if codec == CODEC_VP8:
        return append_vp8(assembly, data, length)
    if codec == CODEC_VP9:
        return append_vp9(assembly, data, length)
    if codec == CODEC_H264:
        return append_h264(assembly, data, length)
    if codec == CODEC_AV1:
        return append_av1(assembly, data, length)
    return append_unit(assembly, data, length)
