"""Pacing: what exceeds a subscriber's line for a moment leaves in small steps, so that no short queue on the way drops it.

A bucket of bytes fills at five quarters of the budget, and at no more than the budget on a wide line and where others share the
line: a key frame goes to all of them at the same moment. (libwebrtc's pacer takes two and a half times: a key frame then stands in a
narrow line's queue for as long as it would have waited here, and the sound behind it.) A frame that it can hold leaves as it comes, in
one piece, and that is every frame of a line with room. Else the video *falls behind*: nothing is copied or queued, only the place in
the publisher's ring is remembered, from which `catch_up` goes on every few milliseconds. Sound never waits; what is sent again goes
before what is new. Over TCP the video also waits as long as what was written before is standing.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint64_t

from media.plane.bits cimport largest, smallest
from media.plane.connections cimport stands
from media.plane.drops cimport DROP_LET_GO
from media.plane.estimator cimport estimator_shares
from media.plane.objects cimport TCP_SOCKET, consumer_t, core_t, transport_t
from media.plane.ring cimport ring_came, slot_t
from media.plane.stream cimport stream_t

cdef enum:
    PACE_STEP_US = 5_000
    PACE_BURST_US = 40_000  # of the pace, so 50 ms of the line: half of what a short queue holds, and more than most frames
    PACE_BURST_LEAST = 2_400  # bytes: two packets
    PACE_LONGEST_US = 600_000  # nothing waits longer, whatever the budget: old pictures are of no use
    PACE_LONGEST_SHARED_US = 4_000_000  # and over TCP, where what is sent too early only keeps sound waiting
    PACE_FORGOTTEN_US = 2_000_000  # whose picture pauses is not looked at, while his sound goes on; it makes no debt
    KEY_REST_US = 2_500_000  # six times a frame of the lowest layer, for everybody
    PACE_DEBT = 4  # bursts that repairs may overdraw
    # Before the first report the budget is no more than the estimate's first guess. A joiner's first pictures should not
    # wait for that, and most lines bear this.
    UNKNOWN_LINE_BPS = 2_000_000
    WIDE_LINE_BPS = 4_000_000


cdef inline bint is_shared(const transport_t *transport) noexcept nogil:
    """Whether others share the line, and it was full lately."""
    return transport.estimator != NULL and estimator_shares(transport.estimator)


cdef inline bint key_rests(const core_t *core, const consumer_t *consumer, const stream_t *stream) noexcept nogil:
    """Whether the consumer should not ask for a key frame yet: it goes to all who watch, and all who share the line wait for it."""
    return (
        consumer.transport != NULL and is_shared(consumer.transport) and stream.key_sequence != 0
        and core.now - stream.key_arrival_us < KEY_REST_US
    )


cdef inline int pace_quarters(const transport_t *transport) noexcept nogil:
    """Of the budget; no more than that where all who share a line catch up at the same time, after a key frame that went to all, and on
    a wide line, where even that is soon through."""
    return 4 if is_shared(transport) or transport.budget_bps >= WIDE_LINE_BPS else 5


cdef inline int64_t pace_of(const transport_t *transport, int64_t us) noexcept nogil:
    """How many bytes may leave in so many microseconds."""
    cdef int64_t bps = transport.budget_bps
    if transport.estimator != NULL and transport.estimator.feedback_us == 0 and not is_shared(transport):
        bps = largest(bps, UNKNOWN_LINE_BPS)
    return bps * us * pace_quarters(transport) // (4 * 8_000_000)


cdef inline int64_t pace_longest(const transport_t *transport) noexcept nogil:
    return PACE_LONGEST_SHARED_US if is_shared(transport) or transport.remote.socket == TCP_SOCKET else PACE_LONGEST_US


cdef inline int64_t pace_most(const transport_t *transport) noexcept nogil:
    return largest(pace_of(transport, PACE_BURST_US), PACE_BURST_LEAST)


cdef inline int64_t pace_left(core_t *core, transport_t *transport) noexcept nogil:
    """What the bucket holds now, below zero when more was sent; only where there is a budget."""
    cdef int64_t sent = <int64_t>(transport.bytes_sent - transport.pace_sent)
    cdef int64_t passed = core.now - transport.pace_us
    cdef int64_t most = pace_most(transport)
    transport.pace_sent = transport.bytes_sent
    transport.pace_us = core.now
    if passed > PACE_FORGOTTEN_US:
        transport.pace_bytes = most
    else:
        transport.pace_bytes = smallest(transport.pace_bytes + pace_of(transport, passed) - sent, most)
    if transport.remote.socket == TCP_SOCKET and stands(core, &transport.remote):
        return smallest(transport.pace_bytes, 0)
    return transport.pace_bytes


cdef inline bint pace_overdrawn(core_t *core, transport_t *transport) noexcept nogil:
    """Whether even repairs would be too much."""
    return transport.budget_bps != 0 and pace_left(core, transport) < -PACE_DEBT * pace_most(transport)


cdef inline bint is_paced(core_t *core, consumer_t *consumer, int bytes) noexcept nogil:
    """Whether a frame of so many bytes is to be looked at packet by packet: once for each frame and consumer."""
    cdef transport_t *transport = consumer.transport
    if transport == NULL or not consumer.producer.video:
        return False
    return consumer.behind or (transport.budget_bps != 0 and pace_left(core, transport) < bytes)


cdef inline void fall_behind(core_t *core, consumer_t *consumer, const stream_t *stream, int64_t sequence) noexcept nogil:
    """From this packet on it is for `catch_up`."""
    cdef transport_t *transport = consumer.transport
    consumer.behind = True
    consumer.behind_stream = stream.index
    consumer.behind_epoch = stream.epoch
    consumer.behind_at = sequence
    if not transport.lags:
        transport.lags = True
        transport.lagging = core.lagging
        core.lagging = transport
    if core.pace_at == 0:
        core.pace_at = core.now + PACE_STEP_US


cdef inline void stop_lagging(core_t *core, transport_t *transport) noexcept nogil:
    """It goes."""
    cdef transport_t **place = &core.lagging
    while place[0] != NULL and place[0] != transport:
        place = &place[0].lagging
    if place[0] != NULL:
        place[0] = transport.lagging


cdef inline void let_go(core_t *core, consumer_t *consumer, int64_t end) noexcept nogil:
    """What it is behind with, as far as `end`, is not sent any more: its picture pauses, or begins anew."""
    cdef const stream_t *stream = &consumer.producer.streams[consumer.behind_stream]
    cdef int64_t sequence
    if not consumer.behind:
        return
    consumer.behind = False
    if consumer.behind_epoch != stream.epoch:
        core.drops[<int>DROP_LET_GO] += <uint64_t>largest(stream.ended + 1 - consumer.behind_at, 1)
        return
    for sequence in range(consumer.behind_at, smallest(end, stream.highest + 1)):
        core.drops[<int>DROP_LET_GO] += ring_came(&stream.ring, sequence, stream.highest)


cdef inline bint waits_turn(
    core_t *core, consumer_t *consumer, const stream_t *stream, const slot_t *slot
) noexcept nogil:
    """Whether a packet is left for `catch_up`. Not so what fills a gap in what was sent, nor what may begin another
    stream, which lets go what was left of the old one."""
    if consumer.behind and consumer.behind_epoch == stream.epoch:
        if consumer.behind_stream != stream.index or slot.sequence < consumer.behind_at:
            return False
        consumer.behind_turn = stream.turn
        return True
    if consumer.stream != stream.index or consumer.waits_key or slot.sequence <= consumer.spans.newest_source:
        return False
    if pace_left(core, consumer.transport) > 0:
        return False
    let_go(core, consumer, INT64_MAX)
    consumer.behind_since_us = core.now
    consumer.behind_turn = stream.turn
    fall_behind(core, consumer, stream, slot.sequence)
    return True
