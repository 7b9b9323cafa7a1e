"""The header extensions the plane knows, and the writing of them for one consumer."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset

from media.plane.bits cimport put16

cdef enum extension_kind_t:
    EXT_NONE
    EXT_MID
    EXT_RID
    EXT_REPAIRED_RID
    EXT_ABS_SEND_TIME
    EXT_TRANSPORT_CC
    EXT_DEPENDENCY  # passed on with another frame number, and with the decode targets that the subscriber gets
    # From here on: passed on from the publisher to the subscriber.
    EXT_AUDIO_LEVEL
    EXT_VIDEO_ORIENTATION
    EXT_PLAYOUT_DELAY
    EXT_ABS_CAPTURE_TIME
    EXT_KINDS

cdef enum:
    FIRST_PASSED = EXT_AUDIO_LEVEL
    PASSED_KINDS = EXT_KINDS - EXT_AUDIO_LEVEL
    PASSED_LONGEST = 16  # what the one-byte form can carry
    DEPENDENCY_LONGEST = 255
    # mid (16 bytes) + abs-send-time + transport-cc + four passed ones + the dependency descriptor, two bytes of head each, and
    # padding
    EXTENSIONS_LONGEST = 4 + 18 + 5 + 4 + 4 * 18 + 2 + DEPENDENCY_LONGEST + 3

ctypedef uint8_t kinds_by_id_t[256]  # extension_kind_t of a publisher's ids

# Where a stored packet has an extension that is passed on; length 0 when it has none.
ctypedef struct passed_t:
    unsigned short at
    unsigned char length

# Where a stored packet has its dependency descriptor, and what was read of it.
ctypedef struct described_t:
    unsigned short at
    unsigned char length  # 0: it has none
    unsigned char targets  # decode targets of the structure it follows; 0: not known
    unsigned short mask_at  # bits before the mask of those that are active, or before where it would be

# A subscriber's ids, and the part of the block that is the same in each packet.
ctypedef struct extension_writer_t:
    uint8_t ids[<int>EXT_KINDS]
    uint8_t fixed[40]
    int fixed_length
    int abs_send_time_at  # from the block's start; 0 when not negotiated
    int transport_cc_at
    bint two_byte
    bint passes


cdef inline int write_element(
    uint8_t *out, bint two_byte, uint8_t id, const uint8_t *value, int length
) noexcept nogil:
    if two_byte:
        out[0] = id
        out[1] = <uint8_t>length
        memcpy(out + 2, value, length)
        return length + 2
    out[0] = <uint8_t>((id << 4) | (length - 1))
    memcpy(out + 1, value, length)
    return length + 1


cdef inline void prepare_extensions(extension_writer_t *writer, const uint8_t *mid, int mid_length) noexcept nogil:
    """Lay out the fixed part once `ids` are set; `mid` has at most 16 bytes."""
    cdef uint8_t zeros[4]
    cdef int kind, head
    cdef int at = 4
    memset(zeros, 0, 4)
    writer.two_byte = writer.ids[<int>EXT_DEPENDENCY] != 0  # a key frame's is longer than the one-byte form can say
    writer.passes = False
    for kind in range(1, <int>EXT_KINDS):
        if writer.ids[kind] > 14:
            writer.two_byte = True
        if kind >= FIRST_PASSED and writer.ids[kind]:
            writer.passes = True
    head = 2 if writer.two_byte else 1
    put16(writer.fixed, 0x1000 if writer.two_byte else 0xBEDE)
    if writer.ids[<int>EXT_MID] and mid_length:
        at += write_element(writer.fixed + at, writer.two_byte, writer.ids[<int>EXT_MID], mid, mid_length)
    writer.abs_send_time_at = 0
    if writer.ids[<int>EXT_ABS_SEND_TIME]:
        writer.abs_send_time_at = at + head
        at += write_element(writer.fixed + at, writer.two_byte, writer.ids[<int>EXT_ABS_SEND_TIME], zeros, 3)
    writer.transport_cc_at = 0
    if writer.ids[<int>EXT_TRANSPORT_CC]:
        writer.transport_cc_at = at + head
        at += write_element(writer.fixed + at, writer.two_byte, writer.ids[<int>EXT_TRANSPORT_CC], zeros, 2)
    writer.fixed_length = at


cdef inline int write_extensions(
    const extension_writer_t *writer, uint8_t *out, const uint8_t *source, const passed_t *passed,
    const uint8_t *dependency, int dependency_length
) noexcept nogil:
    """Write the whole block for one packet; answers its length, 0 when it would be empty. `dependency` may have no length."""
    cdef int kind
    cdef int at = writer.fixed_length
    memcpy(out, writer.fixed, writer.fixed_length)
    if writer.passes:
        for kind in range(PASSED_KINDS):
            if passed[kind].length and writer.ids[<int>FIRST_PASSED + kind]:
                at += write_element(
                    out + at, writer.two_byte, writer.ids[<int>FIRST_PASSED + kind],
                    source + passed[kind].at, passed[kind].length,
                )
    if dependency_length and writer.ids[<int>EXT_DEPENDENCY]:
        at += write_element(
            out + at, writer.two_byte, writer.ids[<int>EXT_DEPENDENCY], dependency, dependency_length
        )
    if at == 4:
        return 0
    while at & 3:
        out[at] = 0
        at += 1
    put16(out + 2, <uint32_t>(at - 4) >> 2)
    return at
