"""TCP connections as addresses (RFC 6544): the table of them, and frames (RFC 4571) out.

A connection is one more address for everything else in the plane. Its queue out is the kernel's socket buffer, which is
bounded; a packet that does not fit is dropped whole, and of the one that fits in part the rest is kept here.
"""

from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from media.plane.address cimport address_t, same_address
from media.plane.batch cimport DATAGRAM_ROOM, SEGMENTS_MOST, batch_clear, batch_t, message_t
from media.plane.drops cimport DROP_TCP_CLOSED, DROP_TCP_FULL
from media.plane.framing cimport FRAME_HEAD, frame_reader_t, write_frame_head
from media.plane.objects cimport SOCKETS_MOST, TCP_SOCKET, core_t
from media.plane.remotes cimport lose_address
from media.plane.sockets cimport MSG_DONTWAIT, iovec, msghdr

cdef extern from *:
    """
    #include <linux/sockios.h>
    #include <linux/tcp.h>
    #include <netinet/in.h>
    #include <sys/epoll.h>
    #include <sys/ioctl.h>
    #include <sys/socket.h>
    #include <unistd.h>
    /* Bytes that the other side has not acknowledged; tcp(7). */
    static int huitang_under_way(int fd) {
        int bytes;
        return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
    }
    /* The least that there was lately. */
    static int64_t huitang_round_trip_us(int fd) {
        struct tcp_info info = {0};
        socklen_t size = sizeof info;
        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_min_rtt : 0;
    }
    static int huitang_watch(int epoll, int operation, int fd, uint32_t events, uint64_t id) {
        struct epoll_event event = {.events = events, .data.u64 = id};
        return epoll_ctl(epoll, operation, fd, &event);
    }
    """
    enum:
        MSG_NOSIGNAL, EPOLLIN, EPOLLOUT, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL
    int under_way "huitang_under_way"(int fd) nogil
    int64_t round_trip_us "huitang_round_trip_us"(int fd) nogil
    int watch "huitang_watch"(int epoll, int operation, int fd, uint32_t events, uint64_t id) nogil
    ssize_t sendmsg(int fd, const msghdr *message, int flags) nogil
    int close_fd "close"(int fd) nogil

cdef enum:
    CONNECTIONS_MOST = 4096  # a thousand people with two transports each, twice over while they rejoin
    SLOT_BITS = 12
    STANDS_US = 100_000  # acknowledgements may be held back for 40 ms
    MARKS = 16
    MARK_EVERY_US = 20_000

# What becomes of connections; counters that operators see. The two lists go together.
cdef enum tcp_count_t:
    TCP_ACCEPTED
    TCP_PASSED_ON
    TCP_REFUSED_FULL
    TCP_REFUSED_SOURCE
    TCP_REFUSED_DESCRIPTORS
    TCP_ENDED_BY_PEER
    TCP_ENDED_BROKEN
    TCP_ENDED_DISPLACED
    TCP_ENDED_NOT_STUN
    TCP_ENDED_STRANGER
    TCP_ENDED_SILENT
    TCP_ENDED_AT_STOP
    TCP_COUNTS

cdef extern from *:
    """
    static const char *const HUITANG_TCP_NAMES[] = {
        "accepted", "passed_on", "refused_full", "refused_source", "refused_descriptors", "ended_by_peer",
        "ended_broken", "ended_displaced", "ended_not_stun", "ended_stranger", "ended_silent", "ended_at_stop",
    };
    #define HUITANG_TCP_NAMED (sizeof HUITANG_TCP_NAMES / sizeof HUITANG_TCP_NAMES[0])
    """
    const char *HUITANG_TCP_NAMES[]
    const int HUITANG_TCP_NAMED

ctypedef struct buffers_t:
    frame_reader_t reader
    uint8_t rest[<int>FRAME_HEAD + DATAGRAM_ROOM]

# How many bytes had been written, and when.
ctypedef struct mark_t:
    int64_t bytes
    int64_t us

ctypedef struct connection_t:
    address_t address
    bint open
    int fd
    bint given  # by another plane: it stays here
    bint known  # a transport has this address; until then it is a stranger's
    int64_t since_us  # when it came, or when its transport let it go
    int64_t heard_us
    int rest_at
    int rest_length
    int64_t written  # bytes
    mark_t marks[<int>MARKS]  # of which the other side has not everything, in a ring
    int first_mark
    int mark_count
    int64_t standing  # bytes that were under way when they began to stand; 0 when they move
    buffers_t *buffers

ctypedef struct connections_t:
    int epoll
    int listeners[<int>SOCKETS_MOST]
    bint ipv6[<int>SOCKETS_MOST]
    int listener_count
    bint resting  # out of descriptors: nobody is accepted until the next sweep
    int64_t sweep_at
    uint32_t generation
    int used  # slots that were ever in use
    int count
    int strangers
    buffers_t *reading  # whose frame is being worked on: it outlives its connection till that is done
    uint64_t counts[<int>TCP_COUNTS]
    connection_t items[<int>CONNECTIONS_MOST]


cdef inline connections_t *connections_of(core_t *core) noexcept nogil:
    return <connections_t *>core.connections


cdef inline connection_t *find_connection(connections_t *connections, const address_t *address) noexcept nogil:
    """The living connection that is this address, or NULL."""
    cdef connection_t *connection = &connections.items[address.scope & (CONNECTIONS_MOST - 1)]
    if connection.open and same_address(&connection.address, address):
        return connection
    return NULL


cdef inline void watch_connection(connections_t *connections, connection_t *connection, bint writable) noexcept nogil:
    watch(
        connections.epoll, EPOLL_CTL_MOD, connection.fd, EPOLLIN | (EPOLLOUT if writable else 0),
        connection.address.scope,
    )


cdef inline void release_connection(core_t *core, connection_t *connection, int why) noexcept nogil:
    """Forget a connection; its descriptor is the caller's."""
    cdef connections_t *connections = connections_of(core)
    lose_address(core, &connection.address)
    if connection.buffers != connections.reading:
        free(connection.buffers)
    connections.counts[why] += 1
    connections.count -= 1
    if not connection.known:
        connections.strangers -= 1
    memset(connection, 0, sizeof(connection_t))


cdef inline void end_connection(core_t *core, connection_t *connection, int why) noexcept nogil:
    close_fd(connection.fd)
    release_connection(core, connection, why)


cdef inline int64_t write_parts(core_t *core, connection_t *connection, iovec *parts, int count) noexcept nogil:
    """What the kernel took, in bytes, perhaps nothing; -1 when the connection is no more."""
    cdef msghdr message
    cdef int64_t done
    memset(&message, 0, sizeof(msghdr))
    message.msg_iov = parts
    message.msg_iovlen = count
    while True:
        done = sendmsg(connection.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
        core.send_calls += 1
        if done >= 0:
            connection.written += done
            return done
        if errno == EAGAIN:
            return 0
        if errno != EINTR:
            end_connection(core, connection, TCP_ENDED_BROKEN)
            return -1


cdef inline void forget_marks(connection_t *connection, int64_t there) noexcept nogil:
    """Those up to which everything, so many bytes, is there."""
    while connection.mark_count and connection.marks[connection.first_mark].bytes <= there:
        connection.first_mark = (connection.first_mark + 1) % MARKS
        connection.mark_count -= 1


cdef inline void set_mark(connection_t *connection, int64_t now) noexcept nogil:
    cdef int last = (connection.first_mark + connection.mark_count - 1) % MARKS
    if connection.mark_count == MARKS or (connection.mark_count and now - connection.marks[last].us < MARK_EVERY_US):
        return
    last = (connection.first_mark + connection.mark_count) % MARKS
    connection.marks[last].bytes = connection.written
    connection.marks[last].us = now
    connection.mark_count += 1


cdef inline bint stands_longer(const connection_t *connection, int64_t now, int64_t us) noexcept nogil:
    return connection.mark_count > 0 and now - connection.marks[connection.first_mark].us >= us


cdef inline bint stands(core_t *core, const address_t *address) noexcept nogil:
    """Whether what is written to a connection piles up, as its line bears less than is sent: from when something has been
    under way for STANDS_US longer than a round trip takes, until nearly all of what was then is there.

    A picture should wait in its ring then: here sound would wait behind it, and nothing can be taken back.
    """
    cdef connection_t *connection = find_connection(connections_of(core), address)
    cdef int64_t waiting
    if connection == NULL:
        return False
    waiting = under_way(connection.fd)
    if connection.standing:
        if waiting > connection.standing // 8:
            return True
        connection.standing = 0
        connection.mark_count = 0
    else:
        forget_marks(connection, connection.written - waiting)
        if stands_longer(connection, core.now, STANDS_US) and stands_longer(
            connection, core.now, STANDS_US + round_trip_us(connection.fd)
        ):
            connection.standing = waiting
            return True
    set_mark(connection, core.now)
    return False


cdef inline bint write_rest(core_t *core, connection_t *connection) noexcept nogil:
    """Go on with the frame that was sent in part; false when the connection is no more."""
    cdef iovec part
    cdef int64_t done
    if connection.rest_length == 0:
        return True
    part.iov_base = connection.buffers.rest + connection.rest_at
    part.iov_len = connection.rest_length
    done = write_parts(core, connection, &part, 1)
    if done < 0:
        return False
    connection.rest_at += <int>done
    connection.rest_length -= <int>done
    if connection.rest_length == 0:
        watch_connection(connections_of(core), connection, False)
    return True


cdef inline void keep_rest(
    core_t *core, connection_t *connection, const uint8_t *frame, int length, int sent
) noexcept nogil:
    """Of a frame with head and `length` bytes so many are sent: the others must follow before anything else."""
    cdef uint8_t *rest = connection.buffers.rest
    write_frame_head(rest, length)
    memcpy(rest + FRAME_HEAD, frame, length)
    connection.rest_at = sent
    connection.rest_length = FRAME_HEAD + length - sent
    watch_connection(connections_of(core), connection, True)


cdef inline void send_frames(
    core_t *core, const address_t *to, const uint8_t *bytes, int length, int segment, int count
) noexcept nogil:
    """Send `count` datagrams of `segment` bytes (the last may be shorter) to a connection; no longer than
    DATAGRAM_ROOM each, at most SEGMENTS_MOST."""
    cdef uint8_t heads[<int>SEGMENTS_MOST][<int>FRAME_HEAD]
    cdef iovec parts[2 * <int>SEGMENTS_MOST]
    cdef connection_t *connection = find_connection(connections_of(core), to)
    cdef int64_t sent = 0
    cdef int i, size
    if connection == NULL or not write_rest(core, connection):
        core.drops[<int>DROP_TCP_CLOSED] += count
        return
    if connection.rest_length:
        core.drops[<int>DROP_TCP_FULL] += count
        return
    for i in range(count):
        size = segment if i < count - 1 else length - segment * i
        write_frame_head(heads[i], size)
        parts[2 * i].iov_base = heads[i]
        parts[2 * i].iov_len = FRAME_HEAD
        parts[2 * i + 1].iov_base = <void *>(bytes + segment * i)
        parts[2 * i + 1].iov_len = size
    sent = write_parts(core, connection, parts, 2 * count)
    if sent < 0:
        core.drops[<int>DROP_TCP_CLOSED] += count
        return
    for i in range(count):
        size = <int>parts[2 * i + 1].iov_len
        if sent <= 0:
            core.drops[<int>DROP_TCP_FULL] += 1
            continue
        if sent < FRAME_HEAD + size:
            keep_rest(core, connection, bytes + segment * i, size, <int>sent)
        sent -= FRAME_HEAD + size
        core.packets_sent += 1
        core.bytes_sent += size


cdef inline void deliver_to_connections(core_t *core) noexcept nogil:
    """Send the batch of all connections."""
    cdef batch_t *batch = core.batches[<int>TCP_SOCKET]
    cdef message_t *message
    cdef int i
    for i in range(batch.count):
        message = &batch.messages[i]
        send_frames(core, message.to, batch.block + message.at, message.length, message.segment, message.count)
    batch_clear(batch)
