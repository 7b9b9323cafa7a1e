"""Who has the floor: of a large room's microphones only the loudest few are forwarded, by their RFC 6464 levels.

A floor has so many places. A free place is taken by whoever sends, so below that number everybody is heard. When all are
taken, who speaks takes the place of the one who has been silent longest, if that is at least the hold time. Speech is what stands
out of its own microphone's noise: an open microphone in a noisy room is silent while nobody speaks into it, however loud the room,
and holds no place against a soft voice elsewhere. Where nobody falls silent, who speaks takes the place of the softest of those who
must yield: at once if he is clearly louder; after a word (WAIT_US) if he is at least as loud, but then not the place of one who got it
within the last TENURE_US. So a new voice is in with its first loud packet or within 200 ms, equals do not flap, nobody loses a place
within the hold time of getting it, and those who are out cost nothing. Only who is softer than all that speak waits for their pauses.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

from media.plane.bits cimport largest, smallest
from media.plane.objects cimport core_t, floor_t, producer_t

cdef enum:
    SPEECH_DBOV = -50  # quieter is a room, not a voice: speech is around -40..-15 dBov, a quiet office around -65
    # Steady noise goes up and down by some 5 dB from packet to packet, and even a poor microphone's voice rises out of it further.
    OVER_NOISE_DB = 8
    # The noise is the least of what was heard lately. Speech comes down to it between syllables, twice a second at the least, and a
    # sung tone may last for some seconds: until then it must not pass for noise.
    NOISE_RISES_DB = 4  # a second
    NOISE_GAP_US = 500_000  # what is not sent (DTX, a pause) is not listened to: it counts for so long at most
    DIGITAL_SILENCE = -127  # somebody has muted himself: it tells nothing of his room
    LEAD_DB = 6  # twice the amplitude: nobody doubts who is louder
    # How loud somebody is who has a place is forgotten over so many packets, more than half a second, and not between two syllables:
    # of thirty who talked at once the twelve places changed hands forty-eight times a second.
    LOUD_PACKETS = 32
    # A voice that begins is smoothed from so far below itself and not from the silence before it, which held up one that was
    # 8 dB louder than the others for 240 ms. The ups and downs within speech are smaller.
    ONSET_16 = 12 * 16
    WAIT_US = 160_000  # a word, and no cough
    BREATH_US = 120_000  # gaps within a word and between words are shorter
    TENURE_US = 2_000_000  # a sentence
    SPOKE_US = 200_000  # between two looks at who speaks


cdef inline bint is_heard(const producer_t *producer) noexcept nogil:
    """Whether the subscribers get what the producer sends."""
    return producer.floor == NULL or producer.on_floor


cdef inline double level_of(const producer_t *producer) noexcept nogil:
    return producer.level_16 / 16.0


cdef inline void follow_noise(const core_t *core, producer_t *producer, int level) noexcept nogil:
    """Down at once, up slowly; and not below what passes for a room anyway."""
    cdef int64_t gap = smallest(core.now - producer.level_at, NOISE_GAP_US)
    if level == DIGITAL_SILENCE:
        return
    producer.noise += gap * NOISE_RISES_DB / 1e6
    if producer.noise > level:
        producer.noise = level
    if producer.noise < SPEECH_DBOV - OVER_NOISE_DB:
        producer.noise = SPEECH_DBOV - OVER_NOISE_DB


cdef inline bint note_level(core_t *core, producer_t *producer, uint8_t value) noexcept nogil:
    """RFC 6464: the low seven bits are minus dBov. Smoothed over some four packets; answers whether this one is speech."""
    cdef int level = -<int>(value & 0x7F)
    follow_noise(core, producer, level)
    producer.level_16 = <int32_t>largest(producer.level_16, level * 16 - ONSET_16)
    producer.level_16 += (level * 16 - producer.level_16) // 4
    producer.loud -= (producer.loud - level_of(producer)) / LOUD_PACKETS
    if producer.loud < level_of(producer):
        producer.loud = level_of(producer)
    producer.level_at = core.now
    if level < producer.noise + OVER_NOISE_DB:
        return False
    if core.now - producer.spoke_at > BREATH_US:
        producer.speaks_since = core.now
    producer.spoke_at = core.now
    return True


cdef inline bint speaks_now(const core_t *core, const producer_t *producer) noexcept nogil:
    """Whether it was speech just now, for who looks some times a second."""
    return producer.spoke_at != 0 and core.now - producer.spoke_at <= SPOKE_US


cdef inline int longest_silent(const floor_t *floor) noexcept nogil:
    cdef int i
    cdef int found = 0
    for i in range(1, floor.count):
        if floor.holders[i].spoke_at < floor.holders[found].spoke_at:
            found = i
    return found


cdef inline bint must_yield(const core_t *core, const producer_t *holder, const producer_t *asking) noexcept nogil:
    """Whether one who has a place and may be speaking loses it to one who speaks."""
    cdef double lead = level_of(asking) - holder.loud
    cdef int64_t tenure = core.now - holder.placed_at
    if lead >= LEAD_DB:
        return tenure >= holder.floor.hold_us
    return lead >= 0 and tenure >= TENURE_US and core.now - asking.speaks_since >= WAIT_US


cdef inline int softest_to_yield(const core_t *core, const producer_t *asking) noexcept nogil:
    """-1 where nobody must."""
    cdef const floor_t *floor = asking.floor
    cdef int i
    cdef int found = -1
    for i in range(floor.count):
        if must_yield(core, floor.holders[i], asking) and (
            found < 0 or floor.holders[i].loud < floor.holders[found].loud
        ):
            found = i
    return found


cdef inline void floor_give(core_t *core, floor_t *floor, int place, producer_t *producer) noexcept nogil:
    cdef producer_t *before
    if place < floor.count:
        before = floor.holders[place]
        before.on_floor = False
        before.speaks_since = core.now  # he waits from now on
    else:
        floor.count += 1
    floor.holders[place] = producer
    producer.on_floor = True
    producer.placed_at = core.now
    producer.spurt += 1


cdef inline void floor_ask(core_t *core, producer_t *producer, bint speaks) noexcept nogil:
    """A packet of a producer without a place: give it one if it is due."""
    cdef floor_t *floor = producer.floor
    cdef int place
    if floor.count < floor.places:
        floor_give(core, floor, floor.count, producer)
        return
    if not speaks:
        return
    place = longest_silent(floor)
    if core.now - floor.holders[place].spoke_at < floor.hold_us:
        place = softest_to_yield(core, producer)
    if place >= 0:
        floor_give(core, floor, place, producer)


cdef inline void floor_leave(producer_t *producer) noexcept nogil:
    """The producer is paused or gone: its place is free."""
    cdef floor_t *floor = producer.floor
    cdef int i
    if floor == NULL or not producer.on_floor:
        return
    producer.on_floor = False
    for i in range(floor.count):
        if floor.holders[i] == producer:
            floor.count -= 1
            floor.holders[i] = floor.holders[floor.count]
            return
