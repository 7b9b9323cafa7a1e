"""Wishes for a key frame that come while one is on its way to who asks: most are of its loss before that one, so they are passed
over or put off."""

from libc.stdint cimport int64_t

from media.plane.bits cimport largest
from media.plane.objects cimport consumer_t, core_t

cdef enum:
    KEY_ON_WAY_US = 300_000
    KEY_PACED_US = 1_200_000


cdef inline int64_t key_sent_us(const consumer_t *consumer) noexcept nogil:
    """When the newest key frame of the stream that it gets came, or was sent to it once more."""
    return largest(consumer.producer.streams[consumer.stream].key_arrival_us, consumer.begun_us)


cdef inline int64_t on_way_us(const consumer_t *consumer) noexcept nogil:
    """How long a key frame takes, and the word of it back."""
    return KEY_PACED_US if consumer.behind else largest(consumer.transport.rtt_us, KEY_ON_WAY_US)


cdef inline bint key_is_coming(const core_t *core, const consumer_t *consumer) noexcept nogil:
    """Whether a key frame is on its way to the consumer, or has been sent so lately that the request was made before it came.
    Receivers ask again and again meanwhile, and each new one would go to all who watch."""
    if consumer.stream < 0 or consumer.waits_key or consumer.producer.streams[consumer.stream].key_sequence == 0:
        return False  # many wishes become one request anyhow
    return core.now - key_sent_us(consumer) < on_way_us(consumer)


cdef inline void put_off(core_t *core, consumer_t *consumer) noexcept nogil:
    """Remember the wish of a receiver that may not repeat it: of that key frame itself a packet may be lost.

    Who asks for lost packets is sent those, and goes on asking for a key frame while it has no picture (libwebrtc). And what is
    asked within a round trip was asked before anything of the key frame was there.
    """
    if consumer.nack or core.now - key_sent_us(consumer) < consumer.transport.rtt_us:
        return
    consumer.wishes_key = True
    consumer.key_wished_us = core.now
    consumer.key_wish_at = key_sent_us(consumer) + on_way_us(consumer)


cdef inline bint wish_is_due(const core_t *core, consumer_t *consumer) noexcept nogil:
    """Whether a wish that was put off is to be granted now; one is forgotten when a newer key frame goes to the consumer."""
    if consumer.wishes_key and key_sent_us(consumer) >= consumer.key_wished_us:
        consumer.wishes_key = False
    return consumer.wishes_key and core.now >= consumer.key_wish_at
