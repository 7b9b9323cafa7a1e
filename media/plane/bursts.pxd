"""Packets grouped by the bursts they were sent in, and how the gaps between bursts changed on their way.

draft-ietf-rmcat-gcc-02 section 5.1: what leaves within 5 ms is one group; what piled up on the way and arrives together
belongs to the group before. The difference of two groups' gaps at the receiver and at the sender is the change of the
queues between them. Clocks need not agree, and a leap of either begins anew.
"""

from libc.stdint cimport int64_t

from media.plane.bits cimport largest

cdef enum:
    BURST_US = 5_000
    BURST_LONGEST_US = 100_000  # a queue that empties steadily is not one endless burst
    CLOCK_LEAP_US = 3_000_000  # arrivals that went on so much faster than our own time: their clock was set
    REORDERED_MOST = 3  # groups in a row that arrive before their predecessors: their clock was set back

ctypedef struct burst_t:
    int64_t first_sent_us
    int64_t sent_us  # the last of the group
    int64_t first_arrival_us
    int64_t arrival_us
    int64_t told_us  # our time, when feedback told of the last

ctypedef struct bursts_t:
    burst_t before
    burst_t current
    int groups  # complete ones, held at 2
    int reordered


cdef inline void bursts_reset(bursts_t *bursts) noexcept nogil:
    bursts.groups = 0
    bursts.reordered = 0


cdef inline bint continues_burst(const burst_t *burst, int64_t sent_us, int64_t arrival_us) noexcept nogil:
    cdef int64_t between = arrival_us - burst.arrival_us
    if sent_us - burst.first_sent_us <= BURST_US:
        return True
    return (
        between <= BURST_US and between < sent_us - burst.sent_us
        and arrival_us - burst.first_arrival_us < BURST_LONGEST_US
    )


cdef inline void begin_burst(bursts_t *bursts, int64_t sent_us, int64_t arrival_us, int64_t now) noexcept nogil:
    bursts.current.first_sent_us = sent_us
    bursts.current.sent_us = sent_us
    bursts.current.first_arrival_us = arrival_us
    bursts.current.arrival_us = arrival_us
    bursts.current.told_us = now


cdef inline bint measure_bursts(bursts_t *bursts, int64_t *sent_gap, int64_t *arrival_gap) noexcept nogil:
    """The gaps between the last two groups; false, and perhaps a new beginning, when a clock has leapt."""
    cdef burst_t *before = &bursts.before
    cdef burst_t *current = &bursts.current
    sent_gap[0] = current.sent_us - before.sent_us
    arrival_gap[0] = current.arrival_us - before.arrival_us
    if arrival_gap[0] - (current.told_us - before.told_us) >= CLOCK_LEAP_US:
        bursts_reset(bursts)
        return False
    if arrival_gap[0] < 0:
        bursts.reordered += 1
        if bursts.reordered >= REORDERED_MOST:
            bursts_reset(bursts)
        return False
    bursts.reordered = 0
    return True


cdef inline bint bursts_add(
    bursts_t *bursts, int64_t sent_us, int64_t arrival_us, int64_t now, int64_t *sent_gap, int64_t *arrival_gap
) noexcept nogil:
    """Take a packet that arrived, in the order of sending; true when it completes a pair of groups."""
    cdef burst_t *current = &bursts.current
    cdef bint measured = False
    if bursts.groups == 0:
        begin_burst(bursts, sent_us, arrival_us, now)
        bursts.groups = 1
        return False
    if sent_us < current.first_sent_us:
        return False
    if continues_burst(current, sent_us, arrival_us):
        current.sent_us = largest(current.sent_us, sent_us)
        current.arrival_us = largest(current.arrival_us, arrival_us)
        current.told_us = now
        return False
    if bursts.groups == 2:
        measured = measure_bursts(bursts, sent_gap, arrival_gap)
    bursts.before = current[0]
    begin_burst(bursts, sent_us, arrival_us, now)
    bursts.groups = 2 if bursts.groups else 1
    return measured
