"""Which packets of a publisher are missing, and when to ask for them (again)."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memmove

from media.plane.bits cimport largest, smallest

cdef enum:
    MISSING_MOST = 128  # a longer gap is an outage: a key frame repairs it better
    NACK_TRIES = 10
    NACK_WAIT_US = 5_000  # reordering on Wi-Fi settles within this
    NACK_RETRY_LEAST_US = 20_000
    NACK_RETRY_FIRST_US = 100_000  # while the round trip is unknown
    NACK_GIVE_UP_US = 1_000_000  # a receiver's jitter buffer has moved on by then

ctypedef struct missing_t:
    int64_t sequence
    int64_t since_us
    int64_t due_us
    int64_t asked_us  # the first time
    uint8_t tries

ctypedef struct missing_list_t:
    missing_t items[<int>MISSING_MOST]  # by ascending sequence
    int count


cdef inline bint missing_add(missing_list_t *list, int64_t first, int64_t last, int64_t now) noexcept nogil:
    """Note the gap first..last; false (and an empty list) when there are too many to repair one by one."""
    cdef int64_t sequence
    cdef missing_t *item
    if last - first + 1 > MISSING_MOST - list.count:
        list.count = 0
        return False
    for sequence in range(first, last + 1):
        item = &list.items[list.count]
        item.sequence = sequence
        item.since_us = now
        item.due_us = now + NACK_WAIT_US
        item.asked_us = 0
        item.tries = 0
        list.count += 1
    return True


cdef inline void missing_drop(missing_list_t *list, int index) noexcept nogil:
    list.count -= 1
    memmove(&list.items[index], &list.items[index + 1], (list.count - index) * sizeof(missing_t))


cdef inline int64_t missing_arrived(missing_list_t *list, int64_t sequence, int64_t now) noexcept nogil:
    """A late packet came. Answers the round trip it shows at most, 0 when it shows none, -1 if not awaited."""
    cdef int i
    cdef int64_t rtt = 0
    for i in range(list.count):
        if list.items[i].sequence == sequence:
            if 1 <= list.items[i].tries <= 2:
                rtt = largest(now - list.items[i].asked_us, 1)
            missing_drop(list, i)
            return rtt
    return -1


cdef inline int missing_due(
    missing_list_t *list, int64_t now, int64_t rtt, int64_t *wanted, int room, int *given_up, int64_t *next_at
) noexcept nogil:
    """Collect into `wanted` what is to be asked for now; `next_at` becomes the earliest time to come back."""
    cdef int i = 0
    cdef int count = 0
    cdef missing_t *item
    given_up[0] = 0
    while i < list.count:
        item = &list.items[i]
        if item.tries >= NACK_TRIES or now - item.since_us > NACK_GIVE_UP_US:
            missing_drop(list, i)
            given_up[0] += 1
            continue
        if item.due_us <= now and count < room:
            wanted[count] = item.sequence
            count += 1
            item.tries += 1
            if item.tries == 1:
                item.asked_us = now
            item.due_us = now + (largest(NACK_RETRY_LEAST_US, rtt + rtt // 4) if rtt else NACK_RETRY_FIRST_US)
        next_at[0] = smallest(next_at[0], item.due_us)
        i += 1
    return count
