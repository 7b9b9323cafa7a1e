"""Remote addresses, and the table from address to transport."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

cdef enum:
    TABLE_SLOTS = 32768  # a power of two; at most half of it is filled
    TABLE_MOST = 16384

# IPv4 as ::ffff:a.b.c.d. Compared and shown to Python as its 24 bytes, so no field may be left unset.
ctypedef struct address_t:
    uint8_t ip[16]
    uint32_t scope  # of an IPv6 link; of a TCP connection its id, for no two of them are the same address
    uint16_t port  # network order
    uint8_t ipv6
    uint8_t socket  # which of our sockets heard it, and answers it

ctypedef struct table_entry_t:
    address_t address
    void *owner  # NULL: free

ctypedef struct table_t:
    table_entry_t entries[<int>TABLE_SLOTS]
    uint64_t secret  # strangers choose addresses; they must not choose collisions
    int count


cdef inline bint same_address(const address_t *a, const address_t *b) noexcept nogil:
    return memcmp(a, b, sizeof(address_t)) == 0


cdef inline uint32_t address_slot(const table_t *table, const address_t *address) noexcept nogil:
    cdef uint64_t words[3]
    cdef uint64_t hash = table.secret
    cdef int i
    memcpy(words, address, 24)
    for i in range(3):
        hash ^= words[i]
        hash *= <uint64_t>0x9E3779B97F4A7C15
        hash ^= hash >> 29
    return <uint32_t>(hash >> 32) & (TABLE_SLOTS - 1)


cdef inline void *table_find(const table_t *table, const address_t *address) noexcept nogil:
    cdef uint32_t slot = address_slot(table, address)
    while table.entries[slot].owner != NULL:
        if same_address(&table.entries[slot].address, address):
            return table.entries[slot].owner
        slot = (slot + 1) & (TABLE_SLOTS - 1)
    return NULL


cdef inline bint table_put(table_t *table, const address_t *address, void *owner) noexcept nogil:
    """Set or replace the owner; false when the table is full."""
    cdef uint32_t slot = address_slot(table, address)
    while table.entries[slot].owner != NULL:
        if same_address(&table.entries[slot].address, address):
            table.entries[slot].owner = owner
            return True
        slot = (slot + 1) & (TABLE_SLOTS - 1)
    if table.count >= TABLE_MOST:
        return False
    table.entries[slot].address = address[0]
    table.entries[slot].owner = owner
    table.count += 1
    return True


cdef inline void table_remove(table_t *table, const address_t *address) noexcept nogil:
    """Forget an address, moving later entries of its run up so that no search ends early."""
    cdef uint32_t hole = address_slot(table, address)
    cdef uint32_t slot, home
    while table.entries[hole].owner != NULL and not same_address(&table.entries[hole].address, address):
        hole = (hole + 1) & (TABLE_SLOTS - 1)
    if table.entries[hole].owner == NULL:
        return
    slot = hole
    while True:
        slot = (slot + 1) & (TABLE_SLOTS - 1)
        if table.entries[slot].owner == NULL:
            break
        home = address_slot(table, &table.entries[slot].address)
        if ((slot - home) & (TABLE_SLOTS - 1)) >= ((slot - hole) & (TABLE_SLOTS - 1)):
            table.entries[hole] = table.entries[slot]
            hole = slot
    memset(&table.entries[hole], 0, sizeof(table_entry_t))
    table.count -= 1
