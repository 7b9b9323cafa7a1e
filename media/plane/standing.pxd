"""How long packets wait on the way: their delay against the shortest of the last minute or two, whatever has happened since.

The trendline sees a queue grow, and forgets at each new beginning; a queue that is full and stays so grows no more. The clocks at both ends
are not the same, so only differences count; they drift by a few milliseconds a minute.
"""

from libc.stdint cimport int64_t

from media.plane.bits cimport smallest

cdef enum:
    PERIOD_US = 60_000_000
    LEAP_US = 2_000_000  # no queue: their clock was set

ctypedef struct standing_t:
    bint any_
    int64_t delay_us  # of the quickest packet in the last report
    int64_t least_us  # of this period, and of the one before
    int64_t least_before_us
    int64_t period_us


cdef inline void standing_add(standing_t *standing, int64_t delay_us, int64_t now) noexcept nogil:
    """Once a report: the shortest delay in it, arrival less sending."""
    cdef int64_t leap = delay_us - standing.delay_us
    if not standing.any_ or leap > LEAP_US or leap < -LEAP_US:
        standing.any_ = True
        standing.least_us = delay_us
        standing.least_before_us = delay_us
        standing.period_us = now
    elif now - standing.period_us >= PERIOD_US:
        standing.least_before_us = standing.least_us
        standing.least_us = delay_us
        standing.period_us = now
    standing.delay_us = delay_us
    standing.least_us = smallest(standing.least_us, delay_us)


cdef inline int64_t shortest_us(const standing_t *standing) noexcept nogil:
    """The delay of a packet that finds no queue, on both clocks."""
    return smallest(standing.least_us, standing.least_before_us)


cdef inline void standing_forget(standing_t *standing) noexcept nogil:
    """Nothing has been measured for long: what stood has gone."""
    standing.delay_us = shortest_us(standing)


cdef inline int64_t standing_us(const standing_t *standing) noexcept nogil:
    return standing.delay_us - shortest_us(standing) if standing.any_ else 0
