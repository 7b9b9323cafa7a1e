"""Bandwidth, divided and applied: from a transport's budget to what each of its consumers may forward.

Runs some ten times a second for each transport whose budget is known, and at once when somebody comes or wants otherwise. Audio is
taken off first, as measured, and is never touched.
"""

from libc.stdint cimport int64_t, uint64_t

from media.plane.allocation cimport (
    NO_RUNG, RUNGS, SPATIAL_MOST, TEMPORAL_MOST, demand_t, forget_mistakes, ladder_t, next_rung, next_step_bps, rung_bps,
    share, top_rung,
)
from media.plane.bits cimport largest
from media.plane.estimator cimport estimator_knows
from media.plane.layers cimport ask_for_switch, spatial_now
from media.plane.lists cimport list_add
from media.plane.meter cimport meter_measure
from media.plane.objects cimport ANY_LAYER, consumer_t, core_t, producer_t, transport_t
from media.plane.replay cimport start_consumer
from media.plane.sending cimport core_tell

cdef enum:
    EVENT_LAYERS_CHANGED = 4
    ALLOCATE_US = 100_000
    CALM_US = 1_000_000
    AUDIO_US = 500_000  # some 25 packets of a voice: in a tenth of a second one more or less would be a fifth of the rate
    AUDIO_LEAST_BPS = 40_000  # whoever is silent now may speak in the next moment


cdef inline void measure(producer_t *producer) noexcept nogil:
    cdef int i
    for i in range(RUNGS):
        meter_measure(&producer.meters[i])


cdef inline int64_t below_bps(const producer_t *producer, int spatial, int temporal) noexcept nogil:
    """What the lower layers cost that a layer of a layered stream is built on."""
    cdef int64_t bps = 0
    cdef int below, slower
    if producer.stream_count > 1 or producer.keyed:
        return 0
    for below in range(spatial):
        for slower in range(temporal + 1):
            bps += producer.meters[below * TEMPORAL_MOST + slower].bps
    return bps


cdef inline bint is_sent(const producer_t *producer, int spatial) noexcept nogil:
    if producer.stream_count == 1:
        return producer.streams[0].active and spatial <= producer.top_spatial
    return spatial < producer.stream_count and producer.streams[spatial].active


cdef inline void build_ladder(producer_t *producer) noexcept nogil:
    """What forwarding each pair of layers costs. A layer whose rate is not known yet is not offered, but the lowest
    one is. With a spatial layer of one stream go the lower ones, unless the layers are `keyed`."""
    cdef ladder_t *ladder = &producer.ladder
    cdef int spatial, temporal, rung
    cdef int64_t bps
    cdef bint lowest = True
    for spatial in range(SPATIAL_MOST):
        bps = 0
        for temporal in range(TEMPORAL_MOST):
            rung = spatial * TEMPORAL_MOST + temporal
            ladder.bps[rung] = 0
            if not is_sent(producer, spatial):
                continue
            bps += producer.meters[rung].bps
            if producer.meters[rung].bps:
                ladder.bps[rung] = bps + below_bps(producer, spatial, temporal)
            elif temporal == 0 and lowest:
                ladder.bps[rung] = 1
        lowest = lowest and ladder.bps[spatial * TEMPORAL_MOST] == 0


cdef inline int64_t audio_bps(core_t *core, transport_t *transport) noexcept nogil:
    """What sound takes now, peaks held as for video."""
    cdef int i
    cdef bint any_ = False
    cdef uint64_t bytes = 0
    cdef int64_t rate, elapsed
    cdef consumer_t *consumer
    for i in range(transport.consumers.count):
        consumer = <consumer_t *>transport.consumers.items[i]
        if not consumer.producer.video:
            bytes += consumer.bytes
            any_ = any_ or not consumer.paused
    elapsed = core.now - transport.audio_at_us
    if elapsed >= AUDIO_US:
        rate = <int64_t>(bytes - transport.audio_bytes) * 8 * 1_000_000 // elapsed
        if bytes < transport.audio_bytes or transport.audio_at_us == 0:  # a consumer went, or nothing was known
            rate = 0
        transport.audio_bps = largest(rate, transport.audio_bps - (transport.audio_bps >> 2))
        transport.audio_bytes = bytes
        transport.audio_at_us = core.now
    return largest(transport.audio_bps, AUDIO_LEAST_BPS) if any_ else 0


cdef inline void collect_demands(core_t *core, transport_t *transport) noexcept nogil:
    """The videos that are watched, into `core.demands`. Consumers are kept in order of priority."""
    cdef int i
    cdef consumer_t *consumer
    core.demands.count = 0
    for i in range(transport.consumers.count):
        consumer = <consumer_t *>transport.consumers.items[i]
        if not consumer.producer.video or consumer.paused:
            continue
        consumer.demand.owner = consumer
        consumer.demand.ladder = &consumer.producer.ladder
        consumer.demand.priority = consumer.priority
        consumer.demand.most_spatial = consumer.preferred_spatial
        consumer.demand.most_temporal = consumer.preferred_temporal
        list_add(&core.demands, &consumer.demand)


cdef inline int kept_temporal(const consumer_t *consumer, int rung) noexcept nogil:
    """While a lower stream's key frame is awaited the old stream goes on, thinned out to what the new one may cost."""
    cdef const ladder_t *ladder = &consumer.producer.ladder
    cdef int temporal
    for temporal in range(TEMPORAL_MOST - 1, 0, -1):
        if 0 < ladder.bps[spatial_now(consumer) * TEMPORAL_MOST + temporal] <= ladder.bps[rung]:
            return temporal
    return 0


cdef inline bint is_calm(const core_t *core, const transport_t *transport) noexcept nogil:
    """Whether no packets have waited in a queue lately."""
    return transport.estimator != NULL and core.now - transport.estimator.queued_us > CALM_US


cdef inline bint is_known(const transport_t *transport) noexcept nogil:
    """Whether the budget has to do with the line."""
    return not transport.estimated or transport.remb_bps or estimator_knows(transport.estimator)


cdef inline void starve(core_t *core, consumer_t *consumer) noexcept nogil:
    """No bandwidth for the least of it: the picture pauses, and the client is told."""
    if consumer.starved:
        return
    consumer.starved = True
    consumer.waits_key = True
    consumer.told_spatial = -1
    consumer.told_temporal = -1
    core_tell(core, EVENT_LAYERS_CHANGED, consumer.handle, -1, -1)


cdef inline void feed(core_t *core, consumer_t *consumer) noexcept nogil:
    if consumer.starved:
        consumer.starved = False
        start_consumer(core, consumer)


cdef inline void set_free(core_t *core, consumer_t *consumer) noexcept nogil:
    """As good as the publisher sends and the client wants."""
    consumer.cap_spatial = ANY_LAYER
    consumer.cap_temporal = ANY_LAYER
    feed(core, consumer)


cdef inline void apply_grant(core_t *core, consumer_t *consumer) noexcept nogil:
    cdef int rung = consumer.demand.grant.rung
    if next_rung(&consumer.demand, NO_RUNG) == NO_RUNG:  # the publisher sends nothing: no reason to complain
        set_free(core, consumer)
        return
    if rung == NO_RUNG:
        starve(core, consumer)
        return
    consumer.cap_spatial = <unsigned char>(rung // TEMPORAL_MOST)
    consumer.cap_temporal = <unsigned char>(rung % TEMPORAL_MOST)
    if next_rung(&consumer.demand, rung) == NO_RUNG:  # all that is wanted: what begins to be sent meanwhile is welcome
        consumer.cap_temporal = ANY_LAYER
    consumer.kept_temporal = ANY_LAYER
    if spatial_now(consumer) > consumer.cap_spatial:
        consumer.kept_temporal = <unsigned char>kept_temporal(consumer, rung)
    feed(core, consumer)
    ask_for_switch(core, consumer)


cdef inline void divide(core_t *core, transport_t *transport) noexcept nogil:
    """Allocate, and let each consumer have its grant."""
    cdef int i
    cdef int64_t audio = audio_bps(core, transport)
    cdef demand_t *demand
    collect_demands(core, transport)
    transport.desired_bps = audio
    transport.sound_bps = audio
    transport.hungry = core.demands.count > 0
    if transport.estimator != NULL and transport.estimator.cut:  # a dead line is not one that was thought too wide
        forget_mistakes(&transport.patience)
    share(
        <demand_t **>core.demands.items, core.demands.count, largest(transport.budget_bps - audio, 0),
        is_known(transport), is_calm(core, transport), &transport.patience, core.now,
    )
    for i in range(core.demands.count):
        demand = <demand_t *>core.demands.items[i]
        transport.desired_bps += rung_bps(demand, top_rung(demand))
        transport.hungry = transport.hungry and demand.grant.rung == NO_RUNG
        apply_grant(core, <consumer_t *>demand.owner)
    transport.main_bps = 0
    if core.demands.count:
        demand = <demand_t *>core.demands.items[0]
        transport.main_bps = rung_bps(demand, next_rung(demand, NO_RUNG))
    transport.next_bps = next_step_bps(<demand_t **>core.demands.items, core.demands.count)
    if transport.next_bps:
        transport.next_bps += audio


cdef inline void lift_limits(core_t *core, transport_t *transport) noexcept nogil:
    """The budget is no longer known."""
    cdef int i
    for i in range(transport.consumers.count):
        set_free(core, <consumer_t *>transport.consumers.items[i])


cdef inline void allocate_now(core_t *core, transport_t *transport) noexcept nogil:
    """Somebody came, went or wants otherwise."""
    if transport == NULL:
        return
    transport.allocate_at = core.now + ALLOCATE_US
    transport.allocated_for_bps = transport.budget_bps
    if transport.budget_bps:
        transport.limited = True
        divide(core, transport)
    elif transport.limited:
        transport.limited = False
        lift_limits(core, transport)


cdef inline void allocate_due(core_t *core, transport_t *transport) noexcept nogil:
    """From each tick: every ALLOCATE_US, and at once when the budget has fallen."""
    if core.now >= transport.allocate_at or transport.budget_bps < transport.allocated_for_bps:
        allocate_now(core, transport)
