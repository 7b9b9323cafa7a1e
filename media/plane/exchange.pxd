"""What planes of one port give each other: clients' datagrams and connections that came to the wrong one.

The kernel spreads clients over the planes' sockets by a hash of their addresses; it knows nothing of rooms. A STUN message
goes to the plane whose letter its user name begins with, anything else to the plane that has told the others of its
source. What planes tell is only a hint: the one who is given what is not his says so, and the next packet goes right.

A plane alone has no exchange and pays nothing for it.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t, uintptr_t

from media.plane.address cimport address_t, table_find, table_put, table_remove, table_t
from media.plane.bits cimport get16
from media.plane.drops cimport DROP_EXCHANGE_FULL
from media.plane.objects cimport PLANES_MOST, TCP_SOCKET, core_t, exchange_t
from media.plane.queue cimport huitang_acquire, queue_push, queue_t

cdef extern from *:
    """
    #include <unistd.h>
    #include <string.h>
    /* The characters of ICE, RFC 8839 section 5.4: each begins the user names of one plane. */
    static const char HUITANG_LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    static int huitang_place(uint8_t letter) {
        const char *found = letter ? strchr(HUITANG_LETTERS, letter) : NULL;
        return found ? (int)(found - HUITANG_LETTERS) : -1;
    }
    """
    const char *HUITANG_LETTERS
    int place_of_letter "huitang_place"(uint8_t letter) nogil
    ssize_t write_fd "write"(int fd, const void *buffer, size_t size) nogil

cdef enum:
    EXCHANGE_BYTES = 1 << 19  # more than three full rounds of one socket
    STUN_HEAD = 20
    STUN_USERNAME = 6

cdef enum given_kind_t:
    GIVEN_DATAGRAM  # of a source that the giver knows to be the taker's
    GIVEN_STUN  # of any source: the user name says whose it is
    GIVEN_CONNECTION  # a stranger's, with the bytes that were read from it
    IS_MINE  # an address: its datagrams are the giver's
    NOT_MINE

ctypedef struct given_t:
    int32_t kind
    int32_t fd  # of a connection
    address_t address


cdef inline int named_place(const uint8_t *data, int length) noexcept nogil:
    """Whose letter the user name of a STUN message begins with; -1 where there is none."""
    cdef int at = STUN_HEAD
    cdef int size
    while at + 4 < length:
        size = get16(data + at + 2)
        if get16(data + at) == STUN_USERNAME:
            return place_of_letter(data[at + 4]) if size else -1
        at += 4 + ((size + 3) & ~3)
    return -1


cdef inline queue_t *queue_between(exchange_t *exchange, int giver, int taker) noexcept nogil:
    return &exchange.queues[giver * exchange.count + taker]


cdef inline bint give(
    core_t *core, int place, int kind, const address_t *address, const uint8_t *data, int length, int fd
) noexcept nogil:
    """Pass something on to another plane, which `wake_takers` will wake; false when its queue is full."""
    cdef given_t head
    head.kind = kind
    head.fd = fd
    head.address = address[0]
    if not queue_push(queue_between(core.exchange, core.place, place), &head, sizeof(given_t), data, <uint32_t>length):
        return False
    core.takers |= <uint64_t>1 << place
    return True


cdef inline bint room_for_strangers(core_t *core, int place) noexcept nogil:
    """What anybody can send fills no more than a quarter of what one plane gives another."""
    cdef queue_t *queue = queue_between(core.exchange, core.place, place)
    return queue.tail - huitang_acquire(&queue.head) < queue.capacity // 4


cdef inline bint pass_on(core_t *core, uint8_t *data, int length, const address_t *address) noexcept nogil:
    """Give a datagram to the plane whose it is; false when it is ours, or nobody knows whose."""
    cdef int place = -1
    cdef bint stun = data[0] < 4
    if address.socket == TCP_SOCKET:
        return False  # it was read by its owner
    if stun:
        place = named_place(data, length)
    if not 0 <= place < core.exchange.count:
        if table_find(&core.addresses, address) != NULL:
            return False
        stun = False
        place = <int><uintptr_t>table_find(core.elsewhere, address) - 1
    if place < 0 or place == core.place:
        return False
    core.passed_on += 1
    if (stun and not room_for_strangers(core, place)) or not give(
        core, place, GIVEN_STUN if stun else GIVEN_DATAGRAM, address, data, length, -1
    ):
        core.drops[<int>DROP_EXCHANGE_FULL] += 1
    return True


cdef inline void tell_planes(core_t *core, int kind, const address_t *address) noexcept nogil:
    """Tell all other planes whose an address is. Who does not hear it asks by its next packet."""
    cdef int place
    if core.exchange == NULL or address.socket == TCP_SOCKET:
        return
    for place in range(core.exchange.count):
        if place != core.place:
            give(core, place, kind, address, NULL, 0, -1)


cdef inline void note_elsewhere(core_t *core, int place, bint is_theirs, const address_t *address) noexcept nogil:
    cdef void *owner = <void *><uintptr_t>(place + 1)
    if is_theirs:
        table_put(core.elsewhere, address, owner)
    elif table_find(core.elsewhere, address) == owner:
        table_remove(core.elsewhere, address)


cdef inline void wake_takers(core_t *core) noexcept nogil:
    """Wake the planes that were given something since the last time."""
    cdef uint64_t one = 1
    cdef int place
    if core.takers == 0:
        return
    for place in range(core.exchange.count):
        if core.takers & (one << place) and core.exchange.wake_fds[place] >= 0:
            write_fd(core.exchange.wake_fds[place], &one, 8)
    core.takers = 0
