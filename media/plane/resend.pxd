"""Answering a subscriber's NACK out of the shared ring, never more often than a round trip."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc

from media.plane.bits cimport largest, smallest, unwrap16
from media.plane.drops cimport DROP_NACK_NOT_IN_RING, DROP_NACK_NOT_NEGOTIATED, DROP_NACK_THROTTLED
from media.plane.forward cimport was_above
from media.plane.objects cimport RESENT, consumer_t, core_t, resent_t, transport_t
from media.plane.pacing cimport pace_overdrawn
from media.plane.rewrite cimport write_packet
from media.plane.ring cimport ring_bytes, ring_find, slot_t
from media.plane.sending cimport send_room, send_rtp
from media.plane.spans cimport FIRST_OUT, span_t, spans_find_out
from media.plane.stream cimport stream_t

cdef enum:
    RESEND_LEAST_US = 20_000  # without a known round trip, and on very short ones
    RESEND_TOKENS = 200  # burst a subscriber may claim at once
    RESEND_RATE = 1000  # retransmissions a second for one subscriber, all consumers together


cdef inline bint may_resend(core_t *core, consumer_t *consumer, int64_t out) noexcept nogil:
    """The three brakes: once a round trip for each packet; so many a second for a subscriber; and what his line bears."""
    cdef transport_t *transport = consumer.transport
    cdef resent_t *last
    cdef int64_t refill
    if consumer.resent == NULL:
        consumer.resent = <resent_t *>calloc(RESENT, sizeof(resent_t))
        if consumer.resent == NULL:
            return False
    last = &consumer.resent[out & (RESENT - 1)]
    # The ring has forgotten a packet long before the low bits of the time (71 minutes) come round.
    if last.out == <uint32_t>out and <uint32_t>core.now - last.sent_us < largest(RESEND_LEAST_US, transport.rtt_us):
        return False
    refill = (core.now - transport.resend_refill_us) * RESEND_RATE // 1_000_000
    if refill > 0:
        transport.resend_tokens = <int>smallest(transport.resend_tokens + refill, RESEND_TOKENS)
        transport.resend_refill_us = core.now
    if transport.resend_tokens <= 0 or pace_overdrawn(core, transport):
        return False
    transport.resend_tokens -= 1
    last.out = <uint32_t>out
    last.sent_us = <uint32_t>core.now
    return True


cdef inline bint is_left(const consumer_t *consumer, const span_t *span) noexcept nogil:
    """Whether the packet is of a size that was left: its picture goes on with a key frame that has been sent, and the line has
    often just become narrower."""
    return consumer.producer.video and not consumer.waits_key and span.stream != consumer.stream


cdef inline void resend(core_t *core, consumer_t *consumer, uint16_t wanted) noexcept nogil:
    """Send one packet again, as RTX where negotiated. What never came from the publisher is on its NACK list
    already."""
    cdef int64_t out = unwrap16(consumer.spans.newest_out, wanted)
    cdef span_t *span
    cdef stream_t *stream
    cdef slot_t *slot
    cdef uint8_t *packet
    cdef int length
    consumer.nacked += 1
    if not consumer.nack:
        core.drops[<int>DROP_NACK_NOT_NEGOTIATED] += 1
        return
    span = spans_find_out(&consumer.spans, out)
    if span == NULL or out > consumer.spans.newest_out or is_left(consumer, span):
        core.drops[<int>DROP_NACK_NOT_IN_RING] += 1
        return
    stream = &consumer.producer.streams[span.stream]
    slot = ring_find(&stream.ring, out + span.shift) if stream.epoch == span.epoch else NULL
    if slot == NULL or slot.payload_length == 0 or was_above(consumer, stream, span, slot):
        core.drops[<int>DROP_NACK_NOT_IN_RING] += 1
        return
    if not may_resend(core, consumer, out):
        core.drops[<int>DROP_NACK_THROTTLED] += 1
        return
    packet = send_room(core, consumer.transport)
    length = write_packet(
        packet, consumer, slot, ring_bytes(&stream.ring, slot), span, consumer.has_rtx, 0, core.now
    )
    length = send_rtp(
        core, consumer.transport, packet, length, consumer.rtx_next - 1 if consumer.has_rtx else out - FIRST_OUT
    )
    consumer.bytes += length
    consumer.retransmitted += 1
    core.retransmitted += 1
