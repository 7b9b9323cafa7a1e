"""Catching up: a video that has fallen behind its publisher goes on from the ring, as fast as its subscriber's line bears.

So do the frames that a late joiner is sent out of the ring.
"""

from libc.stdint cimport INT64_MAX, int64_t

from media.plane.bits cimport largest
from media.plane.drops cimport DROP_LEFT_RING
from media.plane.forward cimport forward_packet, place
from media.plane.objects cimport consumer_t, core_t, transport_t
from media.plane.pacing cimport fall_behind, let_go, pace_left, pace_longest
from media.plane.ring cimport ring_bytes, ring_find, ring_came, slot_t
from media.plane.sending cimport may_send
from media.plane.spans cimport span_t
from media.plane.stream cimport stream_t


cdef inline int64_t end_of_ready(const stream_t *stream, const consumer_t *consumer, int64_t sequence) noexcept nogil:
    """Where the packets end, from `sequence` on, that this consumer has had its turn with: the others come by themselves."""
    cdef int64_t end = stream.highest + 1
    cdef int i
    for i in range(stream.sending if consumer.behind_turn == stream.turn else 0, stream.pending_count):
        if sequence <= stream.pending[i] < end:
            end = stream.pending[i]
    return end


cdef inline void catch_up(core_t *core, consumer_t *consumer) noexcept nogil:
    """Send from where it is, until it is there or the line has enough for now."""
    cdef stream_t *stream = &consumer.producer.streams[consumer.behind_stream]
    cdef int64_t sequence = consumer.behind_at
    cdef int64_t end = end_of_ready(stream, consumer, sequence)
    cdef slot_t *slot
    cdef span_t *span
    if (
        consumer.paused or consumer.starved or consumer.behind_epoch != stream.epoch
        or not may_send(core, consumer.transport, 0)
    ):
        let_go(core, consumer, INT64_MAX)
        return
    consumer.behind = False
    while sequence < end:
        slot = ring_find(&stream.ring, sequence)
        if slot == NULL:  # missing: if it still comes, it goes into its gap
            core.drops[<int>DROP_LEFT_RING] += ring_came(&stream.ring, sequence, stream.highest)
            sequence += 1
            continue
        if (
            consumer.transport.budget_bps and pace_left(core, consumer.transport) <= 0 and not consumer.waits_key
            and core.now - largest(slot.arrival_us, consumer.behind_since_us) < pace_longest(consumer.transport)
        ):
            fall_behind(core, consumer, stream, sequence)
            return
        span = place(core, consumer, stream, slot)
        if span != NULL:
            forward_packet(core, consumer, slot, ring_bytes(&stream.ring, slot), span, 0)
        sequence += 1


cdef inline void pace_on(core_t *core) noexcept nogil:
    """Every PACE_STEP_US while anybody is behind: those of higher priority first."""
    cdef int k
    cdef transport_t *transport = core.lagging
    cdef transport_t *following
    cdef consumer_t *consumer
    core.pace_at = 0
    core.lagging = NULL
    while transport != NULL:
        following = transport.lagging
        transport.lags = False
        for k in range(transport.consumers.count):
            consumer = <consumer_t *>transport.consumers.items[k]
            if consumer.behind:
                catch_up(core, consumer)
        transport = following
