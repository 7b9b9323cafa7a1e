"""What a subscriber says of his line by REMB (draft-alvestrand-rmcat-remb), in one number: `transport.remb_bps`.

Where he sends transport-cc as well it is his last word. Otherwise it is the words of all his pictures together, see word; and a word that names
none of them is about all. Which SSRCs were measured it says itself: where none of them is a sound's, the sound is not in it (aiortc).

The line is full where a word is lower than the one before, or comes before its time: of what arrives 85 % are allowed then, which may be more
than was said before.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from media.plane.bits cimport get24, get32, largest, smallest
from media.plane.lift cimport lift_fell, lift_spoke
from media.plane.objects cimport consumer_t, core_t, transport_t
from media.plane.ratecontrol cimport RATE_LEAST
from media.plane.ssrcs cimport ssrcs_find
from media.plane.standing cimport standing_us
from media.plane.word cimport word_counts, word_hold, word_is_hurried, word_t

cdef enum:
    REMB_MARK = 0x52454D42  # "REMB"
    REMB_HEAD = 16  # bytes before the SSRCs
    QUEUE_LONG_US = 100_000  # of what waits beyond this the line is relieved, as where we estimate it
    EMPTIED_US = 1_000_000  # within about so long, for it is known but once a second
    RELIEF_MOST_US = 667_000  # a third of what he allows is left
    FALL_SHARE = 64  # a word lower by less than this part is the same


cdef inline bint is_remb(const uint8_t *data, int at, int end) noexcept nogil:
    """Whether application layer feedback, whose sender's SSRC is at `at`, is that."""
    return end - at >= REMB_HEAD and get32(data + at + 8) == REMB_MARK


cdef inline int names_of(const uint8_t *data, int at, int end) noexcept nogil:
    """How many SSRCs it names."""
    return <int>smallest(data[at + 12], (end - at - REMB_HEAD) // 4)


cdef inline uint32_t read_remb(uint32_t value) noexcept nogil:
    """Six bits of exponent, eighteen of mantissa; held at the largest number we can keep."""
    cdef uint64_t mantissa = value & 0x3FFFF
    cdef uint32_t exponent = value >> 18
    if exponent > 32 or (mantissa << exponent) > 0xFFFFFFFFU:
        return 0xFFFFFFFFU
    return <uint32_t>(mantissa << exponent)


cdef inline int note_names(
    transport_t *transport, const uint8_t *data, int at, int end, int64_t now, int64_t *before, bint *hurried
) noexcept nogil:
    """Note which pictures are named, and whether any sound; how many, what was said of them before, and whether only just."""
    cdef int named = 0
    cdef int i
    cdef const consumer_t *consumer
    before[0] = 0
    hurried[0] = False
    transport.remb_hears = False
    for i in range(names_of(data, at, end)):
        consumer = <const consumer_t *>ssrcs_find(&transport.by_ssrc, get32(data + at + REMB_HEAD + 4 * i))
        if consumer == NULL:
            continue
        if not consumer.producer.video:
            transport.remb_hears = True
        elif consumer.word != NULL and not consumer.word.named:
            consumer.word.named = True
            before[0] += consumer.word.bps
            hurried[0] = hurried[0] or word_is_hurried(consumer.word, now)
            named += 1
    if not named:
        transport.remb_hears = True  # it is of all there is
    return named


cdef inline int64_t weigh_words(transport_t *transport, int64_t share, bint full, int64_t now) noexcept nogil:
    """Let each named picture have its share of what was said; what the words come to of those that are sent, -1 where none is.
    `full`: so the line is."""
    cdef int64_t bps = 0
    cdef bint any_ = False
    cdef const consumer_t *consumer
    cdef word_t *word
    cdef int i
    for i in range(transport.consumers.count):
        consumer = <const consumer_t *>transport.consumers.items[i]
        word = consumer.word
        if word == NULL:
            continue
        if word.named:
            word.named = False
            word.bps = share
            word.at_us = now
        elif full:
            word_hold(word, now)
        if not consumer.paused:
            bps += word_counts(word, now)
            any_ = True
    return bps if any_ else -1


cdef inline int64_t remb_budget(const transport_t *transport) noexcept nogil:
    """What is sent to who has said so much. His estimator sees a queue grow and not that it is long, and what it takes off is little more than
    the heads that nobody counts."""
    cdef int64_t sound = 0 if transport.remb_hears else transport.sound_bps
    cdef int64_t bps = largest(transport.remb_bps, RATE_LEAST) + sound
    cdef int64_t late = smallest(standing_us(&transport.waiting) - QUEUE_LONG_US, RELIEF_MOST_US)
    return bps if late <= 0 else largest(bps - bps * late // EMPTIED_US, smallest(bps, transport.sound_bps))


cdef inline bint is_congested(const transport_t *transport, int64_t since_us) noexcept nogil:
    """Whether he has seen the line full since then, or packets wait: what is lost meanwhile is lost because too much was sent."""
    if not transport.promised_remb:
        return False
    return transport.remb_full_us > since_us or standing_us(&transport.waiting) > QUEUE_LONG_US


cdef inline void note_remb(core_t *core, transport_t *transport, const uint8_t *data, int at, int end) noexcept nogil:
    """Read a word. One of nothing is a word as well."""
    cdef int64_t bps = read_remb(get24(data + at + 13))
    cdef int64_t before = 0
    cdef bint full = False
    cdef int named = note_names(transport, data, at, end, core.now, &before, &full)
    full = full or bps < before - before // FALL_SHARE
    if named:
        bps = weigh_words(transport, bps // named, full, core.now)
        if bps < 0:  # all that it is of has just been paused: it says nothing that would hold when that goes on
            return
    if full:
        transport.remb_full_us = core.now
    if transport.remb_at == 0:
        lift_spoke(&transport.lift, core.now)
    elif full:
        lift_fell(&transport.lift, core.now)
    transport.remb_bps = <uint32_t>smallest(bps, 0xFFFFFFFF)
    transport.remb_at = core.now
