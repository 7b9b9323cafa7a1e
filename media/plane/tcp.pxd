"""TCP's way in: who is let in and for how long, and reading.

A stranger may connect, for a few seconds, to send STUN: a connection lives as long as a transport holds it for an
address of its own, which takes a check with the right password.
"""

from libc.errno cimport EAGAIN, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, errno
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from media.plane.address cimport address_t, table_find
from media.plane.connections cimport (
    CONNECTIONS_MOST, EPOLLIN, EPOLLOUT, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, SLOT_BITS, TCP_ACCEPTED,
    TCP_ENDED_AT_STOP, TCP_ENDED_BROKEN, TCP_ENDED_BY_PEER, TCP_ENDED_DISPLACED, TCP_ENDED_NOT_STUN,
    TCP_ENDED_SILENT, TCP_ENDED_STRANGER, TCP_PASSED_ON, TCP_REFUSED_DESCRIPTORS, TCP_REFUSED_FULL,
    TCP_REFUSED_SOURCE, buffers_t, close_fd, connection_t, connections_of, connections_t, end_connection,
    release_connection, send_frames, watch, write_rest,
)
from media.plane.demux cimport core_receive
from media.plane.drops cimport DROP_TOO_LONG
from media.plane.exchange cimport GIVEN_CONNECTION, give, named_place, room_for_strangers
from media.plane.framing cimport (
    FRAME_HEAD, FRAME_MOST, FRAME_TOO_LONG, FRAME_WANTS_MORE, next_frame, write_frame_head,
)
from media.plane.objects cimport TCP_SOCKET, core_t
from media.plane.queue cimport queue_front, queue_pop
from media.plane.sockets cimport MSG_DONTWAIT, name_t, read_name

cdef extern from *:
    """
    #include <sys/epoll.h>
    #include <sys/socket.h>
    static int huitang_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }
    static int huitang_accept(int fd, huitang_name_t *name) {
        socklen_t room = sizeof *name;
        return accept4(fd, (struct sockaddr *)name, &room, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    """
    ctypedef union epoll_data_t:
        uint64_t u64
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int make_epoll "huitang_epoll"()
    int epoll_wait(int epoll, epoll_event *events, int most, int timeout) nogil
    int accept_name "huitang_accept"(int fd, name_t *name) nogil
    ssize_t recv(int fd, void *buffer, size_t size, int flags) nogil

cdef enum:
    STRANGERS_MOST = 512
    STRANGERS_OF_SOURCE = 64  # a reading room of twenty computers with two transports behind one address
    STRANGER_US = 5_000_000  # a browser's checks come within half a second, and again several times
    SILENT_US = 40_000_000  # consent has expired ten seconds before (RFC 7675)
    SWEEP_US = 1_000_000
    ACCEPT_MOST = 16  # in one round, lest a flood of connections delay the packets of those who are here
    READY_MOST = 32
    READ_ROOM = 16384

cdef extern from *:
    """
    #define HUITANG_LISTENER (1ull << 32)  /* in what epoll tells: a listener, not a connection */
    """
    uint64_t LISTENER "HUITANG_LISTENER"


cdef inline bint same_source(const address_t *a, const address_t *b) noexcept nogil:
    """One IPv4 address, or one /64, which is what an IPv6 line gets."""
    return a.ipv6 == b.ipv6 and memcmp(a.ip, b.ip, 8 if a.ipv6 else 16) == 0


cdef inline void note_known(core_t *core, connection_t *connection) noexcept nogil:
    """Whether the connection is a transport's may change between any two looks."""
    cdef bint known = table_find(&core.addresses, &connection.address) != NULL
    if known == connection.known:
        return
    connection.known = known
    connection.since_us = core.now
    connections_of(core).strangers += -1 if known else 1


cdef inline int free_slot(core_t *core, const address_t *address, int *refusal) noexcept nogil:
    """Where a newcomer goes: a free slot, or that of the oldest stranger; -1 with why not."""
    cdef connections_t *connections = connections_of(core)
    cdef connection_t *connection
    cdef int free_ = -1
    cdef int oldest = -1
    cdef int same = 0
    cdef int i
    for i in range(connections.used):
        connection = &connections.items[i]
        if not connection.open:
            free_ = i
            continue
        note_known(core, connection)
        if not connection.known:
            same += same_source(&connection.address, address)
            if oldest < 0 or connection.since_us < connections.items[oldest].since_us:
                oldest = i
    if same >= STRANGERS_OF_SOURCE:
        refusal[0] = TCP_REFUSED_SOURCE
        return -1
    if connections.strangers < STRANGERS_MOST:
        if free_ >= 0:
            return free_
        if connections.used < CONNECTIONS_MOST:
            connections.used += 1
            return connections.used - 1
    if oldest < 0:
        refusal[0] = TCP_REFUSED_FULL
        return -1
    end_connection(core, &connections.items[oldest], TCP_ENDED_DISPLACED)
    return oldest


cdef inline connection_t *admit_connection(core_t *core, int fd, address_t *address) noexcept nogil:
    """Take a stranger's connection in, completing its address; NULL, and it is closed, where there is no room."""
    cdef connections_t *connections = connections_of(core)
    cdef connection_t *connection
    cdef int refusal = TCP_REFUSED_FULL
    cdef int slot = free_slot(core, address, &refusal)
    cdef buffers_t *buffers = <buffers_t *>malloc(sizeof(buffers_t)) if slot >= 0 else NULL
    if buffers == NULL:
        close_fd(fd)
        connections.counts[refusal] += 1
        return NULL
    memset(buffers, 0, sizeof(buffers_t))
    connections.generation += 1
    address.socket = TCP_SOCKET
    address.scope = connections.generation << SLOT_BITS | <uint32_t>slot
    connection = &connections.items[slot]
    connection.address = address[0]
    connection.open = True
    connection.fd = fd
    connection.since_us = core.now
    connection.heard_us = core.now
    connection.buffers = buffers
    connections.count += 1
    connections.strangers += 1
    if watch(connections.epoll, EPOLL_CTL_ADD, fd, EPOLLIN, address.scope) != 0:
        end_connection(core, connection, TCP_ENDED_BROKEN)
        return NULL
    return connection


cdef inline void listen_on(connections_t *connections, int i) noexcept nogil:
    watch(connections.epoll, EPOLL_CTL_ADD, connections.listeners[i], EPOLLIN, LISTENER + i)


cdef inline void rest_listeners(connections_t *connections, bint rest) noexcept nogil:
    """Let newcomers wait in the kernel's queue: without a descriptor to give, epoll would only call again."""
    cdef int i
    connections.resting = rest
    for i in range(connections.listener_count):
        watch(connections.epoll, EPOLL_CTL_MOD, connections.listeners[i], 0 if rest else EPOLLIN, LISTENER + i)


cdef inline void accept_round(core_t *core, int listener) noexcept nogil:
    cdef connections_t *connections = connections_of(core)
    cdef name_t name
    cdef address_t address
    cdef int i, fd
    for i in range(ACCEPT_MOST):
        fd = accept_name(connections.listeners[listener], &name)
        if fd < 0:
            if errno == EMFILE or errno == ENFILE or errno == ENOBUFS or errno == ENOMEM:
                connections.counts[<int>TCP_REFUSED_DESCRIPTORS] += 1
                rest_listeners(connections, True)
            return
        read_name(&name, connections.ipv6[listener], 0, &address)
        if admit_connection(core, fd, &address) != NULL:
            connections.counts[<int>TCP_ACCEPTED] += 1


cdef inline bint pass_connection_on(
    core_t *core, connection_t *connection, const uint8_t *frame, int length, const uint8_t *rest, int rest_length
) noexcept nogil:
    """Give a stranger's connection, with what was read from it, to the plane that its first check names; false where
    that is this one, or none."""
    cdef uint8_t stream[<int>FRAME_HEAD + <int>FRAME_MOST + <int>READ_ROOM]
    cdef int place
    if core.exchange == NULL or connection.known or connection.given:
        return False
    place = named_place(frame, length)
    if not 0 <= place < core.exchange.count or place == core.place:
        return False
    write_frame_head(stream, length)
    memcpy(stream + FRAME_HEAD, frame, length)
    memcpy(stream + FRAME_HEAD + length, rest, rest_length)
    # First out of our epoll: the taker may have the descriptor closed before we come to it.
    watch(connections_of(core).epoll, EPOLL_CTL_DEL, connection.fd, 0, 0)
    if room_for_strangers(core, place) and give(
        core, place, GIVEN_CONNECTION, &connection.address, stream, FRAME_HEAD + length + rest_length, connection.fd
    ):
        release_connection(core, connection, TCP_PASSED_ON)
    else:
        end_connection(core, connection, TCP_REFUSED_FULL)
    return True


cdef inline void take_frames(
    core_t *core, connection_t *connection, buffers_t *buffers, const uint8_t *data, int length
) noexcept nogil:
    """Work on the frames that become whole with these bytes, until the connection ends."""
    cdef address_t address = connection.address
    cdef int at = 0
    cdef int frame
    while connection.open:
        frame = next_frame(&buffers.reader, data, length, &at)
        if frame == FRAME_WANTS_MORE:
            return
        if not connection.known and (frame <= 0 or buffers.reader.bytes[0] > 3):
            end_connection(core, connection, TCP_ENDED_NOT_STUN)
        elif frame == FRAME_TOO_LONG:
            core.drops[<int>DROP_TOO_LONG] += 1
        elif not pass_connection_on(core, connection, buffers.reader.bytes, frame, data + at, length - at):
            core_receive(core, buffers.reader.bytes, frame, &address)


cdef inline void feed_connection(
    core_t *core, connection_t *connection, const uint8_t *data, int length
) noexcept nogil:
    """Take in bytes of the connection."""
    cdef buffers_t *buffers = connection.buffers
    note_known(core, connection)
    connection.heard_us = core.now
    connections_of(core).reading = buffers
    take_frames(core, connection, buffers, data, length)
    connections_of(core).reading = NULL
    if not connection.open:
        free(buffers)


cdef inline void read_connection(core_t *core, connection_t *connection) noexcept nogil:
    """Take in what the connection holds, up to READ_ROOM."""
    cdef uint8_t data[<int>READ_ROOM]
    cdef ssize_t length = recv(connection.fd, data, READ_ROOM, MSG_DONTWAIT)
    if length <= 0:
        if length == 0:
            end_connection(core, connection, TCP_ENDED_BY_PEER)
        elif errno != EAGAIN and errno != EINTR:
            end_connection(core, connection, TCP_ENDED_BROKEN)
        return
    feed_connection(core, connection, data, <int>length)


cdef inline void connections_round(core_t *core) noexcept nogil:
    """Let in, read and write what epoll knows of, without waiting."""
    cdef connections_t *connections = connections_of(core)
    cdef epoll_event ready[<int>READY_MOST]
    cdef connection_t *connection
    cdef uint64_t id
    cdef int i, count
    count = epoll_wait(connections.epoll, ready, READY_MOST, 0)
    for i in range(count):
        id = ready[i].data.u64
        if id >= LISTENER:
            accept_round(core, <int>(id - LISTENER))
            continue
        connection = &connections.items[id & (CONNECTIONS_MOST - 1)]
        if not connection.open or connection.address.scope != id:  # ended in this very round
            continue
        if ready[i].events & EPOLLOUT and not write_rest(core, connection):
            continue
        if ready[i].events & ~<uint32_t>EPOLLOUT:
            read_connection(core, connection)


cdef inline void sweep_connections(core_t *core) noexcept nogil:
    """Once a second: end the strangers who have had their time, and who has fallen silent."""
    cdef connections_t *connections = connections_of(core)
    cdef connection_t *connection
    cdef int i
    if core.now < connections.sweep_at:
        return
    connections.sweep_at = core.now + SWEEP_US
    if connections.resting:
        rest_listeners(connections, False)
    for i in range(connections.used):
        connection = &connections.items[i]
        if not connection.open:
            continue
        note_known(core, connection)
        if not connection.known and core.now - connection.since_us >= STRANGER_US:
            end_connection(core, connection, TCP_ENDED_STRANGER)
        elif core.now - connection.heard_us >= SILENT_US:
            end_connection(core, connection, TCP_ENDED_SILENT)


cdef inline void send_letters(core_t *core) noexcept nogil:
    """Send what Python has written to connections."""
    cdef uint32_t length = 0
    cdef address_t to
    cdef const uint8_t *record = queue_front(&core.letters, &length)
    cdef int size
    while record != NULL:
        memcpy(&to, record, sizeof(address_t))
        size = <int>(length - sizeof(address_t))
        send_frames(core, &to, record + sizeof(address_t), size, size, 1)
        queue_pop(&core.letters)
        record = queue_front(&core.letters, &length)


cdef inline void end_connections(core_t *core) noexcept nogil:
    """Close everything; the listeners are the caller's."""
    cdef connections_t *connections = connections_of(core)
    cdef int i
    for i in range(connections.used):
        if connections.items[i].open:
            end_connection(core, &connections.items[i], TCP_ENDED_AT_STOP)
