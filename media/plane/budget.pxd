"""What a subscriber's path bears, in one number: `transport.budget_bps`, for all that is sent, audio included. 0 is
unknown and means no limit.

It comes from the send-side estimator where the client answers with transport-cc, capped by REMB if it sends that too;
from REMB alone otherwise, and until that comes from an opening, where the client has promised it; and without either from the loss in
receiver reports, once there is too much of it.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from media.plane.allocation cimport forget_mistakes
from media.plane.bits cimport largest, smallest
from media.plane.coupling cimport ask_neighbours, look_around
from media.plane.estimator cimport (
    estimator_expect, estimator_loss_cause, estimator_probes, estimator_reset, estimator_take, estimator_tick,
)
from media.plane.feedback cimport sent_forget
from media.plane.lift cimport lift_fell, lift_open
from media.plane.lifting cimport aim_higher
from media.plane.losses cimport CAUSE_RATE
from media.plane.objects cimport PROBING_MOST, consumer_t, core_t, transport_t
from media.plane.padding cimport padding_consumer, send_probe_step
from media.plane.probing cimport PROBE_SENDING, probe_due
from media.plane.ratecontrol cimport RATE_LEAST
from media.plane.remb cimport is_congested, note_remb, remb_budget
from media.plane.standing cimport standing_forget
from media.plane.word cimport WORD_HOLDS_US

cdef enum:
    LOSS_LOW = 1311  # 2 % of 65,536
    LOSS_HIGH = 6554  # 10 %
    LOSS_EVERY_US = 1_000_000
    LOSS_LONGEST_US = 15_000_000  # three times the interval of RFC 3550
    TOLD_FULL_US = 1_000_000  # a word of it holds for so long
    WAIT_HOLDS_US = 7_000_000  # a voice is reported of each 5 s, see reports; what pauses, never
    UNKNOWN_BPS = 1_000_000  # of pictures that are not measured yet


cdef inline bint is_estimated(const transport_t *transport) noexcept nogil:
    """Whether every picture carries transport-cc. One that does not (no RTX, see add_consumer) cannot be probed for, and
    an estimate of the sound alone must not starve it."""
    cdef const consumer_t *consumer
    cdef int i
    if transport.estimator == NULL:
        return False
    for i in range(transport.consumers.count):
        consumer = <const consumer_t *>transport.consumers.items[i]
        if consumer.producer.video and not consumer.paused and not consumer.extensions.transport_cc_at:
            return False
    return True


cdef inline void update_budget(transport_t *transport) noexcept nogil:
    """Form the budget anew from what is known of the path."""
    cdef int64_t bps = 0
    if transport.estimated:
        bps = <int64_t>transport.estimator.bps
        if transport.remb_bps:
            bps = smallest(bps, transport.remb_bps)
    elif transport.remb_at:
        bps = remb_budget(transport)
    elif transport.lift.opening_bps:
        bps = transport.lift.opening_bps
        if transport.loss_budget_bps:
            bps = smallest(bps, transport.loss_budget_bps)
    else:
        bps = transport.loss_budget_bps
    transport.budget_bps = bps


cdef inline void take_remb(core_t *core, transport_t *transport, const uint8_t *data, int at, int end) noexcept nogil:
    """The receiver's own estimate, or one of them."""
    note_remb(core, transport, data, at, end)
    update_budget(transport)


cdef inline void expect_remb(transport_t *transport) noexcept nogil:
    """A picture is to be sent to a client that has promised it."""
    if transport.promised_remb:
        return
    transport.promised_remb = True
    if transport.remb_at == 0:
        lift_open(&transport.lift)
        update_budget(transport)


cdef inline void doubt_remb(core_t *core, transport_t *transport) noexcept nogil:
    """Who is sent no picture has nothing to measure and may say no more: his last word would hold for ever. So the least
    picture is tried, of which he will say what it did to him."""
    cdef int64_t least = transport.next_bps
    if transport.remb_at == 0 or not transport.hungry or core.now - transport.remb_at < WORD_HOLDS_US:
        return
    if transport.estimated and transport.remb_bps == 0:  # there it is no limit
        return
    if not transport.remb_hears:  # the sound comes on top; a little more, for what a layer takes swings
        least += (least >> 4) - transport.sound_bps
    if least > transport.remb_bps:
        transport.remb_bps = <uint32_t>smallest(least, 0xFFFFFFFF)
        transport.remb_at = core.now
        update_budget(transport)


cdef inline void take_transport_cc(core_t *core, transport_t *transport) noexcept nogil:
    """A report has been read into `core.results`."""
    if core.results.count == 0:  # all of it was reported before, or went another way
        return
    if estimator_take(transport.estimator, &core.results, transport.sent.bytes, transport.rtt_us, core.now):
        ask_neighbours(core, transport)
    update_budget(transport)


cdef inline void take_loss(core_t *core, transport_t *transport) noexcept nogil:
    """Receiver reports came, and nothing better ever does. Unlimited until a tenth is lost, then as RFC 8698's kin do:
    down by half the loss, up by 8 % a second, and unlimited again once far above what is sent."""
    cdef int64_t sent_bps, elapsed
    elapsed = core.now - transport.loss_budget_at
    if transport.estimated or transport.remb_at or elapsed < LOSS_EVERY_US:
        return
    sent_bps = <int64_t>(8e6 * (transport.bytes_sent - transport.loss_budget_bytes) / elapsed)
    transport.loss_budget_at = core.now
    transport.loss_budget_bytes = transport.bytes_sent
    if elapsed > LOSS_LONGEST_US:  # nothing was sent meanwhile, so that is no rate
        return
    if transport.loss_down > LOSS_HIGH:
        if transport.loss_budget_bps == 0 or transport.loss_budget_bps > sent_bps:
            transport.loss_budget_bps = sent_bps
        transport.loss_budget_bps -= transport.loss_budget_bps * transport.loss_down // 131_072
        transport.loss_budget_bps = largest(transport.loss_budget_bps, RATE_LEAST)
    elif transport.loss_down < LOSS_LOW and transport.loss_budget_bps:
        transport.loss_budget_bps += transport.loss_budget_bps * 8 // 100
        if transport.loss_budget_bps > 4 * sent_bps:
            transport.loss_budget_bps = 0
    update_budget(transport)


cdef inline int64_t wanted_bps(const transport_t *transport) noexcept nogil:
    """What all consumers would take together; 0 when no probe could be sent."""
    if padding_consumer(transport) == NULL:
        return 0
    return transport.desired_bps if transport.desired_bps else UNKNOWN_BPS


cdef inline void begin_probing(core_t *core, transport_t *transport) noexcept nogil:
    core.probing[core.probing_count] = transport
    core.probing_count += 1
    core.probe_at = core.now


cdef inline void stop_probing(core_t *core, const transport_t *transport) noexcept nogil:
    """Strike a transport off the list of those that probe."""
    cdef int i
    cdef int kept = 0
    for i in range(core.probing_count):
        if core.probing[i] != transport:
            core.probing[kept] = core.probing[i]
            kept += 1
    core.probing_count = kept


cdef inline void begin_anew(core_t *core, transport_t *transport) noexcept nogil:
    """The line is another one now, as when a phone leaves its Wi-Fi: what the old one bore, delayed and lost says nothing of it.
    What the client itself says of its line (REMB) stays, since it knows where it is."""
    transport.settle_at = 0
    transport.rtt_us = 0
    transport.loss_budget_bps = 0
    transport.loss_budget_at = core.now
    transport.loss_budget_bytes = transport.bytes_sent
    forget_mistakes(&transport.patience)
    stop_probing(core, transport)
    lift_fell(&transport.lift, core.now)
    transport.waiting.any_ = False
    if transport.lift.opening_bps:
        lift_open(&transport.lift)
    if transport.estimator != NULL:
        sent_forget(transport.sent)
        estimator_reset(transport.estimator, core.now)
    update_budget(transport)


cdef inline void end_copies(transport_t *transport) noexcept nogil:
    """Those of the sound that are sent only because nothing is known of the line yet: on a narrow one they are what makes it full, and twelve
    people's are as much as all their pictures."""
    cdef consumer_t *consumer
    cdef int i
    for i in range(transport.consumers.count):
        consumer = <consumer_t *>transport.consumers.items[i]
        if not consumer.lossy:
            consumer.copies = 0


cdef inline void guide(core_t *core, transport_t *transport) noexcept nogil:
    """Every tick, for each transport."""
    doubt_remb(core, transport)
    if transport.promised_remb:
        if core.now - transport.waited_us > WAIT_HOLDS_US:
            standing_forget(&transport.waiting)
        aim_higher(core, transport)
        update_budget(transport)
        if is_congested(transport, core.now - TOLD_FULL_US):
            end_copies(transport)
    if transport.estimator == NULL or not transport.admitted:
        return
    estimator_expect(
        transport.estimator, <double>transport.sound_bps, <double>transport.next_bps, transport.hungry
    )
    look_around(core, transport)
    estimator_tick(transport.estimator, transport.sent.bytes, core.now)
    if estimator_loss_cause(transport.estimator, 0) == CAUSE_RATE:
        end_copies(transport)
    transport.estimated = is_estimated(transport)
    update_budget(transport)
    if core.probing_count < PROBING_MOST and transport.estimator.probes.state != PROBE_SENDING:
        if estimator_probes(transport.estimator, <double>wanted_bps(transport), core.now):
            begin_probing(core, transport)


cdef inline void probe_on(core_t *core) noexcept nogil:
    """Send what is due of the clusters under way; `probe_at` becomes when to come back, 0 for never."""
    cdef int i
    cdef int kept = 0
    cdef transport_t *transport
    core.probe_at = 0
    for i in range(core.probing_count):
        transport = core.probing[i]
        if probe_due(&transport.estimator.probes, core.now):
            send_probe_step(core, transport)
        if transport.estimator.probes.state != PROBE_SENDING:
            continue
        core.probing[kept] = transport
        kept += 1
        if core.probe_at == 0 or transport.estimator.probes.next_us < core.probe_at:
            core.probe_at = transport.estimator.probes.next_us
    core.probing_count = kept
    core.probe_at = largest(core.probe_at, core.now + 1_000) if kept else 0
