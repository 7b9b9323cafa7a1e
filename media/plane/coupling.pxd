"""One line for several subscribers: what it bears is shared out among all of them when one finds it full.

Each by himself sees a queue that is mostly the others', gives way, and leaves his part to whoever sees it later. Together they
know what the line bears: what arrives at all of them while it is full. That is the idea of RFC 8699 (coupled congestion control),
for Google's controller. The same address is not yet the same line: carriers, relays and loopback have thousands behind
one. So only those are coupled whose packets wait in a queue at the same time (RFC 8382 looks for shared bottlenecks in the
same way), only while most of the neighbours do, and nobody without neighbours is treated otherwise than before.
"""

from libc.math cimport fmax, fmin
from libc.stdint cimport int64_t

from media.plane.estimator cimport SHARED_US, estimator_alone, estimator_level, estimator_queues, estimator_share
from media.plane.objects cimport core_t, transport_t
from media.plane.standing cimport standing_us

cdef enum:
    SHARERS_MOST = 32  # a room; more behind one address are a carrier's or a relay's
    NEIGHBOURS_SEEN = 64  # with a transport each to send and to receive
    SETTLE_US = 120_000  # until the others' reports have come too: browsers send one a tenth of a second at most
    QUEUE_FULL_US = 50_000  # of a mean queue; a burst that is passing by makes less
    QUEUE_STANDS_US = 80_000
    STANDS_US = 500_000  # after the last cut
    USED_PERCENT = 87  # of what the line bears: the queue is to empty again
    LEVEL_STEPS = 20


cdef inline bint receives(const transport_t *transport) noexcept nogil:
    return transport.estimated and transport.estimator.feedback_us != 0


cdef inline bint is_sharer(const transport_t *transport) noexcept nogil:
    """Whether it has been found lately to share a full line."""
    return transport.estimator.full and transport.estimator.rate.sharers > 1


cdef inline double share_of(const transport_t *transport, double level) noexcept nogil:
    """Sound first, and no more than is wanted."""
    return transport.sound_bps + fmin(level, transport.desired_bps - transport.sound_bps)


cdef inline double least_of(const transport_t *transport) noexcept nogil:
    """The sound, and the least of the first picture."""
    return transport.sound_bps + transport.main_bps


cdef inline double find_level(transport_t **sharers, int count, double bps) noexcept nogil:
    """How much for pictures each may have, that all together have so much: what one does not want goes to the others."""
    cdef double low = 0
    cdef double high = bps
    cdef double level, total
    cdef int i, step
    for step in range(LEVEL_STEPS):
        level = (low + high) / 2
        total = 0
        for i in range(count):
            total += share_of(sharers[i], level)
        if total > bps:
            high = level
        else:
            low = level
    return low


cdef inline bint has_company(const transport_t *transport) noexcept nogil:
    """Whether anybody else receives at the address."""
    cdef const transport_t *other = transport.neighbour
    cdef int i
    for i in range(NEIGHBOURS_SEEN):
        if other == NULL or other == transport:
            return False
        if receives(other):
            return True
        other = other.neighbour
    return False


cdef inline int find_sharers(const core_t *core, transport_t *transport, transport_t **sharers) noexcept nogil:
    """Who shares the line that this one has found full, itself among them; 0: nobody is known to."""
    cdef transport_t *other = transport.neighbour
    cdef int receiving = 1
    cdef int queueing = 1
    cdef int count = 1
    cdef int i
    cdef bint queues
    sharers[0] = transport
    for i in range(NEIGHBOURS_SEEN):
        if other == NULL or other == transport:
            return count if queueing > 1 and 2 * queueing > receiving else 0
        if receives(other):
            receiving += 1
            if receiving > SHARERS_MOST:
                return 0
            queues = estimator_queues(other.estimator, core.now)
            queueing += queues
            if queues or is_sharer(other):
                sharers[count] = other
                count += 1
        other = other.neighbour
    return 0


cdef inline bint is_full_for(transport_t **sharers, int count) noexcept nogil:
    """Whether the queue is more than a burst that is passing."""
    cdef int64_t sum = 0
    cdef int i
    for i in range(count):
        sum += standing_us(&sharers[i].estimator.standing)
    return sum >= count * <int64_t>QUEUE_FULL_US


cdef inline void share_line(core_t *core, transport_t **sharers, int count) noexcept nogil:
    """The line was found full by one of these, who share it. While it bears the first picture of all, nobody is left without."""
    cdef double arrives = 0
    cdef double line = 0
    cdef double least = 0
    cdef double level, share
    cdef int i
    for i in range(count):
        sharers[i].settle_at = 0
        arrives += sharers[i].estimator.acknowledged.bps
        line = fmax(line, sharers[i].estimator.rate.line_bps)
        least += least_of(sharers[i])
    if not is_full_for(sharers, count):
        return
    line = fmax(arrives, line + (arrives - line) / 3)  # half a second of arrivals may begin before the queue did
    level = find_level(sharers, count, line * USED_PERCENT / 100)
    for i in range(count):
        share = share_of(sharers[i], level)
        if least <= line:
            share = fmax(share, least_of(sharers[i]))
        sharers[i].estimator.rate.line_bps = line
        estimator_share(sharers[i].estimator, share, count, core.now)


cdef inline void ask_neighbours(const core_t *core, transport_t *transport) noexcept nogil:
    """The transport has just found its line full: wait for what the others report."""
    if transport.settle_at == 0:
        transport.settle_at = core.now + SETTLE_US


cdef inline void settle_line(core_t *core, transport_t *transport) noexcept nogil:
    """The others' reports have come."""
    cdef transport_t *sharers[<int>SHARERS_MOST]
    cdef int count = find_sharers(core, transport, sharers)
    transport.settle_at = 0
    if count:
        share_line(core, sharers, count)
    elif not is_sharer(transport) or standing_us(&transport.estimator.standing) >= QUEUE_STANDS_US:
        estimator_alone(transport.estimator, transport.rtt_us, core.now)


cdef inline bint stands(const core_t *core, const transport_t *transport) noexcept nogil:
    """Whether a queue stands in the line, though it grows no more: where many share one, nobody's delay need rise for that."""
    return (
        transport.estimator.together and standing_us(&transport.estimator.standing) >= QUEUE_STANDS_US
        and core.now - transport.estimator.feedback_us < SHARED_US
        and core.now - transport.estimator.rate.reduced_us >= STANDS_US
    )


cdef inline double mean_of_sharers(const transport_t *transport) noexcept nogil:
    """What each of the others is allowed on the line; 0 where none is known."""
    cdef const transport_t *other = transport.neighbour
    cdef double sum = 0
    cdef int count = 0
    cdef int i
    for i in range(NEIGHBOURS_SEEN):
        if other == NULL or other == transport:
            break
        if receives(other) and is_sharer(other):
            sum += other.estimator.bps
            count += 1
        other = other.neighbour
    return sum / count if count else 0


cdef inline void look_around(core_t *core, transport_t *transport) noexcept nogil:
    """From each tick."""
    transport.estimator.together = has_company(transport)
    if stands(core, transport):
        ask_neighbours(core, transport)
    if transport.hungry and is_sharer(transport):  # the line bears the others' shares: that is its share too
        estimator_level(transport.estimator, mean_of_sharers(transport), core.now)
    if transport.settle_at and core.now >= transport.settle_at:
        settle_line(core, transport)
