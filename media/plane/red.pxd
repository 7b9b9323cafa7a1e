"""Redundant audio data (RFC 2198), as browsers send it: a packet's own Opus frame behind copies of those before it.

A packet that was lost on the way here is put in its place out of the copy that follows it. Who takes RED gets copies out of
what is stored, as many as the line needs, whether the sender sends any or not; who does not, and a recording, gets the
packet's own frame alone.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcpy

from media.plane.bits cimport ahead32, get24, put24
from media.plane.losses cimport CAUSE_PATH, CAUSE_UNKNOWN, loss_cause_t
from media.plane.objects cimport consumer_t
from media.plane.ring cimport ring_bytes, ring_find, ring_t, slot_t
from media.plane.stream cimport stream_t

cdef enum:
    RED_COPIES_MOST = 8  # browsers send one or two
    RED_SENT_MOST = 2  # of ours; each costs as much as the frames
    RED_HEADER = 4  # of a copy; the packet's own frame has one byte
    RED_ROOM = 1_200  # bytes of all frames together, at most: no packet grows beyond what a path carries
    RED_CLEAN_US = 10_000_000  # a line without loss for so long needs no copies until the next loss
    # Of 256 packets. With one lost in ten, one copy leaves one frame in a hundred missing, two leave one in a thousand.
    RED_TWICE = 10
    RED_ONCE = 5  # where there are two already: so few call for one again

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


cdef inline int find_copies(const ring_t *ring, const slot_t *slot, int wanted, const slot_t **copies) noexcept nogil:
    """The frames right before this one that a packet can carry too, at most RED_SENT_MOST, oldest first; how many."""
    cdef const slot_t *before
    cdef int bytes = slot.payload_length
    cdef int count = 0
    cdef int32_t back
    cdef int i
    for i in range(1, wanted + 1):  # the nearest has the first claim to the room
        before = ring_find(ring, slot.sequence - i)
        if before == NULL or not 0 < before.payload_length < 1 << 10:
            continue
        back = ahead32(slot.timestamp, before.timestamp)
        if not 0 < back < 1 << 14 or bytes + before.payload_length > RED_ROOM:
            continue
        bytes += before.payload_length
        if count:
            copies[1] = copies[0]
        copies[0] = before
        count += 1
    return count


cdef inline int red_bytes(const slot_t **copies, int count) noexcept nogil:
    """What lies before the packet's own frame."""
    cdef int bytes = 1
    cdef int i
    for i in range(count):
        bytes += RED_HEADER + copies[i].payload_length
    return bytes


cdef inline void write_copies(
    uint8_t *out, const ring_t *ring, const slot_t *slot, const slot_t **copies, int count, uint8_t payload_type
) noexcept nogil:
    """The block headers, all of `payload_type`, and the copies: RFC 2198 section 3."""
    cdef int at = RED_HEADER * count + 1
    cdef int i
    for i in range(count):
        out[RED_HEADER * i] = 0x80 | payload_type
        put24(out + RED_HEADER * i + 1, (slot.timestamp - copies[i].timestamp) << 10 | copies[i].payload_length)
        memcpy(out + at, ring_bytes(ring, copies[i]) + copies[i].payload_at, copies[i].payload_length)
        at += copies[i].payload_length
    out[RED_HEADER * count] = payload_type


cdef inline bint fits_between(const stream_t *stream, int64_t sequence, uint32_t timestamp) noexcept nogil:
    """Whether a copy can be the packet of that number: its neighbours, where they are known, lie around it in time."""
    cdef const slot_t *before = ring_find(&stream.ring, sequence - 1)
    cdef const slot_t *after = ring_find(&stream.ring, sequence + 1)
    if before != NULL and ahead32(timestamp, before.timestamp) <= 0:
        return False
    return after == NULL or ahead32(after.timestamp, timestamp) > 0


cdef inline void note_line(consumer_t *consumer, uint8_t fraction, loss_cause_t cause, int64_t now) noexcept nogil:
    """A receiver report tells how many copies are needed. What is lost because too much is sent only grows with them: it calls for
    none, and ends those that were sent before anything was known. While the cause is unknown all stays as it is."""
    if fraction and cause == CAUSE_UNKNOWN:
        consumer.clean_since_us = 0
        return
    if fraction and cause == CAUSE_PATH:
        consumer.clean_since_us = 0
        consumer.lossy = True
        consumer.copies = 2 if fraction >= (RED_ONCE if consumer.copies == 2 else RED_TWICE) else 1
        return
    if fraction and consumer.transport.hungry:  # what the line bears is too little for a picture even without them
        consumer.lossy = False
    if consumer.clean_since_us == 0:
        consumer.clean_since_us = now
    if now - consumer.clean_since_us >= RED_CLEAN_US:
        consumer.lossy = False
    if now - consumer.clean_since_us >= RED_CLEAN_US or (fraction and not consumer.lossy):
        consumer.copies = 0
