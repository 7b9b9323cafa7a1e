"""Redundant audio data (RFC 2198), as browsers send it: a packet's own Opus frame behind copies of those before it.

Who takes RED gets the whole, under the subscriber's payload types; who does not, and a recording, gets the packet's own
frame alone. A packet that was lost on the way here is put in its place out of the copy that follows it.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from media.plane.bits cimport ahead32, get24
from media.plane.objects cimport consumer_t
from media.plane.ring cimport ring_find, slot_t
from media.plane.stream cimport stream_t

cdef enum:
    RED_COPIES_MOST = 8  # browsers send one or two
    RED_CLEAN_US = 10_000_000  # a line without loss for so long needs no copies until the next loss

ctypedef struct red_copy_t:
    int at
    int length
    uint32_t back  # how much earlier than the packet's timestamp

ctypedef struct red_t:
    red_copy_t copies[<int>RED_COPIES_MOST]  # oldest first
    int count
    int own_at
    int own_length


cdef inline bint parse_red(red_t *red, const uint8_t *data, int length, uint8_t payload_type) noexcept nogil:
    """Fill `red` from a payload whose blocks are all of `payload_type`; false when it is broken. Offsets into `data`."""
    cdef int at = 0
    cdef int body
    cdef int i
    cdef uint32_t fields
    red.count = 0
    while True:
        if at >= length or (data[at] & 0x7F) != payload_type:
            return False
        if not data[at] & 0x80:
            break
        if red.count == RED_COPIES_MOST or at + 4 > length:
            return False
        fields = get24(data + at + 1)  # 14 bits of timestamp offset, 10 of length
        red.copies[red.count].back = fields >> 10
        red.copies[red.count].length = <int>(fields & 0x3FF)
        red.count += 1
        at += 4
    body = at + 1
    for i in range(red.count):
        red.copies[i].at = body
        body += red.copies[i].length
    red.own_at = body
    red.own_length = length - body
    return red.own_length > 0


cdef inline void write_red_types(uint8_t *payload, int count, uint8_t payload_type) noexcept nogil:
    """Name the subscriber's payload type in the block headers."""
    cdef int i
    for i in range(count):
        payload[4 * i] = 0x80 | payload_type
    payload[4 * count] = payload_type


cdef inline bint fits_between(const stream_t *stream, int64_t sequence, uint32_t timestamp) noexcept nogil:
    """Whether a copy can be the packet of that number: its neighbours, where they are known, lie around it in time."""
    cdef const slot_t *before = ring_find(&stream.ring, sequence - 1)
    cdef const slot_t *after = ring_find(&stream.ring, sequence + 1)
    if before != NULL and ahead32(timestamp, before.timestamp) <= 0:
        return False
    return after == NULL or ahead32(after.timestamp, timestamp) > 0


cdef inline void note_line(consumer_t *consumer, uint8_t fraction, bint congested, int64_t now) noexcept nogil:
    """A receiver report tells whether the copies are needed: they cost as much as the frames. What is lost because too much is
    sent only grows with them, so `congested`: it calls for none, and ends those that were sent before anything was known."""
    if fraction and not congested:
        consumer.clean_since_us = 0
        consumer.lossy = True
        consumer.redundant = True
        return
    if consumer.clean_since_us == 0:
        consumer.clean_since_us = now
    if now - consumer.clean_since_us >= RED_CLEAN_US:
        consumer.lossy = False
    if now - consumer.clean_since_us >= RED_CLEAN_US or (fraction and not consumer.lossy):
        consumer.redundant = False
