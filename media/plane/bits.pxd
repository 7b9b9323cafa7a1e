"""Big-endian fields and numbers that wrap. Everything here is total: callers have checked the lengths."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from *:
    int ones "__builtin_popcount"(unsigned int value) nogil  # bits that are set


cdef inline uint16_t get16(const uint8_t *at) noexcept nogil:
    return <uint16_t>((at[0] << 8) | at[1])


cdef inline uint32_t get24(const uint8_t *at) noexcept nogil:
    return (<uint32_t>at[0] << 16) | (<uint32_t>at[1] << 8) | at[2]


cdef inline uint32_t get32(const uint8_t *at) noexcept nogil:
    return (<uint32_t>at[0] << 24) | (<uint32_t>at[1] << 16) | (<uint32_t>at[2] << 8) | at[3]


cdef inline uint64_t get64(const uint8_t *at) noexcept nogil:
    return (<uint64_t>get32(at) << 32) | get32(at + 4)


cdef inline void put16(uint8_t *at, uint32_t value) noexcept nogil:
    at[0] = <uint8_t>(value >> 8)
    at[1] = <uint8_t>value


cdef inline void put24(uint8_t *at, uint32_t value) noexcept nogil:
    at[0] = <uint8_t>(value >> 16)
    at[1] = <uint8_t>(value >> 8)
    at[2] = <uint8_t>value


cdef inline void put32(uint8_t *at, uint32_t value) noexcept nogil:
    at[0] = <uint8_t>(value >> 24)
    at[1] = <uint8_t>(value >> 16)
    at[2] = <uint8_t>(value >> 8)
    at[3] = <uint8_t>value


cdef inline void put64(uint8_t *at, uint64_t value) noexcept nogil:
    put32(at, <uint32_t>(value >> 32))
    put32(at + 4, <uint32_t>value)


cdef inline int64_t unwrap16(int64_t last, uint16_t value) noexcept nogil:
    """The number congruent to `value` that is nearest to `last`."""
    return last + <int16_t>(value - <uint16_t>last)


cdef inline int64_t unwrap_bits(int64_t last, uint32_t value, int bits) noexcept nogil:
    """As `unwrap16`, for a counter of 2..31 bits (VP8 picture ids have 7 or 15)."""
    cdef int64_t span = <int64_t>1 << bits
    cdef int64_t step = (<int64_t>value - last) & (span - 1)
    if step >= span >> 1:
        step -= span
    return last + step


cdef inline int32_t ahead32(uint32_t a, uint32_t b) noexcept nogil:
    """How far timestamp `a` is ahead of `b`, over the wrap."""
    return <int32_t>(a - b)


cdef inline int64_t smallest(int64_t a, int64_t b) noexcept nogil:
    return a if a < b else b


cdef inline int64_t largest(int64_t a, int64_t b) noexcept nogil:
    return a if a > b else b
