"""The rate that delay allows: up by a factor while far from the link's capacity, by a packet a response time near it,
down to 85 % of what arrives when the queue grows (draft-ietf-rmcat-gcc-02 section 5.5)."""

from libc.math cimport ceil, pow
from libc.stdint cimport int64_t

from media.plane.bits cimport largest, smallest
from media.plane.capacity cimport above_capacity, below_capacity, capacity_add, capacity_reset, capacity_t
from media.plane.trendline cimport USAGE_NORMAL, USAGE_OVER, USAGE_UNDER

cdef enum:
    RATE_START = 300_000  # a voice and a small picture, on any line that carries a call at all
    RATE_LEAST = 30_000  # one voice: below it there is nothing left to give up
    RATE_MOST = 40_000_000  # 16 pictures of 2.5 Mbit/s; and as fast as the history of sent packets holds 0.4 s
    REDUCE_LEAST_US = 10_000
    REDUCE_MOST_US = 200_000

ctypedef struct rate_t:
    double bps
    capacity_t capacity
    bint holds  # wait for the queue to empty
    int64_t changed_us
    int64_t reduced_us


cdef inline double clamp_rate(double bps) noexcept nogil:
    if bps < RATE_LEAST:
        return RATE_LEAST
    return RATE_MOST if bps > RATE_MOST else bps


cdef inline void rate_reset(rate_t *rate, int64_t now) noexcept nogil:
    rate.bps = RATE_START
    capacity_reset(&rate.capacity)
    rate.holds = False
    rate.changed_us = now
    rate.reduced_us = 0


cdef inline double additive_bps(double bps, int64_t rtt_us) noexcept nogil:
    """One average packet a response time, as bit/s a second."""
    cdef double frame = bps / 30
    cdef double packet = frame / ceil(frame / 9600)
    cdef double step = packet / ((rtt_us + 100_000) / 1e6)
    return step if step > 4000 else 4000


cdef inline void raise_rate(rate_t *rate, double acknowledged, int64_t rtt_us, int64_t now) noexcept nogil:
    cdef double elapsed = smallest(largest(now - rate.changed_us, 0), 1_000_000) / 1e6
    cdef double most = 1.5 * acknowledged + 10_000
    cdef double step
    rate.changed_us = now
    if above_capacity(&rate.capacity, acknowledged):
        capacity_reset(&rate.capacity)
    if acknowledged <= 0 or rate.bps >= most:
        return  # what has not been tried is not believed
    if rate.capacity.kbps > 0:
        step = additive_bps(rate.bps, rtt_us) * elapsed
    else:
        step = rate.bps * (pow(1.08, elapsed) - 1)
    rate.bps += step
    if rate.bps > most:
        rate.bps = most


cdef inline bint may_reduce(const rate_t *rate, double acknowledged, int64_t rtt_us, int64_t now) noexcept nogil:
    """Once a round trip, so that the last reduction has shown its effect; at once if far too much is sent."""
    cdef int64_t wait = smallest(largest(rtt_us, REDUCE_LEAST_US), REDUCE_MOST_US)
    return now - rate.reduced_us >= wait or (0 < acknowledged < rate.bps / 2)


cdef inline bint reduce_rate(rate_t *rate, double acknowledged, int64_t rtt_us, int64_t now) noexcept nogil:
    """Whether it was reduced."""
    cdef double target = 0.85 * acknowledged if acknowledged > 0 else rate.bps / 2
    if not may_reduce(rate, acknowledged, rtt_us, now):
        return False
    if target > rate.bps and rate.capacity.kbps > 0:
        target = 0.85 * 1000 * rate.capacity.kbps
    if below_capacity(&rate.capacity, acknowledged):
        capacity_reset(&rate.capacity)
    if acknowledged > 0:
        capacity_add(&rate.capacity, acknowledged)
    rate.holds = True
    rate.changed_us = now
    rate.reduced_us = now
    if target < rate.bps:
        rate.bps = clamp_rate(target)
    return True


cdef inline bint rate_update(
    rate_t *rate, int usage, double acknowledged, int64_t rtt_us, int64_t now
) noexcept nogil:
    """Once a feedback message; `acknowledged` is 0 while unknown. Whether the rate was reduced."""
    if usage == USAGE_OVER:
        return reduce_rate(rate, acknowledged, rtt_us, now)
    if usage == USAGE_UNDER:
        rate.holds = True
        rate.changed_us = now
        return False
    if rate.holds:
        rate.holds = False
        rate.changed_us = now
    raise_rate(rate, acknowledged, rtt_us, now)
    rate.bps = clamp_rate(rate.bps)
    return False


cdef inline void rate_set(rate_t *rate, double bps, int64_t now) noexcept nogil:
    """A measured rate (a probe's) takes the place of the estimate."""
    rate.bps = clamp_rate(bps)
    rate.changed_us = now
