"""A frame's way to its subscribers: one after another, all packets for one together, so that they share one kernel message.

To a large room that is many milliseconds of work. It is done in slices, each as long as a batch has room; what is on its way
and who has had it is kept in the stream meanwhile, so that others may have a turn in between.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memmove

from media.plane.bits cimport smallest
from media.plane.drops cimport DROP_LEFT_RING, DROP_STARVED
from media.plane.floor cimport is_heard
from media.plane.forward cimport begin_spurt, forward_packet, place, tell_layers
from media.plane.objects cimport CACHE_LINE, CONSUMER_LINES, TRANSPORT_LINES, consumer_t, core_t, list_t, producer_t
from media.plane.pacing cimport is_paced, waits_turn
from media.plane.ring cimport ring_bytes, ring_find, slot_t
from media.plane.sending cimport make_room, may_send
from media.plane.spans cimport span_t, spans_current
from media.plane.stream cimport PENDING_MOST, stream_t

cdef extern from *:
    """
    #define huitang_prefetch(address) __builtin_prefetch(address)
    """
    void prefetch "huitang_prefetch"(const void *address) nogil

cdef enum:
    PADDING_MOST = 24  # equal sizes save a kernel message; more than this would rather cost bandwidth
    PACKET_OVERHEAD = 80  # header, usual extensions, padding and SRTP tag; an estimate is enough
    FETCHED = 3  # consumers ahead
    CIPHER_LINES = 3  # of an EVP_CIPHER_CTX

# Packets of one stream that are sent together.
ctypedef struct burst_t:
    slot_t *slots[<int>PENDING_MOST]
    uint8_t padding[<int>PENDING_MOST]
    int count
    int gone  # how many more there were, which have left the ring
    int bytes


cdef inline void equalize(burst_t *burst) noexcept nogil:
    """Padding that makes nearly equal packets of a frame equal, all but the last, so that they are one kernel
    message."""
    cdef int i
    cdef int longest = 0
    for i in range(burst.count):
        burst.padding[i] = 0
        if burst.slots[i].payload_length > longest:
            longest = burst.slots[i].payload_length
    for i in range(burst.count - 1):
        if 0 < longest - burst.slots[i].payload_length <= PADDING_MOST and burst.slots[i].payload_length:
            burst.padding[i] = <uint8_t>(longest - burst.slots[i].payload_length)


cdef inline void gather(burst_t *burst, const stream_t *stream) noexcept nogil:
    """What is on its way."""
    cdef int i
    burst.count = 0
    burst.bytes = 0
    for i in range(stream.sending):
        burst.slots[burst.count] = ring_find(&stream.ring, stream.pending[i])
        if burst.slots[burst.count] != NULL:
            burst.bytes += burst.slots[burst.count].payload_length + PACKET_OVERHEAD
            burst.count += 1
    burst.gone = stream.sending - burst.count
    equalize(burst)


cdef inline void fetch_lines(const void *at, int lines) noexcept nogil:
    cdef int i
    for i in range(lines):
        prefetch(<const uint8_t *>at + i * <int>CACHE_LINE)


cdef inline void fetch_ahead(const list_t *consumers, int count, int index) noexcept nogil:
    """Have the state of the consumers after `index`, of the first `count`, brought near while this one's packets are
    encrypted: of the third itself, of the second what it points to, of the next what that points to. None is waited
    for."""
    cdef const consumer_t *consumer
    if index + FETCHED < count:
        fetch_lines(consumers.items[index + FETCHED], CONSUMER_LINES)
    if 0 <= index + 2 < count:
        consumer = <const consumer_t *>consumers.items[index + 2]
        fetch_lines(consumer.transport, TRANSPORT_LINES)
        prefetch(spans_current(&consumer.spans))
    if 0 <= index + 1 < count:
        consumer = <const consumer_t *>consumers.items[index + 1]
        if consumer.transport != NULL:
            fetch_lines(consumer.transport.seal.cipher, CIPHER_LINES)


cdef inline void send_burst(
    core_t *core, producer_t *producer, stream_t *stream, consumer_t *consumer, const burst_t *burst
) noexcept nogil:
    """Send all of it to one consumer."""
    cdef int i, top
    cdef bint pads, paced
    cdef span_t *span
    if consumer.paused:
        return
    if consumer.starved:
        core.drops[<int>DROP_STARVED] += burst.count
        return
    if consumer.spurt != producer.spurt and consumer.tap == NULL:
        begin_spurt(consumer)
    if consumer.transport != NULL and not may_send(core, consumer.transport, burst.count):
        return
    core.drops[<int>DROP_LEFT_RING] += burst.gone
    # Without RTX a resent packet is the same packet: RFC 3711 forbids its bytes to differ, so no padding by chance.
    pads = consumer.has_rtx and consumer.transport != NULL and core.batches[consumer.transport.remote.socket].gso
    paced = is_paced(core, consumer, burst.bytes)
    for i in range(burst.count):
        if paced and waits_turn(core, consumer, stream, burst.slots[i]):
            continue
        span = place(core, consumer, stream, burst.slots[i])
        if span != NULL:
            forward_packet(
                core, consumer, burst.slots[i], ring_bytes(&stream.ring, burst.slots[i]), span,
                burst.padding[i] if pads else 0,
            )
    if producer.video and consumer.stream >= 0:
        top = producer.streams[consumer.stream].top_temporal
        tell_layers(core, consumer, <int>smallest(consumer.temporal, top))


cdef inline void begin_burst(producer_t *producer, stream_t *stream) noexcept nogil:
    """What waits is on its way from now on; what comes meanwhile waits for the next time."""
    stream.sending = stream.pending_count
    stream.turn += 1
    stream.sending_since_us = stream.pending_since_us
    stream.sent_to = 0
    stream.send_to = producer.consumers.count if is_heard(producer) else producer.tap_count
    stream.pending_due = False


cdef inline bint has_had_turn(const consumer_t *consumer, const stream_t *stream) noexcept nogil:
    """Whether what is on its way has come to this consumer already."""
    cdef int k
    if stream.sending:
        for k in range(stream.sent_to):
            if consumer.producer.consumers.items[k] == consumer:
                return True
    return False


cdef inline void end_burst(stream_t *stream) noexcept nogil:
    stream.pending_count -= stream.sending
    memmove(stream.pending, &stream.pending[stream.sending], stream.pending_count * sizeof(stream.pending[0]))
    stream.sending = 0


cdef inline bint send_slice(core_t *core, producer_t *producer, stream_t *stream) noexcept nogil:
    """Send a stream's waiting packets to as many consumers as fill a batch, from where the last slice ended; whether all have
    had them now."""
    cdef burst_t burst
    cdef consumer_t *consumer
    cdef int k, first
    if stream.sending == 0:
        begin_burst(producer, stream)
    gather(&burst, stream)
    first = stream.sent_to
    for k in range(first - FETCHED, first):
        fetch_ahead(&producer.consumers, stream.send_to, k)
    while stream.sent_to < stream.send_to:
        consumer = <consumer_t *>producer.consumers.items[stream.sent_to]
        # What is for one is in one batch, so that it is one kernel message.
        if consumer.transport != NULL and make_room(core, consumer.transport, burst.bytes) and stream.sent_to > first:
            return False
        fetch_ahead(&producer.consumers, stream.send_to, stream.sent_to)
        send_burst(core, producer, stream, consumer, &burst)
        stream.sent_to += 1
    end_burst(stream)
    return True


cdef inline void send_whole(core_t *core, producer_t *producer, stream_t *stream) noexcept nogil:
    """Send what is on its way to the end; where nothing is, what waits."""
    while not send_slice(core, producer, stream):
        pass
