"""Late joiners: video starts with a key frame at once, out of the ring if one has just been, else by asking.

While a request to the publisher would be throttled (KEY_INTERVAL_US) the last key frame is at most that old, and all
that followed it is replayed; otherwise a request goes out immediately. So nobody waits for a throttle, and nobody gets
more than half a second of old frames. How they are sent, and what times they are given, is `catchup`.
"""

from libc.stdint cimport int64_t

from media.plane.catchup cimport catch_up
from media.plane.forward cimport begin_spurt
from media.plane.keyframes cimport KEY_INTERVAL_US, want_key
from media.plane.layers cimport wanted_stream
from media.plane.nack cimport missing_add
from media.plane.objects cimport consumer_t, core_t, producer_t
from media.plane.pacing cimport fall_behind, key_rests
from media.plane.ring cimport ring_find, ring_seen
from media.plane.sending cimport may_send
from media.plane.stream cimport stream_t

cdef enum:
    REPLAY_MOST = 160  # packets; half a second at 4 Mbit/s
    REPLAY_FRAMES = 30  # each takes a span


cdef inline bint can_replay(core_t *core, const stream_t *stream) noexcept nogil:
    return (
        stream.started and stream.key_sequence != 0
        and core.now - stream.key_arrival_us <= KEY_INTERVAL_US
        and stream.highest - stream.key_sequence < REPLAY_MOST
        and ring_find(&stream.ring, stream.key_sequence) != NULL
    )


cdef inline bint is_whole(const stream_t *stream) noexcept nogil:
    """Whether nothing is missing since the key frame. A packet that comes late must find its frame's own timestamp,
    so with a gap the replayed frames keep their true ones."""
    cdef int64_t sequence
    for sequence in range(stream.key_sequence, stream.highest + 1):
        if ring_find(&stream.ring, sequence) == NULL:
            return False
    return True


cdef inline void ask_for_gaps(core_t *core, const consumer_t *consumer, stream_t *stream) noexcept nogil:
    """What was lost while nobody needed the stream was not asked for."""
    cdef int64_t sequence
    if not consumer.producer.nack or stream.missing.count:
        return
    for sequence in range(stream.key_sequence, stream.highest + 1):
        if not ring_seen(&stream.ring, sequence) and not missing_add(&stream.missing, sequence, sequence, core.now):
            return
    core.tick_at = core.now


cdef inline void replay(core_t *core, consumer_t *consumer, stream_t *stream) noexcept nogil:
    cdef bint whole = is_whole(stream)
    if not whole:
        ask_for_gaps(core, consumer, stream)
    consumer.replayed_to = stream.highest
    consumer.replay_frames = REPLAY_FRAMES if whole else 0
    consumer.replay_timestamp = ring_find(&stream.ring, stream.key_sequence).timestamp
    consumer.behind_since_us = core.now
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
    consumer.behind = False
    if consumer.transport != NULL and not may_send(core, consumer.transport, 0):
        return
    stream = &producer.streams[wanted_stream(consumer)]
    # A recording keeps true timestamps, so it waits for a fresh key frame.
    if consumer.tap == NULL and not producer.paused and producer.transport.admitted and can_replay(core, stream):
        replay(core, consumer, stream)
    if consumer.waits_key and not key_rests(core, consumer, stream):
        want_key(core, producer, stream)
