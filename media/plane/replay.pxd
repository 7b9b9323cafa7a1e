"""Late joiners, and who has lost the thread: video starts with a key frame at once, out of the ring if one has just been, else by
asking.

While a request to the publisher would be throttled (KEY_INTERVAL_US) the last key frame is at most that old, and all
that followed it is replayed; otherwise a request goes out immediately. So nobody waits for a throttle, and nobody gets
more than half a second of old frames. But where many share a full line a new key frame goes to all of them, and is dearer than
what one of them has missed: there the last one is replayed for as long as key frames rest. How the frames are sent is `catchup`,
what times they are given `timing`.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint32_t

from media.plane.bits cimport ahead32
from media.plane.catchup cimport catch_up
from media.plane.fanout cimport has_had_turn
from media.plane.forward cimport begin_spurt, continued_timestamp, switch_to
from media.plane.keyframes cimport KEY_INTERVAL_US, want_key
from media.plane.layers cimport wanted_stream
from media.plane.nack cimport NACK_WAIT_US, missing_add
from media.plane.objects cimport consumer_t, core_t, producer_t
from media.plane.pacing cimport fall_behind, key_rests, let_go
from media.plane.ring cimport ring_find, ring_seen, slot_t
from media.plane.sending cimport may_send
from media.plane.spans cimport spans_current
from media.plane.stream cimport stream_t
from media.plane.timers cimport timer_hasten
from media.plane.timing cimport millisecond

cdef enum:
    REPLAY_MOST = 160  # packets; half a second at 4 Mbit/s
    REPLAY_FRAMES = 30  # each takes a span


cdef inline int frames_since_key(const stream_t *stream) noexcept nogil:
    """How many of the lowest temporal layer; -1 where a packet is missing. One that comes late must find its frame's own
    timestamp, so with a gap the replayed frames keep their true ones."""
    cdef int64_t sequence
    cdef int frames = 0
    cdef const slot_t *slot
    cdef uint32_t timestamp = stream.key_timestamp
    for sequence in range(stream.key_sequence, stream.highest + 1):
        slot = ring_find(&stream.ring, sequence)
        if slot == NULL:
            return -1
        if slot.timestamp != timestamp and not (slot.payload.has_layer and slot.payload.temporal):
            timestamp = slot.timestamp
            frames += 1
    return frames


cdef inline bint can_replay(core_t *core, const consumer_t *consumer, const stream_t *stream) noexcept nogil:
    if (
        not stream.started or stream.key_sequence == 0
        or stream.highest - stream.key_sequence >= REPLAY_MOST
        or ring_find(&stream.ring, stream.key_sequence) == NULL
    ):
        return False
    if core.now - stream.key_arrival_us <= KEY_INTERVAL_US:
        return True
    return key_rests(core, consumer, stream) and 0 <= frames_since_key(stream) < REPLAY_FRAMES


cdef inline void ask_for_gaps(core_t *core, const consumer_t *consumer, stream_t *stream) noexcept nogil:
    """What was lost while nobody needed the stream was not asked for."""
    cdef int64_t sequence
    if not consumer.producer.nack or stream.missing.count:
        return
    for sequence in range(stream.key_sequence, stream.highest + 1):
        if not ring_seen(&stream.ring, sequence) and not missing_add(&stream.missing, sequence, sequence, core.now):
            return
    timer_hasten(&core.waiting, &stream.waits, core.now + NACK_WAIT_US)


cdef inline void begin_past(core_t *core, consumer_t *consumer, stream_t *stream, int frames) noexcept nogil:
    """Forward from the last key frame on, which so many frames follow, in such times that the newest has its own."""
    cdef const slot_t *key = ring_find(&stream.ring, stream.key_sequence)
    cdef const slot_t *newest = ring_find(&stream.ring, stream.highest)
    cdef bint any_ = spans_current(&consumer.spans) != NULL
    cdef uint32_t before = consumer.spans.newest_timestamp
    cdef uint32_t past = frames * millisecond(consumer)
    cdef uint32_t present = continued_timestamp(consumer, stream, newest) if any_ else 0
    switch_to(core, consumer, stream, key)
    if any_:
        consumer.replay_next = present - past
        if ahead32(consumer.replay_next, before) <= 0:
            consumer.replay_next = before + millisecond(consumer)
    else:
        consumer.replay_next = key.timestamp - spans_current(&consumer.spans).timestamp_shift
        present = consumer.replay_next + past
    consumer.replay_shift = newest.timestamp - present
    consumer.replay_timestamp = -1
    consumer.replay_frames = REPLAY_FRAMES


cdef inline void replay(core_t *core, consumer_t *consumer, stream_t *stream) noexcept nogil:
    cdef int frames = frames_since_key(stream)
    if frames < 0:
        ask_for_gaps(core, consumer, stream)
        switch_to(core, consumer, stream, ring_find(&stream.ring, stream.key_sequence))
    else:
        begin_past(core, consumer, stream, frames)
    consumer.behind_since_us = core.now
    consumer.behind_turn = stream.turn if has_had_turn(consumer, stream) else stream.turn - 1
    fall_behind(core, consumer, stream, stream.key_sequence)
    catch_up(core, consumer)


cdef inline void start_consumer(core_t *core, consumer_t *consumer) noexcept nogil:
    """A consumer that may now send begins (again)."""
    cdef producer_t *producer = consumer.producer
    cdef stream_t *stream
    if consumer.paused or consumer.starved:
        return
    if not producer.video:
        begin_spurt(consumer)
        return
    consumer.waits_key = True
    if consumer.transport != NULL and not may_send(core, consumer.transport, 0):
        let_go(core, consumer, INT64_MAX)
        return
    stream = &producer.streams[wanted_stream(consumer)]
    # A recording keeps true timestamps, so it waits for a fresh key frame.
    if consumer.tap == NULL and not producer.paused and producer.transport.admitted and can_replay(core, consumer, stream):
        replay(core, consumer, stream)
    else:
        let_go(core, consumer, INT64_MAX)
    if consumer.waits_key and not key_rests(core, consumer, stream):
        want_key(core, producer, stream)


cdef inline bint replay_again(core_t *core, consumer_t *consumer, stream_t *stream) noexcept nogil:
    """Its decoder has lost the thread while key frames rest: whether it has been given the last one once more."""
    if consumer.stream != stream.index or not can_replay(core, consumer, stream):
        return False
    replay(core, consumer, stream)
    return True
