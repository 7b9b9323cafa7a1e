"""The rate that delay allows: up by a factor while far from the link's capacity, by a packet a response time near it,
down to 85 % of what arrives when the queue grows (draft-ietf-rmcat-gcc-02 section 5.5).

Who sends much less than would be allowed is treated otherwise than there: what arrives is then no measure of the line, and many who
share one and send little would take each other's pictures away for good. See docs/congestion.md.
"""

from libc.math cimport ceil, fmax, fmin, pow
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
    PROVEN_US = 1_000_000
    EFFECT_US = 300_000  # until less is sent, and reports tell of it

ctypedef struct rate_t:
    double bps
    bint hungry  # there is no picture at all, though some are wanted
    double least_bps  # what is sent whatever the estimate, so sound: to promise less would relieve nobody
    double next_bps  # what one layer more would take: it may always be tried
    double full_bps  # what the last cluster showed the line to bear, as it came slower than it was sent; 0: it did not, or a queue grew since
    capacity_t capacity
    bint holds  # wait for the queue to empty
    int64_t changed_us
    int64_t reduced_us
    int sharers  # how many are known to share the line, this one with them
    double line_bps  # and what it bears, by what came to all of them


cdef inline double clamp_rate(double bps) noexcept nogil:
    if bps < RATE_LEAST:
        return RATE_LEAST
    return RATE_MOST if bps > RATE_MOST else bps


cdef inline void rate_reset(rate_t *rate, int64_t now) noexcept nogil:
    rate.bps = RATE_START
    rate.hungry = False
    rate.least_bps = 0
    rate.next_bps = 0
    rate.full_bps = 0
    capacity_reset(&rate.capacity)
    rate.holds = False
    rate.changed_us = now
    rate.reduced_us = 0
    rate.sharers = 1
    rate.line_bps = 0


cdef inline double additive_bps(double bps, int64_t rtt_us) noexcept nogil:
    """One average packet a response time, as bit/s a second."""
    cdef double frame = bps / 30
    cdef double packet = frame / ceil(frame / 9600)
    cdef double step = packet / ((rtt_us + 100_000) / 1e6)
    return step if step > 4000 else 4000


cdef inline double believed_most(const rate_t *rate, double acknowledged, bint idle) noexcept nogil:
    """What has not been tried is not believed; but what one layer more would take has to be, or it never is tried. Of who sends little
    no more is than the last cluster has shown: a larger picture begins with a key frame, which would fill the line for a second."""
    cdef double most = fmax(1.5 * acknowledged + 10_000, rate.next_bps)
    return fmin(most, fmax(rate.full_bps, acknowledged)) if idle and rate.full_bps > 0 else most


cdef inline void raise_rate(
    rate_t *rate, double acknowledged, bint idle, int64_t rtt_us, int64_t now
) noexcept nogil:
    cdef double elapsed = smallest(largest(now - rate.changed_us, 0), 1_000_000) / 1e6
    cdef double most = believed_most(rate, acknowledged, idle)
    cdef double step
    rate.changed_us = now
    if above_capacity(&rate.capacity, acknowledged):
        capacity_reset(&rate.capacity)
    if acknowledged <= 0 or rate.bps >= most:
        return
    if now - rate.reduced_us >= PROVEN_US:  # what arrives, and no queue grows, is borne
        rate.bps = fmax(rate.bps, fmin(acknowledged, rate.next_bps))
    if rate.capacity.kbps > 0:
        step = additive_bps(rate.bps, rtt_us) * elapsed / rate.sharers
    else:
        step = rate.bps * (pow(1.08, elapsed) - 1)
    rate.bps = fmin(rate.bps + step, most)


cdef inline bint may_reduce(
    const rate_t *rate, double acknowledged, bint idle, int64_t rtt_us, int64_t now
) noexcept nogil:
    """Once a round trip, so that the last reduction has shown its effect; at once if far too much is sent."""
    cdef int64_t wait = smallest(largest(rtt_us, REDUCE_LEAST_US), REDUCE_MOST_US) + EFFECT_US
    return now - rate.reduced_us >= wait or (0 < acknowledged < rate.bps / 2 and not idle)


cdef inline void note_capacity(rate_t *rate, double acknowledged) noexcept nogil:
    if below_capacity(&rate.capacity, acknowledged):
        capacity_reset(&rate.capacity)
    if acknowledged > 0:
        capacity_add(&rate.capacity, acknowledged)


cdef inline double reduced(const rate_t *rate, double acknowledged, bint idle) noexcept nogil:
    """`idle`: much less is sent than would be allowed. Then the queue is others' for the most part, and what arrives says
    nothing of what the line bears: all who share it give up the same part of what they are allowed, used or not. Cut to
    what arrives, whoever sends little could never send more."""
    cdef double target
    if acknowledged <= 0:
        return rate.bps / 2
    if idle and rate.hungry:
        return rate.bps  # it has nothing to give up; it waits
    if idle:
        return 0.85 * fmin(rate.bps, believed_most(rate, acknowledged, True))
    target = 0.85 * acknowledged
    if target > rate.bps and rate.capacity.kbps > 0:
        return 0.85 * 1000 * rate.capacity.kbps
    return target


cdef inline bint reduce_rate(
    rate_t *rate, double acknowledged, bint idle, int64_t rtt_us, int64_t now
) noexcept nogil:
    """Whether it was reduced."""
    cdef double target = fmax(reduced(rate, acknowledged, idle), rate.least_bps)
    if not may_reduce(rate, acknowledged, idle, rtt_us, now):
        return False
    if not idle:
        note_capacity(rate, acknowledged)
    rate.full_bps = 0
    rate.holds = True
    rate.changed_us = now
    rate.reduced_us = now
    if target < rate.bps:
        rate.bps = clamp_rate(target)
    return True


cdef inline bint rate_update(
    rate_t *rate, int usage, double acknowledged, bint idle, int64_t rtt_us, int64_t now
) noexcept nogil:
    """Once a feedback message; `acknowledged` is 0 while unknown. Whether the rate was reduced."""
    if usage == USAGE_OVER:
        return reduce_rate(rate, acknowledged, idle, rtt_us, now)
    if usage == USAGE_UNDER:
        rate.holds = True
        rate.changed_us = now
        return False
    if rate.holds:
        rate.holds = False
        rate.changed_us = now
    raise_rate(rate, acknowledged, idle, rtt_us, now)
    rate.bps = clamp_rate(rate.bps)
    return False


cdef inline void rate_share(rate_t *rate, double bps, int sharers, int64_t now) noexcept nogil:
    """A line that several share is full: what each of them is allowed from now on."""
    capacity_reset(&rate.capacity)
    capacity_add(&rate.capacity, bps)
    rate.bps = clamp_rate(bps)
    rate.full_bps = 0
    rate.sharers = sharers
    rate.holds = True
    rate.changed_us = now
    rate.reduced_us = now


cdef inline void rate_set(rate_t *rate, double bps, int64_t now) noexcept nogil:
    """A measured rate (a probe's) takes the place of the estimate."""
    rate.bps = clamp_rate(bps)
    rate.changed_us = now
