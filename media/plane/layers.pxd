"""Which layers a consumer is to get, which ones anybody needs, and what is asked of the publisher for it."""

from libc.stdint cimport int64_t

from media.plane.allocation cimport SPATIAL_MOST
from media.plane.bits cimport largest, smallest
from media.plane.keyframes cimport want_key
from media.plane.objects cimport ANY_LAYER, consumer_t, core_t, producer_t
from media.plane.pacing cimport key_rests
from media.plane.sending cimport core_tell
from media.plane.spans cimport span_t, spans_current
from media.plane.stream cimport stream_t
from media.plane.wishes cimport wish_is_due

cdef enum:
    # A layer not heard for so long, while another is, has been switched off: four pictures, since a publisher sends each picture
    # in all sizes. Who watches it sees a picture that stands still until then.
    STREAM_IDLE_US = 700_000
    STREAM_IDLE_LEAST_US = 200_000
    STREAM_IDLE_PICTURES = 4
    # A publisher leaves out what nobody wants only after a while: people scroll to and fro.
    WANTED_LESS_US = 4_000_000
    EVENT_LAYERS_WANTED = 5


cdef inline bint runs(const consumer_t *consumer) noexcept nogil:
    """Whether anything is forwarded to it, or would be if there were something."""
    if consumer.paused or consumer.starved:
        return False
    return consumer.transport == NULL or consumer.transport.admitted


cdef inline int wanted_stream(const consumer_t *consumer) noexcept nogil:
    """The highest stream being received that the consumer prefers and may have, if it may have any (`starved`); lower ones
    before higher ones than it asked for."""
    cdef const producer_t *producer = consumer.producer
    cdef int i
    cdef int most = producer.stream_count - 1
    if most == 0:
        return 0
    most = <int>smallest(most, smallest(consumer.preferred_spatial, consumer.cap_spatial))
    for i in range(most, -1, -1):
        if producer.streams[i].active:
            return i
    for i in range(most + 1, producer.stream_count):
        if producer.streams[i].active:
            return i
    return most


cdef inline stream_t *lowest_active(producer_t *producer) noexcept nogil:
    """The smallest picture that is being sent."""
    cdef int i
    for i in range(producer.stream_count - 1):
        if producer.streams[i].active:
            return &producer.streams[i]
    return &producer.streams[producer.stream_count - 1]


cdef inline bint is_refuge(const consumer_t *consumer, const stream_t *stream) noexcept nogil:
    """Whether a smaller picture than the wanted one should be taken: nothing comes any more of what it has. A publisher whose line
    has narrowed drops one size after the other, and the wanted one may be the next."""
    cdef const producer_t *producer = consumer.producer
    return (
        consumer.stream >= 0 and stream.index < wanted_stream(consumer) and not producer.streams[consumer.stream].active
    )


cdef inline int wanted_spatial(const consumer_t *consumer) noexcept nogil:
    """Of a layered stream: the highest layer being sent that the consumer prefers and may have."""
    cdef int most = consumer.producer.top_spatial if consumer.producer.stream_count == 1 else 0
    return <int>smallest(most, smallest(consumer.preferred_spatial, consumer.cap_spatial))


cdef inline int spatial_now(const consumer_t *consumer) noexcept nogil:
    """What it gets now, as clients and the allocator count: streams of simulcast, or layers of the one stream."""
    if consumer.selection == NULL or consumer.producer.stream_count > 1 or consumer.stream < 0:
        return consumer.stream
    return <int>smallest(consumer.selection.spatial, consumer.producer.top_spatial)


cdef inline int most_temporal(const consumer_t *consumer) noexcept nogil:
    """The highest temporal layer of the stream it gets now."""
    cdef int allowed = ANY_LAYER
    cdef int spatial = spatial_now(consumer)
    if spatial == consumer.cap_spatial:
        allowed = consumer.cap_temporal
    elif spatial > consumer.cap_spatial:
        allowed = consumer.kept_temporal
    return <int>smallest(allowed, consumer.preferred_temporal)


cdef inline bint stream_needed(const producer_t *producer, int index) noexcept nogil:
    """Whether somebody gets this stream or waits for its key frame."""
    cdef int i
    cdef const consumer_t *consumer
    for i in range(producer.consumers.count):
        consumer = <const consumer_t *>producer.consumers.items[i]
        if runs(consumer) and (consumer.stream == index or wanted_stream(consumer) == index):
            return True
    return False


cdef inline void find_top_spatial(producer_t *producer) noexcept nogil:
    """See which layers of a layered stream are still sent; one that comes back is seen at once (accept)."""
    cdef int64_t newest = producer.layer_heard_us[0]
    cdef int i
    for i in range(1, SPATIAL_MOST):
        if producer.layer_heard_us[i] > newest:
            newest = producer.layer_heard_us[i]
    # All layers that were announced count until there has been time to hear them.
    while (
        producer.top_spatial and newest - producer.streams[0].begun_us >= STREAM_IDLE_US
        and newest - producer.layer_heard_us[producer.top_spatial] >= STREAM_IDLE_US
    ):
        producer.top_spatial -= 1


cdef inline int64_t idle_after(const producer_t *producer) noexcept nogil:
    """After how long a simulcast stream that is silent beside others has been switched off."""
    cdef int64_t rate = 1
    cdef int i
    for i in range(producer.stream_count):
        rate = largest(rate, producer.streams[i].frame_rate)
    return largest(STREAM_IDLE_LEAST_US, smallest(STREAM_IDLE_US, STREAM_IDLE_PICTURES * 1_000_000 // rate))


cdef inline void find_active(core_t *core, producer_t *producer) noexcept nogil:
    """See which streams are still sent. When the publisher falls silent altogether nothing changes."""
    cdef int i
    cdef int64_t newest = 0
    cdef int64_t idle
    if producer.stream_count == 1:
        producer.streams[0].active = producer.streams[0].started
        find_top_spatial(producer)
        return
    for i in range(producer.stream_count):
        if producer.streams[i].last_packet_us > newest:
            newest = producer.streams[i].last_packet_us
    idle = idle_after(producer)
    for i in range(producer.stream_count):
        producer.streams[i].active = (
            producer.streams[i].started and newest - producer.streams[i].last_packet_us < idle
        )


cdef inline bint needs_key_to_climb(const consumer_t *consumer) noexcept nogil:
    """Whether it should be on another spatial layer of a layered stream that it reaches only by a key picture."""
    cdef int wanted
    if consumer.selection == NULL or consumer.producer.stream_count > 1:
        return False
    wanted = wanted_spatial(consumer)
    if consumer.producer.keyed:
        return wanted != consumer.selection.spatial
    return wanted > consumer.selection.spatial


cdef inline bint has_lost_it(const consumer_t *consumer, const stream_t *stream) noexcept nogil:
    """Whether the stream has begun anew since: nothing of it can be shown before its next key frame."""
    cdef const span_t *span = spans_current(&consumer.spans)
    return consumer.stream == stream.index and span != NULL and span.epoch != stream.epoch


cdef inline void ask_for_switch(core_t *core, consumer_t *consumer) noexcept nogil:
    """A consumer that should be on another stream needs a key frame of that one, and keeps the old stream until then; or
    it asked for one, and was put off."""
    cdef stream_t *stream
    if not runs(consumer):
        return
    stream = &consumer.producer.streams[wanted_stream(consumer)]
    if stream.pending_count:
        return  # what waits to be forwarded may hold the key frame
    if stream.started and (
        consumer.waits_key or consumer.stream != stream.index or needs_key_to_climb(consumer) or has_lost_it(consumer, stream)
        or wish_is_due(core, consumer)
    ):
        if key_rests(core, consumer, stream):
            return
        consumer.wishes_key = False
        want_key(core, consumer.producer, stream)
        stream = lowest_active(consumer.producer)
        if is_refuge(consumer, stream):
            want_key(core, consumer.producer, stream)


cdef inline void ask_for_switches(core_t *core, producer_t *producer) noexcept nogil:
    cdef int i
    if not producer.video:
        return
    for i in range(producer.consumers.count):
        ask_for_switch(core, <consumer_t *>producer.consumers.items[i])


cdef inline void find_wanted(core_t *core, producer_t *producer) noexcept nogil:
    """The highest spatial layer that anybody has a use for, whatever bandwidth allows at the moment: told when it rises, and
    when it has been lower for a while."""
    cdef int i, layer
    cdef int top = producer.spatial_count - 1
    cdef const consumer_t *consumer
    producer.wanted = -1
    for i in range(producer.consumers.count):
        consumer = <const consumer_t *>producer.consumers.items[i]
        if consumer.paused or (consumer.transport != NULL and not consumer.transport.admitted):
            continue
        layer = <int>smallest(consumer.preferred_spatial, top)
        if layer > producer.wanted:
            producer.wanted = layer
    if producer.wanted >= producer.told_wanted or producer.paused:
        producer.wanted_less_us = 0
    elif producer.wanted_less_us == 0:
        producer.wanted_less_us = core.now
    if producer.wanted > producer.told_wanted or (
        producer.wanted_less_us and core.now - producer.wanted_less_us >= WANTED_LESS_US
    ):
        producer.told_wanted = producer.wanted
        producer.wanted_less_us = 0
        core_tell(core, EVENT_LAYERS_WANTED, producer.handle, producer.wanted, -1)
