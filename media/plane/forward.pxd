"""From a producer's ring to one consumer: whether it gets a packet, and the sending of it."""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from media.plane.allocation cimport TEMPORAL_MOST
from media.plane.bits cimport ahead32, largest, smallest
from media.plane.dependency cimport FLAGS_END, structure_t
from media.plane.drops cimport DROP_SPATIAL_LAYER, DROP_TAP_FULL, DROP_TEMPORAL_LAYER, DROP_TOO_LATE, DROP_WAITING_FOR_KEY_FRAME
from media.plane.extensions cimport EXT_DEPENDENCY
from media.plane.frames cimport VP9_NUMBER_SHIFT, frame_t, frames_find
from media.plane.layers cimport is_refuge, most_temporal, spatial_now, wanted_spatial, wanted_stream
from media.plane.objects cimport consumer_t, core_t, producer_t
from media.plane.pacing cimport let_go
from media.plane.payload cimport payload_t
from media.plane.queue cimport queue_length, queue_push
from media.plane.rewrite cimport write_packet
from media.plane.ring cimport slot_t
from media.plane.selection cimport selection_begin, selection_lacks, selection_take
from media.plane.sending cimport core_random, core_tell, send_room, send_rtp
from media.plane.spans cimport FIRST_OUT, span_t, spans_begin, spans_current, spans_find, spans_skip, spans_split
from media.plane.stream cimport sender_report_t, stream_t
from media.plane.timing cimport hasten, is_past

cdef enum:
    EVENT_LAYERS_CHANGED = 4
    ALIGN_MOST_S = 30  # sender reports farther apart say nothing about now
    TAP_RECORD_PACKET = 0
    TAP_RECORD_REPORT = 1

ctypedef struct tap_record_t:
    int64_t arrival_us
    int64_t kind


cdef inline bint aligned_timestamp(
    const producer_t *producer, const span_t *old, const stream_t *stream, uint32_t timestamp, uint32_t *out
) noexcept nogil:
    """Where `timestamp` of `stream` lies in the outgoing time, by the sender reports of both streams."""
    cdef const stream_t *from_ = &producer.streams[old.stream]
    cdef const sender_report_t *before = &from_.report
    cdef const sender_report_t *after = &stream.report
    cdef int64_t apart
    if from_.epoch != old.epoch or before.arrival_us == 0 or after.arrival_us == 0:
        return False
    apart = <int64_t>(after.ntp - before.ntp)
    if apart > <int64_t>ALIGN_MOST_S << 32 or apart < -(<int64_t>ALIGN_MOST_S << 32):
        return False
    # In the old stream's clock: its report, plus the time between the reports, plus the time since the new one.
    out[0] = before.rtp + <uint32_t>((apart * producer.clock_rate) >> 32) + (timestamp - after.rtp)
    out[0] -= old.timestamp_shift
    return True


cdef inline uint32_t continued_timestamp(
    const consumer_t *consumer, const stream_t *stream, const slot_t *slot
) noexcept nogil:
    """The outgoing timestamp for the first packet of a new span: later than all before, and true to the clock if
    possible."""
    cdef const producer_t *producer = consumer.producer
    cdef const span_t *old = spans_current(&consumer.spans)
    cdef uint32_t newest = consumer.spans.newest_timestamp
    cdef int64_t elapsed = largest(slot.arrival_us - consumer.last_sent_us, 0) * producer.clock_rate // 1_000_000
    cdef uint32_t candidate = newest + <uint32_t>largest(elapsed, 1)
    cdef uint32_t aligned = 0
    cdef bint known
    cdef int64_t astray
    if old.ssrc == stream.ssrc and old.stream == stream.index:
        aligned = slot.timestamp - old.timestamp_shift
        known = True
    else:
        known = aligned_timestamp(producer, old, stream, slot.timestamp, &aligned)
    # More than two seconds beside the clock on the wall is a new clock, not a lag.
    astray = ahead32(aligned, candidate) // <int64_t>producer.clock_rate
    if known and ahead32(aligned, newest) > 0 and -2 <= astray <= 2:
        return aligned
    return candidate


cdef inline int layer_of(int wanted) noexcept nogil:
    """A layer there can be, for one wanted."""
    return <int>smallest(wanted, TEMPORAL_MOST - 1)


cdef inline void note_rung(const consumer_t *consumer, span_t *span) noexcept nogil:
    span.top = <uint8_t>consumer.selection.spatial
    span.temporal = <uint8_t>consumer.selection.temporal


cdef inline void switch_to(core_t *core, consumer_t *consumer, stream_t *stream, const slot_t *slot) noexcept nogil:
    """Forward `stream` from `slot` on, continuing every outgoing counter."""
    cdef uint32_t timestamp
    cdef span_t *span
    # Replayed from its own past, it is sent once more what it was behind with.
    cdef bint goes_back = consumer.behind_stream == stream.index and consumer.behind_epoch == stream.epoch
    if spans_current(&consumer.spans) == NULL:
        consumer.spans.newest_out = FIRST_OUT + (core_random(core) & 0x7FFF)  # RFC 3711: away from the first wrap
        consumer.spans.newest_picture = 32768 + (core_random(core) & 0x7FFF)
        consumer.spans.newest_tl0 = <uint8_t>core_random(core)
        consumer.spans.newest_key = 0
        timestamp = core_random(core)
    else:
        timestamp = continued_timestamp(consumer, stream, slot)
    span = spans_begin(&consumer.spans, slot.sequence)
    span.stream = stream.index
    span.epoch = stream.epoch
    span.ssrc = stream.ssrc
    span.timestamp_shift = slot.timestamp - timestamp
    span.picture_shift = slot.picture - (consumer.spans.newest_picture + 1)
    span.tl0_shift = <uint8_t>(slot.payload.tl0 - consumer.spans.newest_tl0 - 1)
    span.key_shift = <uint8_t>(slot.payload.key_index - consumer.spans.newest_key - 1)
    consumer.stream = stream.index
    consumer.waits_key = False
    let_go(core, consumer, slot.sequence if goes_back else INT64_MAX)
    consumer.begun_us = core.now
    consumer.replay_frames = 0
    consumer.dropped_picture = 0
    consumer.kept_picture = 0
    consumer.temporal = <int>most_temporal(consumer)
    span.temporal = <uint8_t>consumer.temporal
    if consumer.selection != NULL:
        selection_begin(consumer.selection, wanted_spatial(consumer))
        consumer.selection.temporal = layer_of(most_temporal(consumer))
        note_rung(consumer, span)
    consumer.report_at = 0
    if stream.report.arrival_us and consumer.transport != NULL and consumer.transport.report_at > core.now:
        consumer.transport.report_at = core.now  # the sooner the subscriber has a report, the sooner lips are in time


cdef inline void tell_layers(core_t *core, consumer_t *consumer, int temporal) noexcept nogil:
    cdef int spatial = spatial_now(consumer)
    if consumer.told_spatial != spatial or consumer.told_temporal != temporal:
        consumer.told_spatial = spatial
        consumer.told_temporal = temporal
        core_tell(core, EVENT_LAYERS_CHANGED, consumer.handle, spatial, temporal)


cdef inline int temporal_of(const consumer_t *consumer, const slot_t *slot) noexcept nogil:
    """The highest temporal layer that it gets. Of the past no more than what follows needs: it is over at once anyway."""
    return 0 if is_past(consumer, slot) else most_temporal(consumer)


cdef inline bint above_layer(consumer_t *consumer, const slot_t *slot) noexcept nogil:
    """Whether a packet belongs to a temporal layer the consumer does not get. Frames are taken or left whole."""
    cdef uint8_t layer = slot.payload.temporal
    cdef int most
    if not slot.payload.has_layer or slot.picture == consumer.kept_picture:
        return False
    if slot.picture == consumer.dropped_picture:
        return True
    most = temporal_of(consumer, slot)
    if consumer.temporal > most:
        consumer.temporal = most
    if layer <= consumer.temporal:
        return False
    # A frame of the layer after the next does not need that one, but what follows it may.
    if layer <= most and layer == consumer.temporal + 1 and slot.payload.layer_sync and slot.payload.first:
        consumer.temporal = layer
        spans_split(&consumer.spans, slot.sequence).temporal = layer
        return False
    return True


cdef inline const frame_t *frame_of(stream_t *stream, const slot_t *slot) noexcept nogil:
    """What is known of the packet's frame in a layered stream; NULL: nothing."""
    cdef int64_t number = slot.picture
    if number == 0:
        return NULL
    if stream.structure == NULL:
        number = (number << VP9_NUMBER_SHIFT) + slot.payload.spatial
    return frames_find(stream.frame_log, number)


cdef inline bint was_above(consumer_t *consumer, stream_t *stream, const span_t *span, const slot_t *slot) noexcept nogil:
    """Whether a packet that comes late, or once more, is of a frame above those that were sent then: what it refers to the consumer has
    not got. VP8's picture ids do not tell him so; of others he would get a piece of a frame, or wait for it."""
    cdef const frame_t *frame
    if consumer.selection == NULL:
        return slot.payload.has_layer and slot.picture != 0 and slot.payload.temporal > span.temporal
    frame = frame_of(stream, slot)
    return frame != NULL and selection_lacks(consumer.selection, frame, span.top, span.temporal)


cdef inline bint takes_frame(core_t *core, consumer_t *consumer, stream_t *stream, const slot_t *slot) noexcept nogil:
    """Whether the consumer of a layered stream gets a packet; what is not known to have layers goes whole."""
    cdef const frame_t *frame = frame_of(stream, slot)
    cdef bint taken
    if frame == NULL:
        return True
    taken = selection_take(
        consumer.selection, frame, slot.timestamp, wanted_spatial(consumer), layer_of(temporal_of(consumer, slot)),
        consumer.producer.keyed,
    )
    consumer.temporal = consumer.selection.temporal
    if not taken:
        core.drops[<int>(
            DROP_TEMPORAL_LAYER if frame.temporal > consumer.selection.temporal else DROP_SPATIAL_LAYER
        )] += 1
    return taken


cdef inline uint32_t named_targets(
    const consumer_t *consumer, const stream_t *stream, const slot_t *slot, uint32_t before
) noexcept nogil:
    """The decode targets to name in the consumer's descriptors from this packet on; 0: the publisher's own word holds.

    In every packet while layers are withheld, so that no loss hides it; and afterwards until a structure comes, without
    which nothing would say that all are active again (A.4).
    """
    cdef const structure_t *structure = stream.structure
    cdef uint32_t reached
    if structure == NULL or not structure.known or not consumer.extensions.ids[<int>EXT_DEPENDENCY]:
        return 0
    reached = structure.rung_reach[consumer.selection.spatial * TEMPORAL_MOST + consumer.selection.temporal]
    if structure.active & ~reached:
        return structure.active & reached
    return structure.active if before and slot.dependency.mask_at <= FLAGS_END else 0


cdef inline void follow_selection(consumer_t *consumer, const stream_t *stream, const slot_t *slot) noexcept nogil:
    """The layers, of which the highest ends a picture, and the decode targets there are belong to the span: sent again, a packet says
    the same."""
    cdef span_t *span = spans_current(&consumer.spans)
    cdef uint32_t active = named_targets(consumer, stream, slot, span.active)
    if span.top != consumer.selection.spatial or span.temporal != consumer.selection.temporal or span.active != active:
        span = spans_split(&consumer.spans, slot.sequence)
        note_rung(consumer, span)
        span.active = active


cdef inline void note_sent(consumer_t *consumer, const slot_t *slot, const span_t *span, int64_t now) noexcept nogil:
    """Keep the newest outgoing counters, for the span that will follow."""
    cdef int64_t out = slot.sequence - span.shift
    if out > consumer.spans.newest_out:
        consumer.spans.newest_out = out
        consumer.spans.newest_timestamp = slot.timestamp - span.timestamp_shift
        consumer.spans.newest_picture = slot.picture - span.picture_shift
        consumer.spans.newest_tl0 = <uint8_t>(slot.payload.tl0 - span.tl0_shift)
        consumer.spans.newest_key = <uint8_t>((slot.payload.key_index - span.key_shift) & 0x1F)
        consumer.kept_picture = slot.picture
        consumer.last_sent_us = slot.arrival_us
    consumer.packets += 1
    consumer.octets += slot.payload_length


cdef inline void forward_to_tap(
    core_t *core, consumer_t *consumer, const slot_t *slot, const uint8_t *source, const span_t *span
) noexcept nogil:
    cdef uint8_t packet[2048]
    cdef tap_record_t record
    cdef int length = write_packet(packet, consumer, slot, source, span, False, 0, core.now)
    record.arrival_us = slot.arrival_us
    record.kind = TAP_RECORD_PACKET
    if queue_length(consumer.tap) >= <unsigned long long>consumer.tap_capacity or not queue_push(
        consumer.tap, &record, sizeof(tap_record_t), packet, length
    ):
        consumer.tap_overflow += 1
        core.drops[<int>DROP_TAP_FULL] += 1
    note_sent(consumer, slot, span, core.now)


cdef inline void forward_packet(
    core_t *core, consumer_t *consumer, const slot_t *slot, const uint8_t *source, const span_t *span, int
    padding
) noexcept nogil:
    cdef uint8_t *out
    cdef int length
    if consumer.tap != NULL:
        forward_to_tap(core, consumer, slot, source, span)
        return
    out = send_room(core, consumer.transport)
    length = write_packet(out, consumer, slot, source, span, False, padding, core.now)
    length = send_rtp(core, consumer.transport, out, length, slot.sequence - span.shift - FIRST_OUT)
    consumer.bytes += length
    note_sent(consumer, slot, span, core.now)


cdef inline void forward_nothing(core_t *core, consumer_t *consumer, const slot_t *slot, const span_t *span) noexcept nogil:
    """Padding alone under the packet's number, as senders probe with: nobody waits for it, or asks again."""
    cdef slot_t empty = slot[0]
    if consumer.tap != NULL:
        return
    empty.payload_length = 0
    empty.marker = False
    memset(&empty.payload, 0, sizeof(payload_t))
    memset(empty.passed, 0, sizeof(empty.passed))
    empty.dependency.length = 0
    forward_packet(core, consumer, &empty, NULL, span, 1)


cdef inline span_t *place(core_t *core, consumer_t *consumer, stream_t *stream, const slot_t *slot) noexcept nogil:
    """The span that carries a packet out, begun if need be; NULL when the consumer does not get the packet."""
    cdef span_t *span = spans_current(&consumer.spans)
    cdef bint fresh = span == NULL or consumer.stream != stream.index or span.epoch != stream.epoch
    cdef bint goes_on
    if fresh or consumer.waits_key:
        if slot.payload_length == 0:
            return NULL
        if stream.index != wanted_stream(consumer) and not (slot.payload.key and is_refuge(consumer, stream)):
            core.drops[<int>DROP_SPATIAL_LAYER] += 1
            return NULL
        if not slot.payload.key:
            goes_on = span != NULL and not consumer.waits_key and consumer.stream != stream.index  # with the old layer
            core.drops[<int>DROP_SPATIAL_LAYER if goes_on else <int>DROP_WAITING_FOR_KEY_FRAME] += 1
            return NULL
        switch_to(core, consumer, stream, slot)
    if slot.sequence > consumer.spans.newest_source:
        if slot.payload_length == 0:  # the publisher's probing; its numbers close up
            spans_skip(&consumer.spans, slot.sequence, False)
            return NULL
        if consumer.selection != NULL:
            if not takes_frame(core, consumer, stream, slot):
                # These picture ids and frame numbers tell what refers to what: they are never closed up.
                spans_skip(&consumer.spans, slot.sequence, False)
                note_rung(consumer, spans_current(&consumer.spans))
                return NULL
            follow_selection(consumer, stream, slot)
        elif above_layer(consumer, slot):
            spans_skip(&consumer.spans, slot.sequence, slot.picture != consumer.dropped_picture)
            spans_current(&consumer.spans).temporal = <uint8_t>consumer.temporal
            consumer.dropped_picture = slot.picture
            core.drops[<int>DROP_TEMPORAL_LAYER] += 1
            return NULL
        consumer.spans.newest_source = slot.sequence
        return hasten(consumer, slot)
    span = spans_find(&consumer.spans, slot.sequence, stream.index, stream.epoch)
    if span == NULL:
        core.drops[<int>DROP_TOO_LATE] += 1
    elif slot.payload_length == 0:  # too late to close up
        forward_nothing(core, consumer, slot, span)
        return NULL
    elif was_above(consumer, stream, span, slot):
        core.drops[<int>(DROP_TEMPORAL_LAYER if consumer.selection == NULL else DROP_SPATIAL_LAYER)] += 1
        forward_nothing(core, consumer, slot, span)
        return NULL
    return span


cdef inline void begin_spurt(consumer_t *consumer) noexcept nogil:
    """Audio begins (again): close up the numbers and mark the first packet, as RFC 3551 section 4.1 has it."""
    consumer.spurt = consumer.producer.spurt
    consumer.waits_key = True  # a new span; every audio packet is a key frame
    consumer.wants_marker = consumer.has_rtx or not consumer.nack  # a plain retransmission must not differ
