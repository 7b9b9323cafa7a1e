"""The last packets of one stream, by source sequence number: for forwarding, retransmission and late joiners.

Bytes lie one after another in a circular block; a packet is gone when the block has been written round past it or when
its slot has been taken by a later sequence number. Block and slots begin small and double where a packet would be gone
sooner than after RING_KEEPS_US, up to a limit: a small layer of simulcast takes a twentieth of what the largest may.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from media.plane.extensions cimport PASSED_KINDS, described_t, passed_t
from media.plane.payload cimport payload_t

cdef extern from *:
    """
    #include <stdlib.h>
    #include <sys/mman.h>
    /* Zeroed, and taken from the system itself: only what is written takes memory, and what a grown block leaves goes
       back at once. In malloc's hands it stayed as a hole, 250 KiB for each of five cameras. */
    #ifdef __SANITIZE_ADDRESS__  /* which sees only what malloc gave */
    static void *huitang_block(size_t size) { return calloc(1, size); }
    static void huitang_let_go(void *block, size_t size) { (void)size; free(block); }
    #else
    static void *huitang_block(size_t size) {
        void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return block == MAP_FAILED ? NULL : block;
    }
    static void huitang_let_go(void *block, size_t size) { if (block) munmap(block, size); }
    #endif
    """
    void *make_block "huitang_block"(size_t size) nogil
    void free_block "huitang_let_go"(void *block, size_t size) nogil

cdef enum:
    # libwebrtc waits three seconds for a missing frame before it wants a key frame; what it asked for last comes later
    # by a slow line's round trip.
    RING_KEEPS_US = 3_500_000
    RING_GRAIN = 4096  # bytes of the block that have one age; no packet is longer

ctypedef struct slot_t:
    int64_t sequence  # extended; 0: never used
    uint64_t written_at  # position in the endless byte sequence
    int64_t arrival_us
    int64_t picture  # extended picture id, or frame number of the dependency descriptor
    uint32_t timestamp
    uint16_t payload_at
    uint16_t payload_length
    bint marker
    payload_t payload
    passed_t passed[<int>PASSED_KINDS]
    described_t dependency  # only where the plane reads it

ctypedef struct ring_t:
    slot_t *slots
    uint8_t *block
    int64_t *written_us  # of each grain of the block, the last time
    uint32_t slot_count  # powers of two
    uint32_t block_size
    uint32_t slot_most
    uint32_t block_most
    uint64_t written
    uint64_t kept  # what was written before is gone


cdef inline bint ring_open(
    ring_t *ring, uint32_t slots, uint32_t slot_most, uint32_t block, uint32_t block_most
) noexcept nogil:
    """So many slots and bytes to begin with, and at most: powers of two, of bytes at least two grains."""
    ring.slot_count = slots
    ring.slot_most = slot_most
    ring.block_size = block
    ring.block_most = block_most
    ring.written = 0
    ring.kept = 0
    ring.slots = <slot_t *>calloc(slots, sizeof(slot_t))
    ring.block = <uint8_t *>make_block(block)
    ring.written_us = <int64_t *>calloc(block // RING_GRAIN, sizeof(int64_t))
    return ring.slots != NULL and ring.block != NULL and ring.written_us != NULL


cdef inline void ring_close(ring_t *ring) noexcept nogil:
    free(ring.slots)
    free_block(ring.block, ring.block_size)
    free(ring.written_us)
    ring.slots = NULL
    ring.block = NULL
    ring.written_us = NULL


cdef inline void ring_clear(ring_t *ring) noexcept nogil:
    cdef uint32_t i
    for i in range(ring.slot_count):
        ring.slots[i].sequence = 0


cdef inline const uint8_t *ring_bytes(const ring_t *ring, const slot_t *slot) noexcept nogil:
    """Valid until the next packet is stored."""
    return ring.block + (slot.written_at & (ring.block_size - 1))


cdef inline slot_t *ring_find(const ring_t *ring, int64_t sequence) noexcept nogil:
    """The packet's slot, valid until the next is stored, or NULL when it never came or is gone."""
    cdef slot_t *slot = &ring.slots[sequence & (ring.slot_count - 1)]
    if slot.sequence != sequence or slot.written_at < ring.kept:
        return NULL
    return slot


cdef inline void grow_slots(ring_t *ring) noexcept nogil:
    """Twice as many; where there is no memory it stays as it is."""
    cdef uint32_t count = 2 * ring.slot_count
    cdef slot_t *slots = <slot_t *>calloc(count, sizeof(slot_t))
    cdef uint32_t i
    if slots == NULL:
        return
    for i in range(ring.slot_count):
        if ring.slots[i].sequence:
            slots[ring.slots[i].sequence & (count - 1)] = ring.slots[i]
    free(ring.slots)
    ring.slots = slots
    ring.slot_count = count


cdef inline void grow_block(ring_t *ring) noexcept nogil:
    """Twice as long, with all that is kept; where there is no memory it stays as it is."""
    cdef uint32_t size = 2 * ring.block_size
    cdef uint8_t *block = <uint8_t *>make_block(size)
    cdef int64_t *written_us = <int64_t *>calloc(size // RING_GRAIN, sizeof(int64_t))
    cdef uint32_t old_grains = ring.block_size // RING_GRAIN
    cdef uint32_t grains = size // RING_GRAIN
    cdef uint64_t last = ring.written // RING_GRAIN
    cdef uint64_t grain
    if block == NULL or written_us == NULL:
        free_block(block, size)
        free(written_us)
        return
    # The grain being written shares its place with the oldest one, of which what is not overwritten yet goes.
    for grain in range(last - (old_grains - 1) if last >= old_grains else 0, last + 1):
        memcpy(
            block + (grain & (grains - 1)) * RING_GRAIN, ring.block + (grain & (old_grains - 1)) * RING_GRAIN, RING_GRAIN
        )
        written_us[grain & (grains - 1)] = ring.written_us[grain & (old_grains - 1)]
    if last >= old_grains and ring.kept < (last - (old_grains - 1)) * RING_GRAIN:
        ring.kept = (last - (old_grains - 1)) * RING_GRAIN
    free_block(ring.block, ring.block_size)
    free(ring.written_us)
    ring.block = block
    ring.written_us = written_us
    ring.block_size = size


cdef inline uint64_t ring_place(const ring_t *ring, int length) noexcept nogil:
    """Where a packet of this length begins: none is cut by the block's end."""
    cdef uint64_t rest = ring.block_size - (ring.written & (ring.block_size - 1))
    return ring.written + rest if rest < <uint64_t>length else ring.written


cdef inline bint ring_hurries(const ring_t *ring, uint64_t end, int64_t now) noexcept nogil:
    """Whether writing as far as `end` takes a grain that was written lately."""
    cdef uint64_t grains = ring.block_size // RING_GRAIN
    cdef uint64_t grain = end // RING_GRAIN
    if grain == ring.written // RING_GRAIN or grain < grains or (grain - grains + 1) * RING_GRAIN <= ring.kept:
        return False
    return now - ring.written_us[grain & (grains - 1)] < RING_KEEPS_US


cdef inline slot_t *ring_store(
    ring_t *ring, int64_t sequence, const uint8_t *data, int length, int64_t now
) noexcept nogil:
    """Copy a packet in; the caller fills in what it knows of it."""
    cdef slot_t *slot = &ring.slots[sequence & (ring.slot_count - 1)]
    cdef uint64_t at = ring_place(ring, length)
    if (
        slot.sequence and slot.sequence < sequence and now - slot.arrival_us < RING_KEEPS_US
        and ring.slot_count < ring.slot_most
    ):
        grow_slots(ring)
        slot = &ring.slots[sequence & (ring.slot_count - 1)]
    if ring.block_size < ring.block_most and ring_hurries(ring, at + length, now):
        grow_block(ring)
        at = ring_place(ring, length)
    ring.written_us[(at & (ring.block_size - 1)) // RING_GRAIN] = now
    ring.written_us[((at + length) & (ring.block_size - 1)) // RING_GRAIN] = now
    slot.sequence = sequence
    slot.written_at = at
    memcpy(ring.block + (at & (ring.block_size - 1)), data, length)
    ring.written = at + length
    if ring.written > ring.block_size and ring.kept < ring.written - ring.block_size:
        ring.kept = ring.written - ring.block_size
    return slot


cdef inline bint ring_seen(const ring_t *ring, int64_t sequence) noexcept nogil:
    """Whether the packet came at all; exact for the last `slot_count` sequence numbers, bytes still held or not."""
    return ring.slots[sequence & (ring.slot_count - 1)].sequence == sequence


cdef inline bint ring_came(const ring_t *ring, int64_t sequence, int64_t highest) noexcept nogil:
    """Whether the packet came, as far as is known: what is older than the last `slot_count` is taken to have."""
    return ring_seen(ring, sequence) or highest - sequence >= ring.slot_count
