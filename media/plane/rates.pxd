"""How much one client may send: what is beyond is dropped, so that nobody can take the thread from the others."""

from libc.stdint cimport int64_t

from media.plane.bits cimport largest

cdef enum:
    # 24 Mbit/s: all layers of a camera and a screen in 4K are less. A burst is a large key frame.
    MEDIA_BYTES_A_SECOND = 3_000_000
    MEDIA_BURST_US = 400_000
    MEDIA_PACKET_LEAST = 250  # bytes that a smaller packet counts for, so 12,000 a second: each is decrypted and forwarded
    # Transport-cc every 50 ms and some requests for each of a hundred pictures are less.
    RTCP_A_SECOND = 1_000
    RTCP_BURST_US = 1_000_000
    # What is in them, see requests: a tenth microsecond each. Who loses a fifth of 40 Mbit/s asks for 1,200 packets a second, and
    # for a thousand of each picture at once after an outage.
    RTCP_ITEMS_A_SECOND = 20_000
    RTCP_ITEMS_BURST_US = 1_000_000
    # SSRCs not heard before. At once come those of all who are there, where a browser names another sender in the RTCP of each m= section.
    STRANGERS_A_SECOND = 16
    STRANGERS_BURST_US = 32_000_000

# The time until which what was let through has used the rate up (the generic cell rate algorithm).
ctypedef int64_t rate_t


cdef inline int64_t rate_after(rate_t rate, int64_t now, int64_t cost, int64_t a_second) noexcept nogil:
    return largest(rate, now) + cost * 1_000_000 // a_second


cdef inline bint rate_allows(rate_t rate, int64_t now, int64_t cost, int64_t a_second, int64_t burst_us) noexcept nogil:
    """Whether `cost` is within the rate and the burst."""
    return rate_after(rate, now, cost, a_second) - now <= burst_us


cdef inline void rate_use(rate_t *rate, int64_t now, int64_t cost, int64_t a_second) noexcept nogil:
    """Let it through."""
    rate[0] = rate_after(rate[0], now, cost, a_second)
