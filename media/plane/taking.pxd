"""What other planes gave: see exchange."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from media.plane.address cimport address_t, table_find
from media.plane.connections cimport close_fd, connection_t
from media.plane.demux cimport core_take
from media.plane.exchange cimport (
    GIVEN_CONNECTION, GIVEN_DATAGRAM, GIVEN_STUN, IS_MINE, NOT_MINE, give, given_t, note_elsewhere, queue_between,
)
from media.plane.objects cimport core_t
from media.plane.queue cimport queue_front, queue_length, queue_pop, queue_t
from media.plane.remotes cimport lose_address
from media.plane.tcp cimport admit_connection, feed_connection


cdef inline void take_datagram(core_t *core, int giver, given_t *head, uint8_t *data, int length) noexcept nogil:
    """Ours, as the giver believes; where he was wrong, or did not know, he is told."""
    cdef bint ours = table_find(&core.addresses, &head.address) != NULL
    if head.kind == GIVEN_STUN and ours:
        give(core, giver, IS_MINE, &head.address, NULL, 0, -1)
    elif head.kind == GIVEN_DATAGRAM and not ours:
        give(core, giver, NOT_MINE, &head.address, NULL, 0, -1)
    core_take(core, data, length, &head.address)


cdef inline void take_connection(core_t *core, given_t *head, const uint8_t *data, int length) noexcept nogil:
    cdef connection_t *connection
    if core.connections == NULL:
        close_fd(head.fd)
        return
    connection = admit_connection(core, head.fd, &head.address)
    if connection != NULL:
        connection.given = True
        feed_connection(core, connection, data, length)


cdef inline void take(core_t *core, int giver, uint8_t *record, uint32_t length) noexcept nogil:
    cdef given_t head
    cdef uint8_t *data = record + sizeof(given_t)
    cdef int size = <int>(length - sizeof(given_t))
    memcpy(&head, record, sizeof(given_t))
    if head.kind == GIVEN_CONNECTION:
        take_connection(core, &head, data, size)
    elif head.kind == IS_MINE:
        lose_address(core, &head.address)
        note_elsewhere(core, giver, True, &head.address)
    elif head.kind == NOT_MINE:
        note_elsewhere(core, giver, False, &head.address)
    else:
        take_datagram(core, giver, &head, data, size)


cdef inline void take_round(core_t *core) noexcept nogil:
    """Work on what the other planes have given by now; for what they give meanwhile they will wake us again."""
    cdef int giver
    cdef uint64_t count
    cdef uint32_t length = 0
    cdef uint8_t *record
    cdef queue_t *queue
    for giver in range(core.exchange.count):
        if giver == core.place:
            continue
        queue = queue_between(core.exchange, giver, core.place)
        count = queue_length(queue)
        while count:
            record = <uint8_t *>queue_front(queue, &length)
            if record == NULL:
                break
            take(core, giver, record, length)
            queue_pop(queue)
            count -= 1
