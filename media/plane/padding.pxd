"""What a probe is made of: the newest packets once more as RTX (RFC 4588), which also repairs what is lost on the way;
where there are none, or they are too long for it, padding alone on the RTX stream. Never on the media's own SSRC: its numbers belong to the media."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from media.plane.extensions cimport PASSED_KINDS, passed_t, write_extensions
from media.plane.feedback cimport sent_note
from media.plane.bits cimport put16, put24, put32
from media.plane.objects cimport consumer_t, core_t, transport_t
from media.plane.probing cimport probe_failed, probe_packet_most, probe_sent, probe_step_bytes, probe_stepped, probe_unsent
from media.plane.rewrite cimport SRTP_TAG, abs_send_time, write_packet
from media.plane.ring cimport ring_bytes, ring_find, slot_t
from media.plane.rtp cimport RTP_HEADER
from media.plane.sending cimport may_send, send_room, send_rtp
from media.plane.spans cimport span_t, spans_current
from media.plane.stream cimport stream_t

cdef enum:
    PADDING_BYTES = 255
    WORTH_RESENDING = 400  # bytes of payload; of smaller packets a cluster needs too many
    HEADS = 80  # of a packet of media beside its payload, about


cdef inline bint can_pad(const consumer_t *consumer) noexcept nogil:
    return not consumer.paused and consumer.has_rtx and consumer.extensions.transport_cc_at != 0


cdef inline consumer_t *padding_consumer(const transport_t *transport) noexcept nogil:
    """Whose RTX stream to probe on: one that is being forwarded if there is any; NULL for none at all."""
    cdef consumer_t *found = NULL
    cdef consumer_t *consumer
    cdef int i
    for i in range(transport.consumers.count):
        consumer = <consumer_t *>transport.consumers.items[i]
        if not can_pad(consumer):
            continue
        if consumer.stream >= 0 and not consumer.waits_key:
            return consumer
        found = consumer
    return found


cdef inline int write_resent(core_t *core, consumer_t *consumer, uint8_t *out, int back) noexcept nogil:
    """The packet that was sent `back` packets before the newest, as RTX; its length, 0 when it does not serve: of packets longer than
    their part of the cluster a narrow line would be full for a quarter of a second."""
    cdef span_t *span = spans_current(&consumer.spans)
    cdef stream_t *stream
    cdef slot_t *slot
    cdef int64_t source
    if span == NULL:
        return 0
    stream = &consumer.producer.streams[span.stream]
    source = consumer.spans.newest_out + span.shift - back
    if stream.epoch != span.epoch or source < span.first:
        return 0
    slot = ring_find(&stream.ring, source)
    if slot == NULL or not WORTH_RESENDING <= slot.payload_length <= probe_packet_most(&consumer.transport.estimator.probes) - HEADS:
        return 0
    return write_packet(out, consumer, slot, ring_bytes(&stream.ring, slot), span, True, 0, core.now)


cdef inline int write_padding(core_t *core, consumer_t *consumer, uint8_t *out) noexcept nogil:
    """A packet of padding alone on the RTX stream."""
    cdef passed_t passed[<int>PASSED_KINDS]
    cdef int at = RTP_HEADER
    memset(passed, 0, sizeof(passed))
    out[0] = 0xB0  # version 2, padding, extension
    out[1] = consumer.rtx_payload_type
    put16(out + 2, <uint32_t>consumer.rtx_next & 0xFFFF)
    put32(out + 4, consumer.spans.newest_timestamp)
    put32(out + 8, consumer.rtx_ssrc)
    consumer.rtx_next += 1
    at += write_extensions(&consumer.extensions, out + at, out, passed, NULL, 0)
    if consumer.extensions.abs_send_time_at:
        put24(out + RTP_HEADER + consumer.extensions.abs_send_time_at, abs_send_time(core.now))
    if consumer.extensions.transport_cc_at:
        put16(
            out + RTP_HEADER + consumer.extensions.transport_cc_at,
            sent_note(consumer.transport.sent, at + PADDING_BYTES + SRTP_TAG, core.now),
        )
    memset(out + at, 0, PADDING_BYTES)
    out[at + PADDING_BYTES - 1] = PADDING_BYTES
    return at + PADDING_BYTES


cdef inline void send_probe_step(core_t *core, transport_t *transport) noexcept nogil:
    """The part of a probe cluster that is due now."""
    cdef consumer_t *consumer = padding_consumer(transport)
    cdef int64_t left = probe_step_bytes(&transport.estimator.probes)
    cdef uint8_t *out
    cdef int length
    if consumer == NULL or not may_send(core, transport, 0):
        probe_failed(&transport.estimator.probes, True, core.now)
        return
    while left > 0 and probe_unsent(&transport.estimator.probes):
        out = send_room(core, transport)
        length = write_resent(core, consumer, out, transport.estimator.probes.packets_sent)
        if length == 0:
            length = write_padding(core, consumer, out)
        length = send_rtp(core, transport, out, length, consumer.rtx_next - 1)
        if length == 0:
            probe_failed(&transport.estimator.probes, True, core.now)
            return
        probe_sent(&transport.estimator.probes, <uint16_t>(transport.sent.next - 1), length)
        transport.probe_bytes += length
        left -= length
    probe_stepped(&transport.estimator.probes, core.now)
