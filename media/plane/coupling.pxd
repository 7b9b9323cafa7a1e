"""One line for several subscribers: what it bears is shared out among all of them when one finds it full.

Each by himself sees a queue that is mostly the others', gives way, and leaves his part to whoever sees it later. Together they
know what the line bears: what arrives at all of them while it is full. That is the idea of RFC 8699 (coupled congestion control),
for Google's controller. The same address is not yet the same line: carriers, relays and loopback have thousands behind
one. So only those are coupled whose packets wait in a queue at the same time (RFC 8382 looks for shared bottlenecks in the
same way), only while most of the neighbours do, and nobody without neighbours is treated otherwise than before.
"""

from libc.math cimport fmax, fmin
from libc.stdint cimport int64_t

from media.plane.estimator cimport SHARED_US, estimator_alone, estimator_even, estimator_queues, estimator_share
from media.plane.objects cimport core_t, transport_t
from media.plane.ratecontrol cimport RATE_LEAST
from media.plane.standing cimport standing_us
from media.plane.trendline cimport QUEUE_LEAST_MS

cdef enum:
    SHARERS_MOST = 32  # a room; more behind one address are a carrier's or a relay's
    NEIGHBOURS_SEEN = 64  # with a transport each to send and to receive
    SETTLE_US = 120_000  # until the others' reports have come too: browsers send one a tenth of a second at most
    QUEUE_FULL_US = 50_000  # of a mean queue; a burst that is passing by makes less
    QUEUE_STANDS_US = 80_000
    STANDS_US = 500_000  # after the last cut
    STOOD_US = 900_000
    USED_PERCENT = 87  # of what the line bears: the queue is to empty again
    LEVEL_STEPS = 20
    HEARD_US = 1_000_000  # four times the longest interval between libwebrtc's reports
    BLIND_US = 10_000_000  # by then a queue that is dealt with has been empty


cdef inline bint receives(const transport_t *transport) noexcept nogil:
    return transport.estimated and transport.estimator.feedback_us != 0


cdef inline bint is_sharer(const transport_t *transport) noexcept nogil:
    """Whether it has been found to share a line that was full."""
    return transport.estimator != NULL and transport.estimator.coupled


cdef inline bint can_tell(const core_t *core, const transport_t *transport) noexcept nogil:
    """Whether it would see a queue in the line."""
    return core.now >= transport.estimator.blind_until_us


cdef inline bint is_heard(const core_t *core, const transport_t *transport) noexcept nogil:
    """Whether it has reported lately, or is new. Who is sent nothing, or has gone without a word, tells nothing of the line and has no
    part in it."""
    return transport.estimator.feedback_us == 0 or core.now - transport.estimator.feedback_us < HEARD_US


cdef inline double least_of(const transport_t *transport) noexcept nogil:
    """The sound, and the least of the first picture."""
    return transport.sound_bps + transport.main_bps


cdef inline double sum_of_least(transport_t **sharers, int count) noexcept nogil:
    cdef double sum = 0
    cdef int i
    for i in range(count):
        sum += least_of(sharers[i])
    return sum


cdef inline double share_of(const transport_t *transport, double level, bint bears_all) noexcept nogil:
    """Sound first, and no more than is wanted. While the line bears the first picture of all (`bears_all`), nobody is left without."""
    cdef double share = transport.sound_bps + fmin(level, transport.desired_bps - transport.sound_bps)
    return fmax(share, least_of(transport)) if bears_all else share


cdef inline void deal(transport_t **sharers, int count, double bps, double *shares) noexcept nogil:
    """Divide so much: to each his sound, and to all the same for pictures. What one does not want goes to the others, and what
    nobody wants to all alike."""
    cdef bint bears_all = sum_of_least(sharers, count) <= bps
    cdef double low = 0
    cdef double high = bps
    cdef double level, total
    cdef int i, step
    for step in range(LEVEL_STEPS):
        level = (low + high) / 2
        total = 0
        for i in range(count):
            total += share_of(sharers[i], level, bears_all)
        if total > bps:
            high = level
        else:
            low = level
    total = 0
    for i in range(count):
        shares[i] = share_of(sharers[i], low, bears_all)
        total += shares[i]
    for i in range(count):
        shares[i] += fmax(bps - total, 0) / count


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
    cdef int telling = 1
    cdef int queueing = 1
    cdef int count = 1
    cdef int i
    cdef bint queues
    sharers[0] = transport
    for i in range(NEIGHBOURS_SEEN):
        if other == NULL or other == transport:
            return count if queueing > 1 and 2 * queueing > telling else 0
        if receives(other) and is_heard(core, other):
            receiving += 1
            if receiving > SHARERS_MOST:
                return 0
            queues = can_tell(core, other) and estimator_queues(other.estimator, core.now)
            telling += can_tell(core, other)
            queueing += queues
            if queues or is_sharer(other) or not can_tell(core, other):
                sharers[count] = other
                count += 1
        other = other.neighbour
    return 0


cdef inline bint is_full_for(const core_t *core, transport_t **sharers, int count) noexcept nogil:
    """Whether the queue is more than a burst that is passing, by those who can tell."""
    cdef int64_t sum = 0
    cdef int telling = 0
    cdef int i
    for i in range(count):
        if can_tell(core, sharers[i]):
            sum += standing_us(&sharers[i].estimator.standing)
            telling += 1
    return telling > 0 and sum >= telling * <int64_t>QUEUE_FULL_US


cdef inline void share_line(core_t *core, transport_t **sharers, int count) noexcept nogil:
    """The line was found full by one of these, who share it."""
    cdef double shares[<int>SHARERS_MOST]
    cdef double arrives = 0
    cdef double line = 0
    cdef bint stood = False
    cdef int i
    for i in range(count):
        sharers[i].settle_at = 0
        arrives += sharers[i].estimator.acknowledged.bps
        line = fmax(line, sharers[i].estimator.rate.line_bps)
        stood = stood or core.now - sharers[i].estimator.rate.reduced_us < STOOD_US
    if not is_full_for(core, sharers, count):
        return
    # Half a second of arrivals may begin before the queue did, unless it has stood since the line was shared out last.
    line = arrives if stood else fmax(arrives, line + (arrives - line) / 3)
    deal(sharers, count, fmax(line * USED_PERCENT / 100, fmin(line, sum_of_least(sharers, count))), shares)
    for i in range(count):
        sharers[i].estimator.rate.line_bps = line
        estimator_share(sharers[i].estimator, shares[i], count, core.now)


cdef inline void ask_neighbours(const core_t *core, transport_t *transport) noexcept nogil:
    """The transport has just found its line full: wait for what the others report."""
    if transport.settle_at == 0:
        transport.settle_at = core.now + SETTLE_US


cdef inline bint join_sharers(const core_t *core, transport_t *transport, double bps) noexcept nogil:
    """Whether others share a full line here: the transport, which did not, is one of them from now on, and begins with so much."""
    cdef transport_t *other = transport.neighbour
    cdef const transport_t *sharer = NULL
    cdef int sharers = 1
    cdef int i
    for i in range(NEIGHBOURS_SEEN):
        if other == NULL or other == transport:
            break
        if receives(other) and is_sharer(other):
            sharers += 1
            sharer = other
        other = other.neighbour
    if is_sharer(transport) or sharer == NULL:
        return False
    transport.estimator.rate.line_bps = sharer.estimator.rate.line_bps
    estimator_share(transport.estimator, bps, sharers, core.now)
    return True


cdef inline void settle_line(core_t *core, transport_t *transport) noexcept nogil:
    """The others' reports have come."""
    cdef transport_t *sharers[<int>SHARERS_MOST]
    cdef int count = find_sharers(core, transport, sharers)
    transport.settle_at = 0
    if count:
        share_line(core, sharers, count)
    elif standing_us(&transport.estimator.standing) >= QUEUE_STANDS_US:
        estimator_alone(transport.estimator, transport.rtt_us, core.now)
    elif not is_sharer(transport) and not join_sharers(core, transport, transport.estimator.rate.bps):
        # Had he once left those who share for a queue of his own, he would be one of them again: what he takes for a full line is a burst
        # that none of them has seen.
        estimator_alone(transport.estimator, transport.rtt_us, core.now)


cdef inline bint stands(const core_t *core, const transport_t *transport) noexcept nogil:
    """Whether a queue stands in the line, though it grows no more: where many share one, nobody's delay need rise for that."""
    return (
        transport.estimator.together and standing_us(&transport.estimator.standing) >= QUEUE_STANDS_US
        and core.now - transport.estimator.feedback_us < SHARED_US
        and core.now - transport.estimator.rate.reduced_us >= STANDS_US
    )


cdef inline bint takes_part(const core_t *core, const transport_t *transport) noexcept nogil:
    """Whether a part of what all sharers are allowed is its own now."""
    return is_sharer(transport) and not transport.estimator.cut and is_heard(core, transport)


cdef inline int line_of(const core_t *core, transport_t *transport, transport_t **sharers) noexcept nogil:
    """Who is known to share the full line with this one, itself among them; 0 where another acts for all of them."""
    cdef transport_t *other = transport.neighbour
    cdef int count = 1
    cdef int i
    sharers[0] = transport
    for i in range(NEIGHBOURS_SEEN):
        if other == NULL or other == transport:
            return count
        if takes_part(core, other):
            if other.handle < transport.handle or count == SHARERS_MOST:
                return 0
            sharers[count] = other
            count += 1
        other = other.neighbour
    return 0


cdef inline void even_out(const core_t *core, transport_t *transport) noexcept nogil:
    """What all sharers are allowed together stays the same, but who has more to hear now, or wants another picture, has of that
    what it takes: the voice of somebody who has just been silent himself would else take his picture away."""
    cdef transport_t *sharers[<int>SHARERS_MOST]
    cdef double shares[<int>SHARERS_MOST]
    cdef double bps = 0
    cdef int count = line_of(core, transport, sharers)
    cdef int i
    for i in range(count):
        bps += sharers[i].estimator.rate.bps
    deal(sharers, count, bps, shares)
    for i in range(count):
        estimator_even(sharers[i].estimator, shares[i])


cdef inline void come_to(core_t *core, transport_t *transport) noexcept nogil:
    """Before the first report: others may share a full line here, of which the newcomer has a part as well. It bears no more because
    somebody has come; and who has never seen it empty cannot tell how long its queue is."""
    cdef transport_t *other = transport.neighbour
    cdef int64_t queue = 0
    cdef int receiving = 0
    cdef int telling = 0
    cdef int i
    for i in range(NEIGHBOURS_SEEN):
        if other == NULL or other == transport:
            break
        if receives(other):
            receiving += 1
            if can_tell(core, other):
                telling += 1
                queue += standing_us(&other.estimator.standing)
        other = other.neighbour
    if telling and queue >= telling * QUEUE_LEAST_MS * 1000:
        transport.estimator.blind_until_us = core.now + BLIND_US
    if receiving < SHARERS_MOST:
        join_sharers(core, transport, RATE_LEAST)


cdef inline void look_around(core_t *core, transport_t *transport) noexcept nogil:
    """From each tick."""
    transport.estimator.together = has_company(transport)
    if transport.estimator.feedback_us == 0:
        come_to(core, transport)
    if stands(core, transport):
        ask_neighbours(core, transport)
    if not transport.estimator.together:
        transport.estimator.rate.sharers = 1  # the others have left
    elif takes_part(core, transport):
        even_out(core, transport)
    if transport.settle_at and core.now >= transport.settle_at:
        settle_line(core, transport)
