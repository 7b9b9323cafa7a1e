"""Which stream of a simulcast producer a consumer is to get. Here the bandwidth allocator will find its place."""

from media.plane.objects cimport consumer_t, core_t, producer_t
from media.plane.keyframes cimport want_key

from libc.stdint cimport int64_t

cdef enum:
    STREAM_IDLE_US = 700_000  # a layer not heard for so long, while another is, has been switched off


cdef inline int wanted_stream(const consumer_t *consumer) noexcept nogil:
    """The highest stream being received that the consumer prefers; lower ones before higher ones than it asked
    for."""
    cdef const producer_t *producer = consumer.producer
    cdef int i
    cdef int most = producer.stream_count - 1
    if most == 0:
        return 0
    if consumer.preferred_spatial < most:
        most = consumer.preferred_spatial
    for i in range(most, -1, -1):
        if producer.streams[i].active:
            return i
    for i in range(most + 1, producer.stream_count):
        if producer.streams[i].active:
            return i
    return most


cdef inline void find_active(core_t *core, producer_t *producer) noexcept nogil:
    """See which streams are still sent. When the publisher falls silent altogether nothing changes."""
    cdef int i
    cdef int64_t newest = 0
    if producer.stream_count == 1:
        producer.streams[0].active = producer.streams[0].started
        return
    for i in range(producer.stream_count):
        if producer.streams[i].last_packet_us > newest:
            newest = producer.streams[i].last_packet_us
    for i in range(producer.stream_count):
        producer.streams[i].active = (
            producer.streams[i].started and newest - producer.streams[i].last_packet_us < STREAM_IDLE_US
        )


cdef inline void ask_for_switches(core_t *core, producer_t *producer) noexcept nogil:
    """A consumer that should be on another stream needs a key frame of that one; it keeps the old stream until
    then."""
    cdef int i, wanted
    cdef consumer_t *consumer
    if not producer.video:
        return
    for i in range(producer.consumers.count):
        consumer = <consumer_t *>producer.consumers.items[i]
        if consumer.paused:
            continue
        if consumer.transport != NULL and not consumer.transport.admitted:
            continue
        wanted = wanted_stream(consumer)
        if producer.streams[wanted].pending_count:
            continue  # what waits to be forwarded may hold the key frame
        if producer.streams[wanted].started and (consumer.waits_key or consumer.stream != wanted):
            want_key(core, producer, &producer.streams[wanted])
