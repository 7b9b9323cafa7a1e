"""The dependency descriptor on its way out: with the consumer's frame number, and with the decode targets that it gets.

AV1's RTP payload format, A.4: who withholds layers says which decode targets are left, or a receiver would wait for frames of
chains that nobody sends. What the publisher said is taken bit by bit; only the mask is put into its place.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from media.plane.bits cimport put16
from media.plane.dependency cimport DEPENDENCY_LEAST, FLAGS_END
from media.plane.extensions cimport DEPENDENCY_LONGEST, described_t

cdef enum:
    MASKED = 0x40  # active_decode_targets_present_flag, in the first byte behind the mandatory fields


cdef inline void put_bit(uint8_t *out, int at, int bit) noexcept nogil:
    if bit:
        out[at >> 3] |= <uint8_t>(0x80 >> (at & 7))
    else:
        out[at >> 3] &= <uint8_t>~(0x80 >> (at & 7))


cdef inline void put_bits(uint8_t *out, int at, uint32_t value, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        put_bit(out, at + i, (value >> (count - 1 - i)) & 1)


cdef inline int write_dependency(
    uint8_t *out, const uint8_t *data, const described_t *described, uint16_t number, uint32_t active
) noexcept nogil:
    """Answers the length, at most DEPENDENCY_LONGEST.

    No mask is written where `active` is 0, and none where the descriptor could not be read or has no room for one.
    """
    cdef int length = described.length
    cdef int ends = 8 * length if length > DEPENDENCY_LEAST else FLAGS_END
    cdef int grown = (ends + described.targets + 7) >> 3
    cdef int at
    memcpy(out, data, length)
    put16(out + 1, number)
    if active == 0 or described.targets == 0:
        return length
    if length > DEPENDENCY_LEAST and data[DEPENDENCY_LEAST] & MASKED:
        put_bits(out, described.mask_at, active, described.targets)
        return length
    if grown > DEPENDENCY_LONGEST:
        return length
    memset(out + length, 0, grown - length)
    for at in range(described.mask_at, 8 * length):  # what stands behind the mask
        put_bit(out, at + described.targets, (data[at >> 3] >> (7 - (at & 7))) & 1)
    out[DEPENDENCY_LEAST] |= MASKED
    put_bits(out, described.mask_at, active, described.targets)
    return grown
