"""How much one client may send: what is beyond is dropped, so that nobody can take the thread from the others."""

from libc.stdint cimport int64_t

cdef enum:
    # 24 Mbit/s: all layers of a camera and a screen in 4K are less. A burst is a large key frame.
    MEDIA_BYTES_A_SECOND = 3_000_000
    MEDIA_BURST_US = 400_000
    # Transport-cc every 50 ms and some requests for each of a hundred pictures are less.
    RTCP_A_SECOND = 1_000
    RTCP_BURST_US = 1_000_000

# The time until which what was let through has used the rate up (the generic cell rate algorithm).
ctypedef int64_t rate_t


cdef inline bint rate_allows(rate_t *rate, int64_t now, int64_t cost, int64_t a_second, int64_t burst_us) noexcept nogil:
    """Let `cost` through, if it is within the rate and the burst."""
    cdef int64_t used = rate[0] if rate[0] > now else now
    used += cost * 1_000_000 // a_second
    if used - now > burst_us:
        return False
    rate[0] = used
    return True
