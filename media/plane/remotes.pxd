"""Which addresses are a transport's.

Which to believe and which to give up is Python's to say; only an address's new owner, or its end, takes it from a
transport unasked. The next check from there gives it back.
"""

from media.plane.address cimport address_t, same_address, table_find, table_put, table_remove
from media.plane.exchange cimport IS_MINE, NOT_MINE, tell_planes
from media.plane.objects cimport ADDRESSES_MOST, core_t, transport_t


cdef inline void drop_address(core_t *core, transport_t *transport, int index) noexcept nogil:
    cdef int i
    if table_find(&core.addresses, &transport.addresses[index]) == <void *>transport:
        table_remove(&core.addresses, &transport.addresses[index])
        tell_planes(core, NOT_MINE, &transport.addresses[index])
    for i in range(index, transport.address_count - 1):
        transport.addresses[i] = transport.addresses[i + 1]
    transport.address_count -= 1


cdef inline void learn_address(core_t *core, transport_t *transport, const address_t *address) noexcept nogil:
    cdef int i
    for i in range(transport.address_count):
        if same_address(&transport.addresses[i], address):
            table_put(&core.addresses, address, transport)
            tell_planes(core, IS_MINE, address)
            return
    # Control counts them as well, and refuses one too many.
    if transport.address_count < ADDRESSES_MOST and table_put(&core.addresses, address, transport):
        transport.addresses[transport.address_count] = address[0]
        transport.address_count += 1
        tell_planes(core, IS_MINE, address)


cdef inline void forget_address(core_t *core, transport_t *transport, const address_t *address) noexcept nogil:
    cdef int i
    for i in range(transport.address_count):
        if same_address(&transport.addresses[i], address):
            drop_address(core, transport, i)
            return


cdef inline void lose_address(core_t *core, const address_t *address) noexcept nogil:
    """Nothing will ever come from the address again."""
    cdef transport_t *transport = <transport_t *>table_find(&core.addresses, address)
    if transport != NULL:
        forget_address(core, transport, address)
