"""Which addresses are a transport's."""

from media.plane.address cimport address_t, same_address, table_find, table_put, table_remove
from media.plane.objects cimport ADDRESSES_MOST, core_t, transport_t


cdef inline void forget_address(core_t *core, transport_t *transport, int index) noexcept nogil:
    cdef int i
    if table_find(&core.addresses, &transport.addresses[index]) == <void *>transport:
        table_remove(&core.addresses, &transport.addresses[index])
    for i in range(index, transport.address_count - 1):
        transport.addresses[i] = transport.addresses[i + 1]
    transport.address_count -= 1


cdef inline void learn_address(core_t *core, transport_t *transport, const address_t *address) noexcept nogil:
    cdef int i
    cdef int oldest = 0
    for i in range(transport.address_count):
        if same_address(&transport.addresses[i], address):
            table_put(&core.addresses, address, transport)
            return
    if transport.address_count == ADDRESSES_MOST:
        if transport.has_remote and same_address(&transport.addresses[0], &transport.remote):
            oldest = 1
        forget_address(core, transport, oldest)
    if table_put(&core.addresses, address, transport):
        transport.addresses[transport.address_count] = address[0]
        transport.address_count += 1


cdef inline void lose_address(core_t *core, const address_t *address) noexcept nogil:
    """Nothing will ever come from the address again."""
    cdef transport_t *transport = <transport_t *>table_find(&core.addresses, address)
    cdef int i
    if transport == NULL:
        return
    for i in range(transport.address_count):
        if same_address(&transport.addresses[i], address):
            forget_address(core, transport, i)
            return
