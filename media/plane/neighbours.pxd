"""Who is sent to at the same address, so perhaps over the same line: the twelve of a reading room behind one NAT.

A ring through the transports. Neighbours are only candidates: see coupling.
"""

from libc.string cimport memcmp

from media.plane.address cimport address_t
from media.plane.objects cimport TCP_SOCKET, core_t, transport_t

cdef enum:
    PREFIX_BYTES = 8  # of IPv6: a household, or a reading room, has a /64


cdef inline bint is_ipv4(const address_t *address) noexcept nogil:
    """Also as a socket for both shows it, ::ffff:a.b.c.d."""
    cdef int i
    for i in range(10):
        if address.ip[i]:
            return False
    return address.ip[10] == 0xFF and address.ip[11] == 0xFF


cdef inline bint same_place(const address_t *a, const address_t *b) noexcept nogil:
    return memcmp(a.ip, b.ip, sizeof(a.ip) if is_ipv4(a) else PREFIX_BYTES) == 0


cdef inline bint same_way(const address_t *before, const address_t *after) noexcept nogil:
    """Whether what goes to a client's new address still goes over the line that the old one was reached by. Another port is a
    NAT's doing, and another address of a /64 the client's own (RFC 8981); but TCP delays and drops otherwise than UDP."""
    return same_place(before, after) and (before.socket == TCP_SOCKET) == (after.socket == TCP_SOCKET)


cdef inline void leave_neighbours(transport_t *transport) noexcept nogil:
    cdef transport_t *before = transport.neighbour
    if before == NULL:
        return
    while before.neighbour != transport:
        before = before.neighbour
    before.neighbour = transport.neighbour if before != transport.neighbour else NULL
    transport.neighbour = NULL


cdef inline void join_neighbours(core_t *core, transport_t *transport) noexcept nogil:
    """After the transport's remote address has been set."""
    cdef transport_t *other
    cdef int i
    if transport.neighbour != NULL and same_place(&transport.remote, &transport.neighbour.remote):
        return
    leave_neighbours(transport)
    for i in range(core.transports.count):
        other = <transport_t *>core.transports.items[i]
        if other == transport or not other.has_remote or not same_place(&transport.remote, &other.remote):
            continue
        transport.neighbour = other.neighbour if other.neighbour != NULL else other
        other.neighbour = transport
        return
