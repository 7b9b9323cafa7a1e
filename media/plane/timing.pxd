"""The times of replayed frames: the past a millisecond a frame, the present at its own time.

A receiver shows the newest frame at once instead of playing the past, and what its sender reports say of sound and picture
holds on: only the past is moved, up against the present.
"""

from libc.stdint cimport uint32_t

from media.plane.bits cimport ahead32
from media.plane.objects cimport consumer_t
from media.plane.ring cimport slot_t
from media.plane.spans cimport span_t, spans_current, spans_split

cdef inline uint32_t millisecond(const consumer_t *consumer) noexcept nogil:
    return consumer.producer.clock_rate // 1000


cdef inline bint is_past(const consumer_t *consumer, const slot_t *slot) noexcept nogil:
    """Whether the frame had come before the consumer's picture began."""
    return slot.arrival_us < consumer.begun_us


cdef inline span_t *hasten(consumer_t *consumer, const slot_t *slot) noexcept nogil:
    """The span of the newest packet that goes out, with a time of its own for its frame if that is being replayed."""
    cdef span_t *span = spans_current(&consumer.spans)
    cdef uint32_t shift
    if consumer.replay_frames == 0 or slot.timestamp == consumer.replay_timestamp:
        return span
    if not is_past(consumer, slot) and ahead32(slot.timestamp - consumer.replay_shift, consumer.replay_next) >= 0:
        shift = consumer.replay_shift
        consumer.replay_frames = 0
    else:
        shift = slot.timestamp - consumer.replay_next
        consumer.replay_next += millisecond(consumer)
        consumer.replay_frames -= 1
    consumer.replay_timestamp = slot.timestamp
    span = spans_split(&consumer.spans, slot.sequence)
    span.timestamp_shift = shift
    consumer.spans.newest_source = slot.sequence
    return span
