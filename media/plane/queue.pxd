"""A bounded queue of records between exactly two threads: one pushes, the other takes. No locks, no allocation.

Records lie whole in one block of memory, each behind its length; a record that would not fit before the block's end
starts at its beginning. `head` and `tail` only grow; their difference is what is held.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

cdef extern from *:
    """
    #define huitang_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define huitang_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
    """
    uint64_t huitang_acquire(const uint64_t *value) nogil
    void huitang_release(uint64_t *target, uint64_t value) nogil

cdef enum:
    QUEUE_SKIP = 0xFFFFFFFF  # in place of a length: the rest of the block is unused

ctypedef struct queue_t:
    uint8_t *block
    uint64_t capacity  # a power of two
    uint64_t head  # written by the taker
    uint64_t tail  # written by the pusher
    uint64_t pushed
    uint64_t taken


cdef inline bint queue_open(queue_t *queue, uint64_t capacity) noexcept nogil:
    """Room for about `capacity` bytes; false without memory."""
    queue.capacity = 4096
    while queue.capacity < capacity:
        queue.capacity *= 2
    queue.block = <uint8_t *>calloc(1, queue.capacity)
    return queue.block != NULL


cdef inline void queue_close(queue_t *queue) noexcept nogil:
    free(queue.block)
    queue.block = NULL


cdef inline uint64_t queue_length(const queue_t *queue) noexcept nogil:
    """Records held, as far as this thread can know."""
    return huitang_acquire(&queue.pushed) - huitang_acquire(&queue.taken)


cdef inline bint queue_push(
    queue_t *queue, const void *head, uint32_t head_length, const void *body, uint32_t body_length
) noexcept nogil:
    """Append one record made of two parts; false when it does not fit."""
    cdef uint32_t length = head_length + body_length
    cdef uint64_t size = (<uint64_t>length + 4 + 7) & ~<uint64_t>7
    cdef uint64_t at = queue.tail & (queue.capacity - 1)
    cdef uint64_t rest = queue.capacity - at
    cdef uint64_t skip = rest if rest < size else 0
    if queue.tail + skip + size - huitang_acquire(&queue.head) > queue.capacity:
        return False
    if skip:
        (<uint32_t *>(queue.block + at))[0] = QUEUE_SKIP
        at = 0
    (<uint32_t *>(queue.block + at))[0] = length
    memcpy(queue.block + at + 4, head, head_length)
    if body_length:
        memcpy(queue.block + at + 4 + head_length, body, body_length)
    huitang_release(&queue.pushed, queue.pushed + 1)
    huitang_release(&queue.tail, queue.tail + skip + size)
    return True


cdef inline const uint8_t *queue_front(queue_t *queue, uint32_t *length) noexcept nogil:
    """The oldest record, or NULL; it stays until `queue_pop`."""
    cdef uint64_t at
    if queue.head == huitang_acquire(&queue.tail):
        return NULL
    at = queue.head & (queue.capacity - 1)
    if (<uint32_t *>(queue.block + at))[0] == QUEUE_SKIP:
        huitang_release(&queue.head, queue.head + queue.capacity - at)
        at = 0
    length[0] = (<uint32_t *>(queue.block + at))[0]
    return queue.block + at + 4


cdef inline void queue_pop(queue_t *queue) noexcept nogil:
    """Release the record that `queue_front` showed."""
    cdef uint64_t at = queue.head & (queue.capacity - 1)
    cdef uint32_t length = (<uint32_t *>(queue.block + at))[0]
    huitang_release(&queue.taken, queue.taken + 1)
    huitang_release(&queue.head, queue.head + ((<uint64_t>length + 4 + 7) & ~<uint64_t>7))
