"""What one socket is about to send: datagrams in one block, and the kernel messages they make.

Datagrams to one destination that follow each other are one message as long as their sizes allow generic segmentation
(UDP_SEGMENT): all equal, the last may be shorter.
"""

from libc.stdint cimport uint8_t

from media.plane.address cimport address_t

cdef enum:
    BATCH_MESSAGES = 64
    BATCH_BYTES = 98304  # stays in the second-level cache between encryption and the kernel's copy
    SEGMENTS_MOST = 60  # the kernel's limit is 64 before Linux 6.2
    MESSAGE_BYTES_MOST = 64000  # 65,507 is what UDP over IPv4 can carry
    DATAGRAM_ROOM = 2048

ctypedef struct message_t:
    const address_t *to
    int at
    int length
    int segment  # bytes of each datagram but the last
    int count
    bint closed

ctypedef struct batch_t:
    message_t messages[<int>BATCH_MESSAGES]
    int count
    int used
    bint gso
    uint8_t block[<int>BATCH_BYTES]


cdef inline bint batch_full(const batch_t *batch) noexcept nogil:
    return batch.used + DATAGRAM_ROOM > BATCH_BYTES or batch.count == BATCH_MESSAGES


cdef inline uint8_t *batch_room(batch_t *batch) noexcept nogil:
    """Where the next datagram is written, DATAGRAM_ROOM bytes; the batch must not be full."""
    return batch.block + batch.used


cdef inline void batch_add(batch_t *batch, const address_t *to, int length) noexcept nogil:
    """The datagram of `length` bytes at `batch_room` goes to `to`, which must outlive the batch."""
    cdef message_t *last = &batch.messages[batch.count - 1] if batch.count else NULL
    if (
        batch.gso and last != NULL and not last.closed and last.to == to and length <= last.segment
        and last.count < SEGMENTS_MOST and last.length + length <= MESSAGE_BYTES_MOST
    ):
        last.length += length
        last.count += 1
        last.closed = length < last.segment
    else:
        last = &batch.messages[batch.count]
        last.to = to
        last.at = batch.used
        last.length = length
        last.segment = length
        last.count = 1
        last.closed = False
        batch.count += 1
    batch.used += length


cdef inline void batch_clear(batch_t *batch) noexcept nogil:
    batch.count = 0
    batch.used = 0
