"""What publishers are asked for again and again until it comes: missing packets and key frames.

Each stream that waits for either has a timer, so a lossy publisher costs looks at his own streams and at nobody else's.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t

from media.plane.bits cimport largest, smallest
from media.plane.keyframes cimport KEY_LOOK_US, ask_key, key_due, want_key
from media.plane.layers cimport stream_needed
from media.plane.nack cimport MISSING_MOST, missing_arrived, missing_due
from media.plane.objects cimport core_t, producer_t
from media.plane.ring cimport ring_find, slot_t
from media.plane.rtcp cimport write_nack
from media.plane.sending cimport may_send, send_room, send_rtcp
from media.plane.stream cimport sent_number, stream_t
from media.plane.timers cimport timer_cancel, timer_set, timer_t, timers_next, timers_take

cdef enum:
    REPAIR_STEP_US = 1_000  # what is due within it goes together
    BESIDE_MOST = 16


cdef inline const slot_t *media_beside(const stream_t *stream, int64_t number, int step) noexcept nogil:
    """The nearest packet with media before (-1) or after (1) a number, or NULL."""
    cdef int i
    cdef const slot_t *slot
    for i in range(1, BESIDE_MOST + 1):
        slot = ring_find(&stream.ring, number + i * step)
        if slot != NULL and slot.payload_length:
            return slot
    return NULL


cdef inline bint may_hold_media(const stream_t *stream, int64_t number) noexcept nogil:
    """Whether a packet that is missing may be a piece of a picture. Padding alone, with which publishers probe, comes between pictures,
    and nobody sends it again; what has no picture ids does not tell."""
    cdef const slot_t *before = media_beside(stream, number, -1)
    cdef const slot_t *after = media_beside(stream, number, 1)
    return (
        before == NULL or after == NULL or not before.marker or not after.payload.first or after.payload.spatial != 0
        or before.picture == 0 or after.picture != before.picture + 1
    )


cdef inline int64_t ask_missing(core_t *core, producer_t *producer, stream_t *stream) noexcept nogil:
    """The NACK that is due; answers when the next will be."""
    cdef int64_t wanted[<int>MISSING_MOST]
    cdef int64_t next_us = INT64_MAX
    cdef int given_up = 0
    cdef int count = missing_due(
        &stream.missing, core.now, producer.rtt_us, wanted, MISSING_MOST, &given_up, &next_us
    )
    cdef uint8_t *out
    cdef int i
    cdef int due = count
    count = 0
    for i in range(due):
        if may_hold_media(stream, wanted[i]):
            wanted[count] = wanted[i]
            count += 1
        else:
            missing_arrived(&stream.missing, wanted[i], core.now)  # not awaited any more
    if given_up:
        want_key(core, producer, stream)
    if count and may_send(core, producer.transport, 0):
        for i in range(count):
            wanted[i] = sent_number(stream, wanted[i])
        out = send_room(core, producer.transport)
        send_rtcp(
            core, producer.transport, out, write_nack(out, producer.transport.ssrc, stream.ssrc, wanted, count)
        )
        producer.nacks += 1
        core.nacks_sent += 1
        producer.nacked += count
    return next_us


cdef inline void repair(core_t *core, producer_t *producer, stream_t *stream) noexcept nogil:
    """Ask for what is due of one stream, unless nobody gets it any more, and wait for the rest."""
    cdef int64_t next_us = INT64_MAX
    core.repairs += 1
    if not stream_needed(producer, stream.index):
        stream.key_wanted = False
        stream.missing.count = 0
        return
    if stream.missing.count:
        next_us = ask_missing(core, producer, stream)
    ask_key(core, producer, stream)
    if stream.key_wanted:
        next_us = smallest(next_us, largest(key_due(stream), core.now + KEY_LOOK_US))
    if next_us < INT64_MAX:
        timer_set(&core.waiting, &stream.waits, largest(next_us, core.now + REPAIR_STEP_US))


cdef inline void repair_due(core_t *core) noexcept nogil:
    """All streams that are due."""
    cdef timer_t *timer = timers_take(&core.waiting, core.now)
    cdef producer_t *producer
    core.repair_at = core.now + REPAIR_STEP_US
    while timer != NULL:
        producer = <producer_t *>timer.owner
        repair(core, producer, &producer.streams[timer.part])
        timer = timers_take(&core.waiting, core.now)


cdef inline int64_t next_repair(const core_t *core) noexcept nogil:
    """When there will be something to do; INT64_MAX while nothing is missing."""
    return largest(timers_next(&core.waiting), core.repair_at)


cdef inline void end_repairs(core_t *core, producer_t *producer) noexcept nogil:
    cdef int k
    for k in range(producer.stream_count):
        timer_cancel(&core.waiting, &producer.streams[k].waits)
