"""The last packets of one stream, by source sequence number: for forwarding, retransmission and late joiners.

Bytes lie one after another in a circular block; a packet is gone when the block has been written round past it or when
its slot has been taken by a later sequence number.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from media.plane.extensions cimport PASSED_KINDS, passed_t
from media.plane.payload cimport payload_t

ctypedef struct slot_t:
    int64_t sequence  # extended; 0: never used
    uint64_t written_at  # position in the endless byte sequence
    int64_t arrival_us
    int64_t picture  # extended picture id, or frame number of the dependency descriptor
    uint32_t timestamp
    uint16_t payload_at
    uint16_t payload_length
    uint16_t red_length  # RFC 2198: what lies before the payload, block headers and copies; 0 without
    uint8_t red_copies
    bint marker
    payload_t payload
    passed_t passed[<int>PASSED_KINDS]
    passed_t dependency  # only where the plane reads it

ctypedef struct ring_t:
    slot_t *slots
    uint8_t *block
    uint32_t slot_count  # powers of two
    uint32_t block_size
    uint64_t written


cdef inline bint ring_open(ring_t *ring, uint32_t slot_count, uint32_t block_size) noexcept nogil:
    ring.slot_count = slot_count
    ring.block_size = block_size
    ring.written = 0
    ring.slots = <slot_t *>calloc(slot_count, sizeof(slot_t))
    ring.block = <uint8_t *>calloc(1, block_size)
    return ring.slots != NULL and ring.block != NULL


cdef inline void ring_close(ring_t *ring) noexcept nogil:
    free(ring.slots)
    free(ring.block)
    ring.slots = NULL
    ring.block = NULL


cdef inline void ring_clear(ring_t *ring) noexcept nogil:
    cdef uint32_t i
    for i in range(ring.slot_count):
        ring.slots[i].sequence = 0


cdef inline const uint8_t *ring_bytes(const ring_t *ring, const slot_t *slot) noexcept nogil:
    return ring.block + (slot.written_at & (ring.block_size - 1))


cdef inline slot_t *ring_find(const ring_t *ring, int64_t sequence) noexcept nogil:
    """The packet's slot, or NULL when it never came or is gone."""
    cdef slot_t *slot = &ring.slots[sequence & (ring.slot_count - 1)]
    if slot.sequence != sequence or ring.written - slot.written_at > ring.block_size:
        return NULL
    return slot


cdef inline slot_t *ring_store(ring_t *ring, int64_t sequence, const uint8_t *data, int length) noexcept nogil:
    """Copy a packet in; the caller fills in what it knows of it. `length` is far below the block's size."""
    cdef slot_t *slot = &ring.slots[sequence & (ring.slot_count - 1)]
    cdef uint64_t rest = ring.block_size - (ring.written & (ring.block_size - 1))
    if rest < <uint64_t>length:
        ring.written += rest
    slot.sequence = sequence
    slot.written_at = ring.written
    memcpy(ring.block + (ring.written & (ring.block_size - 1)), data, length)
    ring.written += length
    return slot


cdef inline bint ring_seen(const ring_t *ring, int64_t sequence) noexcept nogil:
    """Whether the packet came at all; exact for the last `slot_count` sequence numbers, bytes still held or not."""
    return ring.slots[sequence & (ring.slot_count - 1)].sequence == sequence
