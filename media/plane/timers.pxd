"""Who waits for a time: a heap, so that nobody is looked at who is not due, however many wait or do not."""

from libc.stdint cimport INT64_MAX, int64_t
from libc.stdlib cimport free, realloc

# Part of what waits. Zeroed: it does not.
ctypedef struct timer_t:
    int64_t due_us
    int place  # in the heap, from 1; 0: it does not wait
    int part  # of the owner
    void *owner

ctypedef struct timers_t:
    timer_t **items  # from 1: each is due no later than the two at twice its place
    int count
    int room


cdef inline void timer_move(timers_t *timers, timer_t *timer, int place) noexcept nogil:
    timers.items[place] = timer
    timer.place = place


cdef inline void timer_settle(timers_t *timers, timer_t *timer, int place) noexcept nogil:
    """Put a timer into a free place, or where it belongs above or below that."""
    cdef int next_
    while place > 1 and timers.items[place // 2].due_us > timer.due_us:
        timer_move(timers, timers.items[place // 2], place)
        place //= 2
    while 2 * place <= timers.count:
        next_ = 2 * place
        if next_ < timers.count and timers.items[next_ + 1].due_us < timers.items[next_].due_us:
            next_ += 1
        if timers.items[next_].due_us >= timer.due_us:
            break
        timer_move(timers, timers.items[next_], place)
        place = next_
    timer_move(timers, timer, place)


cdef inline bint timers_grow(timers_t *timers) noexcept nogil:
    cdef int room = 2 * timers.room if timers.room else 16
    cdef timer_t **items = <timer_t **>realloc(timers.items, (room + 1) * sizeof(timer_t *))
    if items == NULL:
        return False
    timers.items = items
    timers.room = room
    return True


cdef inline void timer_set(timers_t *timers, timer_t *timer, int64_t due_us) noexcept nogil:
    """Let it be due then, whether it waits already or not. Where there is no memory for one more it will not be."""
    if timer.place == 0:
        if timers.count == timers.room and not timers_grow(timers):
            return
        timers.count += 1
        timer.place = timers.count
    timer.due_us = due_us
    timer_settle(timers, timer, timer.place)


cdef inline void timer_hasten(timers_t *timers, timer_t *timer, int64_t due_us) noexcept nogil:
    """Let it be due then at the latest."""
    if timer.place == 0 or due_us < timer.due_us:
        timer_set(timers, timer, due_us)


cdef inline void timer_cancel(timers_t *timers, timer_t *timer) noexcept nogil:
    cdef int place = timer.place
    cdef timer_t *last
    if place == 0:
        return
    timer.place = 0
    last = timers.items[timers.count]
    timers.count -= 1
    if last != timer:
        timer_settle(timers, last, place)


cdef inline int64_t timers_next(const timers_t *timers) noexcept nogil:
    """When the next is due; INT64_MAX while nobody waits."""
    return timers.items[1].due_us if timers.count else INT64_MAX


cdef inline timer_t *timers_take(timers_t *timers, int64_t now) noexcept nogil:
    """The one that has been due longest, which waits no more; NULL when none is."""
    cdef timer_t *timer
    if timers_next(timers) > now:
        return NULL
    timer = timers.items[1]
    timer_cancel(timers, timer)
    return timer


cdef inline void timers_close(timers_t *timers) noexcept nogil:
    free(timers.items)
    timers.items = NULL
    timers.count = 0
    timers.room = 0
