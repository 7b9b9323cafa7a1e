"""What a path bears, estimated where the packets are sent: Google Congestion Control (draft-ietf-rmcat-gcc-02) as today's
libwebrtc does it, but for who sends little (see ratecontrol). Pure: reports and time in, a rate out.

The rate is the lower of what delay allows (bursts -> trendline -> rate control) and what loss allows. Everything the
receiver reports is taken as true, since he can only harm himself: the rate has a ceiling, nothing but media that exists
and short probes is ever sent, and probes stop where nothing more is wanted.
"""

from libc.math cimport fmax, fmin
from libc.stdint cimport INT64_MAX, int64_t, uint32_t

from media.plane.acknowledged cimport acknowledged_add, acknowledged_reset, acknowledged_t, acknowledged_update
from media.plane.bits cimport largest, smallest
from media.plane.bursts cimport bursts_add, bursts_reset, bursts_t
from media.plane.feedback cimport result_t, results_t
from media.plane.losses cimport (
    CAUSE_RATE, CAUSE_UNKNOWN, loses_much, loss_cause_t, losses_add, losses_cause, losses_reset, losses_t, losses_update,
)
from media.plane.probing cimport (
    PROBE_AFTER_DROP_US, PROBE_EVERY_US, PROBE_IDLE, probe_answered, probe_ask, probe_filled, probe_result, probes_conclude,
    probes_decide, probes_dropped, probes_give_up, probes_reset, probes_t,
)
from media.plane.ratecontrol cimport (
    RATE_LEAST, clamp_rate, may_reduce, rate_reset, rate_set, rate_share, rate_t, rate_update, reduce_rate,
)
from media.plane.rivals cimport has_rival, rivals_note_cut, rivals_note_queue, rivals_reset, rivals_t
from media.plane.standing cimport shortest_us, standing_add, standing_t, standing_us
from media.plane.trendline cimport QUEUE_LEAST_MS, USAGE_NORMAL, USAGE_OVER, trendline_add, trendline_reset, trendline_t

cdef enum:
    SILENCE_US = 2_000_000  # after it the delays of before are no measure
    UNANSWERED_US = 1_000_000  # four times the longest interval between libwebrtc's reports
    UNANSWERED_AGAIN_US = 500_000
    RTT_UNKNOWN_US = 200_000
    SENT_US = 500_000  # over which what is sent is measured
    FULL_LATELY_US = 20_000_000  # a line that was full is looked upon as shared for so long
    COUPLED_US = 120_000_000  # and that it is shared holds for longer: who has just been silent himself needs the others' part then as well
    SHARED_US = 400_000  # within which all who share a line see its queue
    FULL_WAIT_US = 8_000_000  # and who has a picture leaves what is free to those who have none
    QUEUE_LONG_US = 100_000  # of what waits beyond this the line is relieved
    EMPTIED_US = 2_000_000  # within about so long
    KNOWN_WINDOWS = 2  # half a second of reports
    RELIEF_MOST = 3  # but to no less than a third of the rate: what waits may be others', who send all the same

ctypedef struct estimator_t:
    double bps
    bursts_t bursts
    trendline_t trendline
    acknowledged_t acknowledged
    standing_t standing
    rivals_t rivals
    rate_t rate
    losses_t losses
    probes_t probes
    int64_t feedback_us  # the last report; 0 none yet
    int64_t answered_bytes  # sent when the last report came
    double sent_bps  # lately; 0 unknown
    int64_t sent_since_us  # where the measuring of it begins
    int64_t sent_since_bytes
    int64_t unanswered_us  # since when something sent waits for a report; 0 nothing does
    int64_t seen_bytes  # sent, as of the last look
    int64_t seen_us  # when they had last grown
    int64_t cut_us  # when reports that stayed away last lowered the rate
    bint together  # neighbours receive as well, so one who finds the line full does not give way before he knows about them
    int64_t queued_us  # when packets were last seen to wait in a queue
    int64_t calm_loss_us  # when a packet was last lost while none waited: no queue has done that
    int64_t blind_until_us  # who came while others' packets waited in a queue has not seen the line empty, and knows no queue
    bint full  # the line was, lately
    bint coupled  # it was found to be shared, and not too long ago
    bint cut  # reports have stayed away, and none has come since
    int64_t alive_us  # what was sent before went into a dead line and says nothing of a living one
    int64_t overuses


cdef inline void estimator_reset(estimator_t *estimator, int64_t now) noexcept nogil:
    bursts_reset(&estimator.bursts)
    trendline_reset(&estimator.trendline)
    acknowledged_reset(&estimator.acknowledged)
    rate_reset(&estimator.rate, now)
    losses_reset(&estimator.losses)
    probes_reset(&estimator.probes)
    estimator.bps = estimator.rate.bps
    estimator.feedback_us = 0
    estimator.answered_bytes = 0
    estimator.sent_bps = 0
    estimator.sent_since_us = now
    estimator.sent_since_bytes = 0
    estimator.together = False
    estimator.queued_us = 0
    estimator.calm_loss_us = 0
    estimator.standing.any_ = False
    estimator.blind_until_us = 0
    estimator.full = False
    estimator.coupled = False
    estimator.cut = False
    estimator.alive_us = 0
    estimator.unanswered_us = 0
    estimator.seen_bytes = 0
    estimator.seen_us = now
    estimator.cut_us = now
    rivals_reset(&estimator.rivals)


cdef inline bint estimator_shares(const estimator_t *estimator) noexcept nogil:
    """Whether it has been found lately to share a full line."""
    return estimator.full and estimator.rate.sharers > 1


cdef inline bint estimator_knows(const estimator_t *estimator) noexcept nogil:
    """Whether the rate is more than the first guess: it has been tried, or is the part of a line that others know."""
    return estimator.losses.seen >= KNOWN_WINDOWS or estimator_shares(estimator)


cdef inline double relief(const estimator_t *estimator) noexcept nogil:
    """The part of the rate that may be sent. A cut to 85 % of what arrives ends the growth of a queue, but where the line has become
    much narrower that may be seconds long already, and of what is left free the heads of IP and UDP, which nobody counts, take a good
    part: sound would be late for a quarter of a minute. A rival's queue is not ours to empty, and sharers settle theirs together."""
    cdef double late_us = standing_us(&estimator.standing) - <int64_t>QUEUE_LONG_US
    if late_us <= 0 or has_rival(&estimator.rivals) or estimator_shares(estimator):
        return 1
    return fmax(1 - late_us / EMPTIED_US, 1.0 / RELIEF_MOST)


cdef inline void combine(estimator_t *estimator) noexcept nogil:
    """What a line loses that is shared is lost by all who share it, who settle that together."""
    cdef double loss_bps = 0 if estimator_shares(estimator) else estimator.losses.bps
    cdef double bps = loss_bps if 0 < loss_bps < estimator.rate.bps else estimator.rate.bps
    estimator.bps = clamp_rate(fmax(bps * relief(estimator), fmin(bps, estimator.rate.least_bps)))


cdef inline void take_result(estimator_t *estimator, const result_t *result, int64_t now) noexcept nogil:
    cdef int64_t sent_gap = 0
    cdef int64_t arrival_gap = 0
    if result.sent_us >= estimator.alive_us:
        losses_add(&estimator.losses, result.sent_us, result.size, result.arrival_us < 0, result.late)
    if not result.late:
        probe_result(&estimator.probes, result.sequence, result.size, result.sent_us, result.arrival_us)
    if result.arrival_us < 0:
        return
    acknowledged_add(&estimator.acknowledged, result.arrival_us, result.size)
    if bursts_add(&estimator.bursts, result.sent_us, result.arrival_us, now, &sent_gap, &arrival_gap):
        trendline_add(&estimator.trendline, sent_gap, arrival_gap, result.arrival_us, now)


cdef inline int64_t first_arrived(const results_t *results, int64_t now) noexcept nogil:
    """When the first packet was sent that came through."""
    cdef int64_t sent_us = now
    cdef int i
    for i in range(results.count):
        if results.items[i].arrival_us >= 0:
            sent_us = smallest(sent_us, results.items[i].sent_us)
    return sent_us


cdef inline void measure_sent(estimator_t *estimator, int64_t sent_bytes, int64_t now) noexcept nogil:
    cdef int64_t elapsed = now - estimator.sent_since_us
    if elapsed < SENT_US:
        return
    estimator.sent_bps = 8e6 * (sent_bytes - estimator.sent_since_bytes) / elapsed
    estimator.sent_since_us = now
    estimator.sent_since_bytes = sent_bytes


cdef inline int64_t dice_us(const estimator_t *estimator) noexcept nogil:
    """Up to two seconds, by chance: who share a line see it full at the same time, and should not all try it at the same time."""
    return <int64_t>(<uint32_t>estimator.answered_bytes * 2_654_435_761U) * PROBE_AFTER_DROP_US >> 32


cdef inline bint is_idle(const estimator_t *estimator) noexcept nogil:
    """Whether much less is sent than would be allowed."""
    return estimator.sent_bps < 0.8 * estimator.rate.bps


cdef inline void estimator_expect(
    estimator_t *estimator, double least_bps, double next_bps, bint hungry
) noexcept nogil:
    """What is sent at any rate, and what would be with one layer more; `hungry`: there is no picture at all."""
    estimator.rate.hungry = hungry
    estimator.rate.least_bps = least_bps
    estimator.rate.next_bps = next_bps


cdef inline void note_full(estimator_t *estimator, double before, int64_t now) noexcept nogil:
    """The rate was reduced because a queue grew."""
    estimator.overuses += 1
    probes_dropped(&estimator.probes, before, estimator.rate.bps, PROBE_AFTER_DROP_US + dice_us(estimator), now)


cdef inline void note_own_queue(estimator_t *estimator, int64_t quickest_us, int64_t now) noexcept nogil:
    """`quickest_us`: the shortest way of a packet in the report; INT64_MAX when none arrived."""
    if quickest_us < INT64_MAX:
        standing_add(&estimator.standing, quickest_us, now)
    if standing_us(&estimator.standing) >= 1000 * QUEUE_LEAST_MS:
        estimator.queued_us = now
    rivals_note_queue(&estimator.rivals, standing_us(&estimator.standing))


cdef inline bint estimator_queues(const estimator_t *estimator, int64_t now) noexcept nogil:
    """Whether packets have just waited in a queue on the way."""
    return estimator.queued_us and now - estimator.queued_us < SHARED_US


cdef inline void note_calm_loss(estimator_t *estimator, const results_t *results, int64_t now) noexcept nogil:
    """A full queue drops packets, and those before and after them wait. Of a line that drops without a queue the loss model learns."""
    cdef int64_t waited_us = 0
    cdef bint lost = False
    cdef const result_t *result
    cdef int i
    for i in range(results.count):
        result = &results.items[i]
        if result.arrival_us >= 0:
            waited_us = largest(waited_us, result.arrival_us - result.sent_us - shortest_us(&estimator.standing))
        elif not result.late:
            lost = True
    if lost and waited_us < 1000 * QUEUE_LEAST_MS and not estimator_queues(estimator, now):
        estimator.calm_loss_us = now


cdef inline bint overflows(const estimator_t *estimator) noexcept nogil:
    """A queue that is full grows no more, and the trendline sees none: but packets wait long, and it drops many."""
    return standing_us(&estimator.standing) >= QUEUE_LONG_US and loses_much(&estimator.losses)


cdef inline int own_usage(const estimator_t *estimator) noexcept nogil:
    """Of a queue that is not ours to empty no notice is taken."""
    if has_rival(&estimator.rivals):
        return USAGE_NORMAL if estimator.trendline.usage == USAGE_OVER else estimator.trendline.usage
    if not estimator.together and not estimator_shares(estimator) and overflows(estimator):
        return USAGE_OVER
    return estimator.trendline.usage


cdef inline double own_loss(const estimator_t *estimator) noexcept nogil:
    """The share that the line loses whatever is sent."""
    return 0 if estimator.full else estimator.losses.fraction


cdef inline void take_answer(estimator_t *estimator, int64_t now) noexcept nogil:
    """A line that was asked is there. What it lost when something was last sent may hold no more, nor that others filled it."""
    probe_answered(&estimator.probes, now if estimator.cut else now + PROBE_EVERY_US)
    losses_reset(&estimator.losses)
    estimator.rate.sharers = 1


cdef inline bint estimator_take(
    estimator_t *estimator, const results_t *results, int64_t sent_bytes, int64_t rtt_us, int64_t now
) noexcept nogil:
    """One report. `sent_bytes`: ever sent; `rtt_us`: 0 while unknown. Whether the line was found full, and it remains to be seen
    for whom."""
    cdef double before = estimator.bps
    cdef bint over = False
    cdef double probed
    cdef int64_t newest = 0
    cdef int64_t quickest = INT64_MAX
    cdef int i
    if rtt_us <= 0:
        rtt_us = RTT_UNKNOWN_US
    if now - estimator.feedback_us > SILENCE_US:
        bursts_reset(&estimator.bursts)
        trendline_reset(&estimator.trendline)
    estimator.feedback_us = now
    estimator.answered_bytes = sent_bytes
    measure_sent(estimator, sent_bytes, now)
    estimator.unanswered_us = 0
    if estimator.probes.asks:
        take_answer(estimator, now)
    if estimator.cut:  # the reports that tell of all that was lost may be several
        estimator.cut = False
        estimator.alive_us = first_arrived(results, now)
    for i in range(results.count):
        if results.unreported_bytes and results.items[i].arrival_us >= 0 and newest == 0:
            # That a report was lost does not mean that its packets were.
            acknowledged_add(&estimator.acknowledged, results.items[i].arrival_us, <int>results.unreported_bytes)
        take_result(estimator, &results.items[i], now)
        newest = largest(newest, results.items[i].arrival_us)
        if results.items[i].arrival_us >= 0:
            quickest = smallest(quickest, results.items[i].arrival_us - results.items[i].sent_us)
    acknowledged_update(&estimator.acknowledged, newest)
    if estimator.probes.state != PROBE_IDLE:
        probed = probes_conclude(&estimator.probes, estimator.bps, own_loss(estimator), now)
        if probed > 0:
            estimator.rate.full_bps = probed if probe_filled(&estimator.probes, probed) else 0
        if probed > estimator.rate.bps:
            rate_set(&estimator.rate, probed, now)
        elif probed > 0 and estimator.rate.sharers == 1:
            # Sent faster than estimated, it came slower: the line is full. One cluster may err, though.
            rate_set(&estimator.rate, fmax(fmax(probed, 0.85 * estimator.rate.bps), estimator.acknowledged.bps), now)
        if estimator.probes.state == PROBE_IDLE:  # the queue that the probe itself has made is no overuse
            bursts_reset(&estimator.bursts)
            trendline_reset(&estimator.trendline)
    elif estimator.together and estimator.trendline.usage == USAGE_OVER:
        over = may_reduce(&estimator.rate, estimator.acknowledged.bps, is_idle(estimator), rtt_us, now)
    elif rate_update(&estimator.rate, own_usage(estimator), estimator.acknowledged.bps, is_idle(estimator), rtt_us, now):
        note_full(estimator, before, now)
        rivals_note_cut(&estimator.rivals, estimator.acknowledged.bps, estimator.sent_bps)
    note_own_queue(estimator, quickest, now)
    note_calm_loss(estimator, results, now)
    losses_update(&estimator.losses, estimator.rate.bps, estimator.acknowledged.bps, is_idle(estimator))
    combine(estimator)
    return over


cdef inline void estimator_alone(estimator_t *estimator, int64_t rtt_us, int64_t now) noexcept nogil:
    """The line was found full a moment ago, but by nobody else."""
    cdef double before = estimator.bps
    if reduce_rate(&estimator.rate, estimator.acknowledged.bps, is_idle(estimator), rtt_us, now):
        estimator.rate.sharers = 1
        note_full(estimator, before, now)
        combine(estimator)


cdef inline void estimator_even(estimator_t *estimator, double bps) noexcept nogil:
    """Of what all who share the line are allowed this is its part now; it grows on from there."""
    estimator.rate.bps = clamp_rate(bps)
    combine(estimator)


cdef inline void estimator_share(estimator_t *estimator, double bps, int sharers, int64_t now) noexcept nogil:
    """The line is full and shared: this is what is allowed now. What was lost is accounted for with that."""
    cdef double before = estimator.bps
    rate_share(&estimator.rate, bps, sharers, now)
    losses_reset(&estimator.losses)
    note_full(estimator, before, now)
    combine(estimator)


cdef inline void back_off(estimator_t *estimator, int64_t now) noexcept nogil:
    """No reports, though there should be: the path is cut, or so full that nothing comes through."""
    probes_dropped(&estimator.probes, estimator.bps, RATE_LEAST, 0, now)
    rate_set(&estimator.rate, 0.8 * estimator.bps, now)
    losses_reset(&estimator.losses)
    estimator.cut = True
    estimator.cut_us = now
    combine(estimator)


cdef inline void estimator_tick(estimator_t *estimator, int64_t sent_bytes, int64_t now) noexcept nogil:
    """Often, whether reports come or not."""
    probes_give_up(&estimator.probes, now)
    estimator.full = estimator.rate.reduced_us > 0 and now - estimator.rate.reduced_us < FULL_LATELY_US
    estimator.coupled = estimator.rate.sharers > 1 and now - estimator.rate.reduced_us < COUPLED_US
    if sent_bytes != estimator.seen_bytes:
        estimator.seen_bytes = sent_bytes
        estimator.seen_us = now
    if sent_bytes == estimator.answered_bytes:
        estimator.unanswered_us = 0
    elif estimator.unanswered_us == 0:
        estimator.unanswered_us = now
    elif now - estimator.unanswered_us >= UNANSWERED_US and estimator.seen_us > estimator.cut_us:
        estimator.unanswered_us = now - UNANSWERED_US + UNANSWERED_AGAIN_US
        back_off(estimator, now)


cdef inline double probed_most(const estimator_t *estimator, double wanted_bps) noexcept nogil:
    """On a line that was full lately, one layer more: others may share it, and a short cluster finds what is free at the moment,
    which all of them see and each would take."""
    if estimator.full and estimator.rate.next_bps > 0:
        return 1.2 * estimator.rate.next_bps
    return 2 * wanted_bps


cdef inline bint asks_again(estimator_t *estimator, double wanted_bps, int64_t now) noexcept nogil:
    """Where no picture is left and nobody says a word nothing is sent any more, so nothing would ever be reported, and what was found last
    would hold for good. One packet of padding, now and then, asks whether the line is there."""
    if wanted_bps <= 0 or not (estimator.cut or (estimator.rate.hungry and estimator.feedback_us)):
        return False
    if estimator.probes.state != PROBE_IDLE and not estimator.probes.asks:
        return False
    if now - largest(estimator.seen_us, estimator.probes.begun_us) < UNANSWERED_AGAIN_US:
        return False
    probe_ask(&estimator.probes, estimator.bps, now)
    return True


cdef inline bint begins_cluster(estimator_t *estimator, double wanted_bps, int64_t now) noexcept nogil:
    """Never before the first packets were reported, nor without reports, nor where loss is the limit, of which a short cluster
    shows nothing."""
    cdef double loss_bps = estimator.losses.bps
    if 0 < loss_bps < estimator.rate.bps or estimator.feedback_us == 0 or estimator.cut:
        return False
    if estimator.unanswered_us and now - estimator.feedback_us > UNANSWERED_US // 2:
        return False
    if estimator.coupled:
        return False  # it would meet what the others are sent at the moment
    if estimator.full and not estimator.rate.hungry and now - estimator.rate.reduced_us < FULL_WAIT_US:
        return False
    return probes_decide(
        &estimator.probes, estimator.bps, wanted_bps, probed_most(estimator, wanted_bps),
        estimator.trendline.usage == USAGE_NORMAL, now
    )


cdef inline bint estimator_probes(estimator_t *estimator, double wanted_bps, int64_t now) noexcept nogil:
    """Whether a probe begins now: a cluster, or a question."""
    return begins_cluster(estimator, wanted_bps, now) or asks_again(estimator, wanted_bps, now)


cdef inline loss_cause_t estimator_loss_cause(const estimator_t *estimator, int64_t since_us) noexcept nogil:
    """Of what was lost since then. Too much was sent, by anybody, where a queue grew, the line was dead, or loss went with the rate. Where
    packets were lost before that queue as well, the line may be one that loses any."""
    since_us = largest(since_us, 1)
    if estimator_shares(estimator) or estimator.alive_us >= since_us:
        return CAUSE_RATE
    if estimator.rate.reduced_us >= since_us:
        return CAUSE_UNKNOWN if estimator.calm_loss_us >= since_us else CAUSE_RATE
    return losses_cause(&estimator.losses)
