"""Who has the floor: of a large room's microphones only the loudest few are forwarded, by their RFC 6464 levels.

A floor has so many places. A free place is taken by whoever sends, so below that number everybody is heard. When all
are taken, someone who speaks takes the place of the one who has been silent longest, if that is at least the hold
time, or else of the quietest, if much louder than he is. So a new voice is in with its first loud packet or after the
hold time, and where nobody falls silent within 200 ms if 7 dB louder than somebody who is in; two equally loud ones do
not flap, and those who are out cost nothing.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

from media.plane.bits cimport largest
from media.plane.objects cimport core_t, floor_t, producer_t

cdef enum:
    SPEECH_DBOV = -50  # quieter is a room, not a voice: speech is around -40..-15 dBov, a quiet office around -65
    LEAD_16 = 6 * 16  # twice the amplitude: nobody doubts who is louder
    # A voice that begins is smoothed from so far below itself and not from the silence before it, which held up one that was
    # 8 dB louder than the others for 240 ms. The ups and downs within speech are smaller.
    ONSET_16 = 12 * 16


cdef inline bint is_heard(const producer_t *producer) noexcept nogil:
    """Whether the subscribers get what the producer sends."""
    return producer.floor == NULL or producer.on_floor


cdef inline bint note_level(core_t *core, producer_t *producer, uint8_t value) noexcept nogil:
    """RFC 6464: the low seven bits are minus dBov. Smoothed over some four packets; whether this packet is speech."""
    cdef int level = -<int>(value & 0x7F)
    producer.level_16 = <int32_t>largest(producer.level_16, level * 16 - ONSET_16)
    producer.level_16 += (level * 16 - producer.level_16) // 4
    producer.level_at = core.now
    if level < SPEECH_DBOV:
        return False
    producer.spoke_at = core.now
    return True


cdef inline int longest_silent(const floor_t *floor) noexcept nogil:
    cdef int i
    cdef int found = 0
    for i in range(1, floor.count):
        if floor.holders[i].spoke_at < floor.holders[found].spoke_at:
            found = i
    return found


cdef inline int quietest(const floor_t *floor) noexcept nogil:
    cdef int i
    cdef int found = 0
    for i in range(1, floor.count):
        if floor.holders[i].level_16 < floor.holders[found].level_16:
            found = i
    return found


cdef inline void floor_give(floor_t *floor, int place, producer_t *producer) noexcept nogil:
    if place < floor.count:
        floor.holders[place].on_floor = False
    else:
        floor.count += 1
    floor.holders[place] = producer
    producer.on_floor = True
    producer.spurt += 1


cdef inline void floor_ask(core_t *core, producer_t *producer, bint speaks) noexcept nogil:
    """A packet of a producer without a place: give it one if it is due."""
    cdef floor_t *floor = producer.floor
    cdef int place
    if floor.count < floor.places:
        floor_give(floor, floor.count, producer)
        return
    if not speaks:
        return
    place = longest_silent(floor)
    if core.now - floor.holders[place].spoke_at < floor.hold_us:
        place = quietest(floor)
        if producer.level_16 - floor.holders[place].level_16 < LEAD_16:
            return
    floor_give(floor, place, producer)


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
