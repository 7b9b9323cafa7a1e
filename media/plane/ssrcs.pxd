"""Who has which SSRC, found in one step however many there are: a client names as many in its RTCP as it likes."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

cdef enum:
    SSRCS_FIRST = 4

ctypedef struct ssrc_entry_t:
    uint32_t ssrc
    void *owner  # NULL: free

# Zeroed: empty, and takes no memory.
ctypedef struct ssrcs_t:
    ssrc_entry_t *entries  # each at its own place or behind it, with none free between
    uint32_t room  # a power of two, at most half of it filled; or 0
    uint32_t count


cdef inline uint32_t ssrc_place(const ssrcs_t *ssrcs, uint32_t ssrc) noexcept nogil:
    """SSRCs are random numbers where we choose them, but not in all that clients send (Fibonacci hashing)."""
    return <uint32_t>(ssrc * <uint32_t>2_654_435_769U >> 16) & (ssrcs.room - 1)


cdef inline void *ssrcs_find(const ssrcs_t *ssrcs, uint32_t ssrc) noexcept nogil:
    cdef uint32_t place
    if ssrcs.room == 0:
        return NULL
    place = ssrc_place(ssrcs, ssrc)
    while ssrcs.entries[place].owner != NULL and ssrcs.entries[place].ssrc != ssrc:
        place = (place + 1) & (ssrcs.room - 1)
    return ssrcs.entries[place].owner


cdef inline void ssrcs_fill(ssrcs_t *ssrcs, uint32_t ssrc, void *owner) noexcept nogil:
    """Where there is room."""
    cdef uint32_t place = ssrc_place(ssrcs, ssrc)
    while ssrcs.entries[place].owner != NULL:
        place = (place + 1) & (ssrcs.room - 1)
    ssrcs.entries[place].ssrc = ssrc
    ssrcs.entries[place].owner = owner


cdef inline bint ssrcs_grow(ssrcs_t *ssrcs) noexcept nogil:
    cdef ssrcs_t grown
    cdef uint32_t i
    grown.room = 2 * ssrcs.room if ssrcs.room else SSRCS_FIRST
    grown.count = ssrcs.count
    grown.entries = <ssrc_entry_t *>calloc(grown.room, sizeof(ssrc_entry_t))
    if grown.entries == NULL:
        return False
    for i in range(ssrcs.room):
        if ssrcs.entries[i].owner != NULL:
            ssrcs_fill(&grown, ssrcs.entries[i].ssrc, ssrcs.entries[i].owner)
    free(ssrcs.entries)
    ssrcs[0] = grown
    return True


cdef inline void ssrcs_put(ssrcs_t *ssrcs, uint32_t ssrc, void *owner) noexcept nogil:
    """One that is not there yet. Where there is no memory it is not found, as if nobody had it."""
    if 2 * (ssrcs.count + 1) > ssrcs.room and not ssrcs_grow(ssrcs):
        return
    ssrcs_fill(ssrcs, ssrc, owner)
    ssrcs.count += 1


cdef inline void ssrcs_remove(ssrcs_t *ssrcs, uint32_t ssrc) noexcept nogil:
    """Those behind it move up where they may, so that no search ends early."""
    cdef uint32_t mask = ssrcs.room - 1
    cdef uint32_t hole, place
    if ssrcs_find(ssrcs, ssrc) == NULL:
        return
    hole = ssrc_place(ssrcs, ssrc)
    while ssrcs.entries[hole].ssrc != ssrc:
        hole = (hole + 1) & mask
    place = (hole + 1) & mask
    while ssrcs.entries[place].owner != NULL:
        if ((place - ssrc_place(ssrcs, ssrcs.entries[place].ssrc)) & mask) >= ((place - hole) & mask):
            ssrcs.entries[hole] = ssrcs.entries[place]
            hole = place
        place = (place + 1) & mask
    memset(&ssrcs.entries[hole], 0, sizeof(ssrc_entry_t))
    ssrcs.count -= 1


cdef inline void ssrcs_close(ssrcs_t *ssrcs) noexcept nogil:
    free(ssrcs.entries)
    ssrcs.entries = NULL
    ssrcs.room = 0
    ssrcs.count = 0
