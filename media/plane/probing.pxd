"""Probing: short clusters of packets at a higher rate, to learn what little media cannot show.

At first three times the starting rate, then twice what was found as long as that succeeds; later now and then while more
is wanted than the path is known to bear; and once after a great drop has passed. Each cluster is 15 ms of its rate, five
packets at least, so all of it fits into the buffer of a small router, and failures make the next try rarer. Where nothing is sent any
more a single packet asks whether the line is there.
"""

from libc.stdint cimport int64_t, uint16_t

from media.plane.bits cimport largest, smallest

cdef enum:
    CLUSTER_US = 15_000
    CLUSTER_PACKETS = 5
    CLUSTER_PACKETS_MOST = 120
    CLUSTER_STEP_US = 2_000  # packets that go together; a timer much finer would be late anyhow
    CLUSTER_GIVE_UP_US = 1_000_000  # without an answer, and before it is sent at all
    PROBE_EVERY_US = 5_000_000
    PROBE_EVERY_MOST_US = 40_000_000
    PROBE_SOONER = 4
    PROBE_AFTER_DROP_US = 2_000_000
    RESULT_LONGEST_US = 1_000_000

cdef enum probe_state_t:
    PROBE_IDLE
    PROBE_SENDING
    PROBE_WAITING

ctypedef struct probes_t:
    int state
    bint begun  # the first cluster has been
    bint asks  # it is one packet, of a line that was silent; see probe_ask
    double rate_bps  # of the cluster under way
    int64_t begun_us
    int64_t next_us  # when its next packets are due
    int64_t bytes_sent
    int packets_sent
    uint16_t first  # transport-wide numbers of the cluster
    uint16_t last
    # What has come of it
    int reported
    int arrived
    int64_t first_sent_us
    int64_t last_sent_us
    int64_t first_arrival_us
    int64_t last_arrival_us
    int64_t arrived_bytes
    int first_size
    int last_size
    int64_t again_us  # when the next try is due
    int64_t every_us
    double before_drop_bps  # 0: no drop to recover from
    int64_t clusters  # ever


cdef inline void probes_reset(probes_t *probes) noexcept nogil:
    probes.state = PROBE_IDLE
    probes.begun = False
    probes.again_us = 0
    probes.every_us = PROBE_EVERY_US
    probes.before_drop_bps = 0


cdef inline void probe_begin(probes_t *probes, double bps, int64_t now) noexcept nogil:
    probes.state = PROBE_SENDING
    probes.asks = False
    probes.rate_bps = bps
    probes.begun_us = now
    probes.next_us = now
    probes.bytes_sent = 0
    probes.packets_sent = 0
    probes.reported = 0
    probes.arrived = 0
    probes.arrived_bytes = 0
    probes.clusters += 1


cdef inline void probe_ask(probes_t *probes, double bps, int64_t now) noexcept nogil:
    """One packet, whose report would say that the line is there again. It shows no rate."""
    probe_begin(probes, bps, now)
    probes.asks = True


cdef inline void probe_answered(probes_t *probes, int64_t again_us) noexcept nogil:
    """The line is there, and what it bears may be tried then at the latest."""
    probes.asks = False
    probes.state = PROBE_IDLE
    probes.again_us = smallest(probes.again_us, again_us)


cdef inline void probe_failed(probes_t *probes, bint measured, int64_t now) noexcept nogil:
    """Nothing gained: leave the path in peace for longer each time, but for less long where too much of the cluster was lost to show
    anything."""
    probes.state = PROBE_IDLE
    probes.again_us = now + (probes.every_us if measured else probes.every_us // PROBE_SOONER)
    probes.every_us = smallest(2 * probes.every_us, PROBE_EVERY_MOST_US)


cdef inline void probes_give_up(probes_t *probes, int64_t now) noexcept nogil:
    """Often: of a cluster whose report has not come in time none is expected any more. Until then nobody looks at delays, since the
    queue that a probe itself makes is no overuse."""
    if probes.state != PROBE_IDLE and now - probes.begun_us > CLUSTER_GIVE_UP_US:
        probe_failed(probes, True, now)


cdef inline void probes_dropped(
    probes_t *probes, double before_bps, double bps, int64_t wait_us, int64_t now
) noexcept nogil:
    """The estimate was reduced: try nothing for a while, but remember what the path could do. After a great drop it is another
    path: that probes were in vain before says nothing of it."""
    if probes.state == PROBE_SENDING:
        probe_failed(probes, True, now)
    if bps >= 0.66 * before_bps:
        probes.again_us = largest(probes.again_us, now + wait_us)
        return
    probes.again_us = now + wait_us
    probes.every_us = PROBE_EVERY_US
    if before_bps > probes.before_drop_bps:
        probes.before_drop_bps = before_bps


cdef inline bint probes_decide(
    probes_t *probes, double bps, double wanted_bps, double most, bint quiet, int64_t now
) noexcept nogil:
    """Whether a cluster begins now. `wanted_bps`: what would be sent if it were possible; `most`: what may be tried;
    `quiet`: no queue grows."""
    cdef double target
    if probes.state != PROBE_IDLE or not quiet or now < probes.again_us or wanted_bps <= 0 or bps >= 1.2 * wanted_bps:
        return False
    if not probes.begun:
        target = 3 * bps
    elif probes.before_drop_bps > bps:
        target = 0.85 * probes.before_drop_bps
        probes.before_drop_bps = 0
    else:
        target = 2 * bps
    target = target if target < most else most
    if target < 1.1 * bps:
        return False
    probes.begun = True
    probe_begin(probes, target, now)
    return True


cdef inline bint probe_unsent(const probes_t *probes) noexcept nogil:
    """Whether packets of the cluster remain to be sent."""
    if probes.state != PROBE_SENDING or probes.packets_sent >= (1 if probes.asks else CLUSTER_PACKETS_MOST):
        return False
    return probes.packets_sent < CLUSTER_PACKETS or probes.bytes_sent * 8e6 < probes.rate_bps * CLUSTER_US


cdef inline bint probe_due(const probes_t *probes, int64_t now) noexcept nogil:
    return probes.state == PROBE_SENDING and now >= probes.next_us


cdef inline int64_t probe_step_bytes(const probes_t *probes) noexcept nogil:
    """How many bytes go together, at least one packet's."""
    return largest(<int64_t>(probes.rate_bps * CLUSTER_STEP_US / 8e6), 1)


cdef inline int64_t probe_packet_most(const probes_t *probes) noexcept nogil:
    """How long a packet may be, in bytes, for as many as are needed to fit into the cluster."""
    return <int64_t>(probes.rate_bps * CLUSTER_US / (8e6 * CLUSTER_PACKETS))


cdef inline void probe_sent(probes_t *probes, uint16_t sequence, int size) noexcept nogil:
    """One packet of the cluster is on its way."""
    if probes.packets_sent == 0:
        probes.first = sequence
    probes.last = sequence
    probes.packets_sent += 1
    probes.bytes_sent += size


cdef inline void probe_stepped(probes_t *probes, int64_t now) noexcept nogil:
    """After each step: when the next is due, or that all is sent."""
    if not probe_unsent(probes):
        probes.state = PROBE_WAITING
        return
    probes.next_us = largest(
        probes.begun_us + <int64_t>(8e6 * probes.bytes_sent / probes.rate_bps), now + CLUSTER_STEP_US // 2
    )


cdef inline void probe_result(
    probes_t *probes, uint16_t sequence, int size, int64_t sent_us, int64_t arrival_us
) noexcept nogil:
    """A packet's fate (`arrival_us` -1: lost), if it belongs to the cluster; media sent in between counts with it."""
    if probes.state == PROBE_IDLE or probes.packets_sent == 0:
        return
    if <uint16_t>(sequence - probes.first) > <uint16_t>(probes.last - probes.first):
        return
    probes.reported += 1
    if arrival_us < 0:
        return
    if probes.arrived == 0 or sent_us < probes.first_sent_us:
        probes.first_sent_us = sent_us
    if probes.arrived == 0 or arrival_us < probes.first_arrival_us:
        probes.first_arrival_us = arrival_us
        probes.first_size = size
    if probes.arrived == 0 or sent_us >= probes.last_sent_us:
        probes.last_sent_us = sent_us
        probes.last_size = size
    if probes.arrived == 0 or arrival_us > probes.last_arrival_us:
        probes.last_arrival_us = arrival_us
    probes.arrived += 1
    probes.arrived_bytes += size


cdef inline bint is_scattered(const probes_t *probes, double loss) noexcept nogil:
    """Whether too few of its packets arrived to tell a rate: less than four in five of what a line leaves over that loses this share anyhow."""
    return probes.arrived < 4 or probes.arrived < 0.8 * (1 - loss) * (<uint16_t>(probes.last - probes.first) + 1)


cdef inline double probe_measure(const probes_t *probes, double loss) noexcept nogil:
    """The rate that the cluster proves, 0 when it proves nothing. `loss`: the share that was lost lately."""
    cdef int64_t sending = probes.last_sent_us - probes.first_sent_us
    cdef int64_t receiving = probes.last_arrival_us - probes.first_arrival_us
    cdef double sent_bps, received_bps
    if is_scattered(probes, loss):
        return 0
    if sending <= 0 or receiving <= 0 or sending > RESULT_LONGEST_US or receiving > RESULT_LONGEST_US:
        return 0
    # The last packet's sending and the first one's arrival take no time within these intervals.
    sent_bps = 8e6 * (probes.arrived_bytes - probes.last_size) / sending
    received_bps = 8e6 * (probes.arrived_bytes - probes.first_size) / receiving
    if received_bps > 2 * sent_bps:
        return 0  # held up and released together: nothing is learned
    if received_bps < 0.9 * sent_bps:
        return 0.95 * received_bps  # this is the capacity; stay a little below
    return sent_bps if sent_bps < received_bps else received_bps


cdef inline bint probe_filled(const probes_t *probes, double measured) noexcept nogil:
    """Whether the cluster came so much slower than it was sent that the line bears no more than `measured`."""
    return 0 < measured < 0.85 * probes.rate_bps


cdef inline double probes_conclude(probes_t *probes, double bps, double loss, int64_t now) noexcept nogil:
    """Once a feedback message: the rate proved by a cluster that has come to its end, else 0. `loss`: the share that was lost lately."""
    cdef double measured
    if probes.state != PROBE_WAITING or probes.reported <= <uint16_t>(probes.last - probes.first):
        return 0
    measured = probe_measure(probes, loss)
    if measured < 0.7 * probes.rate_bps or measured < 1.05 * bps:
        probe_failed(probes, not is_scattered(probes, loss), now)
        return measured
    probes.state = PROBE_IDLE
    probes.again_us = now  # what succeeded is tried again, twice as high, while more is wanted
    probes.every_us = PROBE_EVERY_US
    return measured
