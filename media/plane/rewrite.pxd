"""One stored packet becomes one outgoing packet of a consumer."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from media.plane.bits cimport put16, put24, put32
from media.plane.descriptor cimport write_dependency
from media.plane.extensions cimport DEPENDENCY_LONGEST, EXT_DEPENDENCY, write_extensions
from media.plane.feedback cimport sent_note
from media.plane.objects cimport consumer_t
from media.plane.payload cimport payload_t
from media.plane.red cimport RED_SENT_MOST, find_copies, red_bytes, write_copies
from media.plane.ring cimport ring_t, slot_t
from media.plane.rtp cimport RTP_HEADER
from media.plane.spans cimport span_t


cdef enum:
    SRTP_TAG = 16  # of AES-GCM; the estimator does not mind six bytes less


cdef inline uint32_t abs_send_time(int64_t now) noexcept nogil:
    """Seconds in 6.18 fixed point, as the abs-send-time extension has them."""
    return <uint32_t>((now % 64_000_000) * 262_144 // 1_000_000) & 0xFFFFFF


cdef inline int payload_bytes(const slot_t *slot) noexcept nogil:
    return slot.payload_length + (slot.payload.picture_bits == 7)


cdef inline void write_payload(uint8_t *out, const slot_t *slot, const uint8_t *payload, const span_t *span) noexcept nogil:
    """`payload_bytes`, with the consumer's picture ids and TL0PICIDX of VP8 and VP9, which look alike, and VP8's KEYIDX.

    All picture ids leave with 15 bits: what a consumer is shown of several streams has one count, and browsers read those of 7 bits as if
    they had 15 and so lose the thread at each wrap (libwebrtc's RtpVp8RefFinder).
    """
    cdef const payload_t *told = &slot.payload
    cdef int wider = told.picture_bits == 7
    if wider:
        memcpy(out, payload, told.picture_at)
        memcpy(out + told.picture_at + 1, payload + told.picture_at, slot.payload_length - told.picture_at)
    else:
        memcpy(out, payload, slot.payload_length)
    if told.picture_bits:
        put16(out + told.picture_at, 0x8000 | (<uint32_t>(slot.picture - span.picture_shift) & 0x7FFF))
    if told.tl0_at:
        out[told.tl0_at + wider] = <uint8_t>(told.tl0 - span.tl0_shift)
    if told.layer_at:
        out[told.layer_at + wider] = <uint8_t>(
            (payload[told.layer_at] & 0xE0) | ((told.key_index - span.key_shift) & 0x1F)
        )


cdef inline int rewrite_dependency(
    uint8_t *out, const consumer_t *consumer, const slot_t *slot, const uint8_t *source, const span_t *span
) noexcept nogil:
    """The dependency descriptor as the consumer gets it; its length, 0 where he gets none."""
    if slot.dependency.length == 0 or not consumer.extensions.ids[<int>EXT_DEPENDENCY]:
        return 0
    return write_dependency(
        out, source + slot.dependency.at, &slot.dependency, <uint16_t>(slot.picture - span.picture_shift), span.active
    )


cdef inline int write_packet(
    uint8_t *out, consumer_t *consumer, const slot_t *slot, const uint8_t *source, const span_t *span,
    bint rtx, int padding, int64_t now,
) noexcept nogil:
    """Write the packet, or its RFC 4588 retransmission, unencrypted; answers its length.

    At most 1,600 bytes of source and one more, or RED_ROOM with copies of sound, the extensions, two bytes of OSN and 255 of padding:
    within DATAGRAM_ROOM.
    """
    cdef int at = RTP_HEADER
    cdef int extensions
    cdef uint32_t sequence = <uint32_t>(slot.sequence - span.shift) & 0xFFFF
    cdef const ring_t *ring = NULL
    cdef const slot_t *copies[<int>RED_SENT_MOST]
    cdef int count = 0
    cdef int before = 0  # bytes before the packet's own payload: copies of earlier ones
    cdef uint8_t dependency[<int>DEPENDENCY_LONGEST]
    cdef bint marker = slot.marker or (slot.payload.last and slot.payload.spatial == span.top)
    if consumer.wants_marker and not rtx:
        marker = True
        consumer.wants_marker = False
    if consumer.copies and consumer.stream >= 0 and not rtx:
        ring = &consumer.producer.streams[consumer.stream].ring
        count = find_copies(ring, slot, consumer.copies, copies)
        before = red_bytes(copies, count)
    out[0] = 0x80
    put32(out + 4, slot.timestamp - span.timestamp_shift)
    if rtx:
        out[1] = <uint8_t>(consumer.rtx_payload_type | (0x80 if marker else 0))
        put16(out + 2, <uint32_t>consumer.rtx_next & 0xFFFF)
        put32(out + 8, consumer.rtx_ssrc)
        consumer.rtx_next += 1
    else:
        out[1] = <uint8_t>((consumer.red_payload_type if before else consumer.payload_type) | (0x80 if marker else 0))
        put16(out + 2, sequence)
        put32(out + 8, consumer.ssrc)
    extensions = write_extensions(
        &consumer.extensions, out + at, source, slot.passed,
        dependency, rewrite_dependency(dependency, consumer, slot, source, span),
    )
    if extensions:
        out[0] |= 0x10
        if consumer.extensions.abs_send_time_at:
            put24(out + at + consumer.extensions.abs_send_time_at, abs_send_time(now))
        if consumer.extensions.transport_cc_at and consumer.transport.sent != NULL:
            put16(
                out + at + consumer.extensions.transport_cc_at,
                sent_note(consumer.transport.sent, at + extensions + before + payload_bytes(slot) + padding + SRTP_TAG, now),
            )
        at += extensions
    if rtx:
        put16(out + at, sequence)
        at += 2
    if before:
        write_copies(out + at, ring, slot, copies, count, consumer.payload_type)
        at += before
    write_payload(out + at, slot, source + slot.payload_at, span)
    at += payload_bytes(slot)
    if padding:
        memset(out + at, 0, padding)
        at += padding
        out[at - 1] = <uint8_t>padding
        out[0] |= 0x20
    return at
