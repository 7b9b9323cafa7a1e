"""The kernel's side: recvmmsg in, sendmmsg with generic segmentation out."""

from libc.errno cimport EAGAIN, EINTR, EINVAL, EIO, ENOBUFS, ENOMEM, errno
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from media.plane.address cimport address_t
from media.plane.batch cimport BATCH_MESSAGES, SEGMENTS_MOST, batch_clear, batch_t, message_t
from media.plane.drops cimport DROP_SEND_NO_BUFFERS, DROP_SEND_REFUSED, DROP_SEND_WOULD_BLOCK
from media.plane.objects cimport SOCKETS_MOST, core_t

cdef extern from *:
    """
    #include <sys/socket.h>
    #include <netinet/in.h>
    #include <poll.h>
    #include <errno.h>
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
    #ifndef SOL_UDP
    #define SOL_UDP 17
    #endif
    typedef union { struct sockaddr_in v4; struct sockaddr_in6 v6; } huitang_name_t;
    static ssize_t huitang_send_to(int fd, const void *data, size_t size, const huitang_name_t *to, socklen_t room) {
        return sendto(fd, data, size, MSG_DONTWAIT, (const struct sockaddr *)to, room);
    }
    typedef struct { struct cmsghdr head; uint16_t segment; char rest[6]; } huitang_control_t;
    """
    enum:
        AF_INET, AF_INET6, MSG_DONTWAIT, POLLIN, POLLOUT, SOL_UDP, UDP_SEGMENT
        EOPNOTSUPP, ENOPROTOOPT, EMSGSIZE
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        void *msg_name
        uint32_t msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct in_addr:
        pass
    struct sockaddr_in:
        uint16_t sin_family
        uint16_t sin_port
        in_addr sin_addr
    struct sockaddr_in6:
        uint16_t sin6_family
        uint16_t sin6_port
        uint32_t sin6_scope_id
        in_addr sin6_addr
    ctypedef union name_t "huitang_name_t":
        sockaddr_in v4
        sockaddr_in6 v6
    struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    ctypedef struct control_head_t "huitang_control_t":
        cmsghdr head
        uint16_t segment
    struct pollfd:
        int fd
        short events
        short revents
    int CMSG_LEN(int length) nogil
    ssize_t send_to "huitang_send_to"(int fd, const void *data, size_t length, const name_t *to, uint32_t room) nogil
    int sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags) nogil
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, void *timeout) nogil
    int poll(pollfd *fds, unsigned long count, int timeout) nogil

cdef enum:
    RECEIVE_MOST = 64
    RECEIVE_ROOM = 2048
    GSO_REFUSALS = 8  # of messages in a row, for reasons that might be the message's own

ctypedef struct sockets_t:
    int fds[<int>SOCKETS_MOST]
    bint ipv6[<int>SOCKETS_MOST]
    int count
    int refusals
    int received  # datagrams, the last time
    mmsghdr incoming[<int>RECEIVE_MOST]
    iovec incoming_parts[<int>RECEIVE_MOST]
    name_t incoming_names[<int>RECEIVE_MOST]
    uint8_t incoming_bytes[<int>RECEIVE_MOST][<int>RECEIVE_ROOM]
    mmsghdr outgoing[<int>BATCH_MESSAGES]
    iovec outgoing_parts[<int>BATCH_MESSAGES]
    name_t outgoing_names[<int>BATCH_MESSAGES]
    control_head_t outgoing_controls[<int>BATCH_MESSAGES]


cdef inline void read_name(const name_t *name, bint ipv6, int socket, address_t *address) noexcept nogil:
    memset(address, 0, sizeof(address_t))
    address.ipv6 = ipv6
    address.socket = <uint8_t>socket
    if ipv6:
        memcpy(address.ip, &name.v6.sin6_addr, 16)
        address.port = name.v6.sin6_port
        address.scope = name.v6.sin6_scope_id
    else:
        address.ip[10] = 0xFF
        address.ip[11] = 0xFF
        memcpy(address.ip + 12, &name.v4.sin_addr, 4)
        address.port = name.v4.sin_port


cdef inline uint32_t write_name(const address_t *address, name_t *name) noexcept nogil:
    """Fill a socket address; answers its length."""
    memset(name, 0, sizeof(name_t))
    if address.ipv6:
        name.v6.sin6_family = AF_INET6
        name.v6.sin6_port = address.port
        name.v6.sin6_scope_id = address.scope
        memcpy(&name.v6.sin6_addr, address.ip, 16)
        return sizeof(sockaddr_in6)
    name.v4.sin_family = AF_INET
    name.v4.sin_port = address.port
    memcpy(&name.v4.sin_addr, address.ip + 12, 4)
    return sizeof(sockaddr_in)


cdef inline void prepare_receiving(sockets_t *sockets) noexcept nogil:
    """Lay out the kernel messages that datagrams come in: once, for they take ten kilobytes of cache."""
    cdef int i
    for i in range(RECEIVE_MOST):
        sockets.incoming_parts[i].iov_base = sockets.incoming_bytes[i]
        sockets.incoming_parts[i].iov_len = RECEIVE_ROOM
        sockets.incoming[i].msg_hdr.msg_iov = &sockets.incoming_parts[i]
        sockets.incoming[i].msg_hdr.msg_iovlen = 1
        sockets.incoming[i].msg_hdr.msg_name = &sockets.incoming_names[i]
        sockets.incoming[i].msg_hdr.msg_namelen = sizeof(name_t)


cdef inline int receive_batch(sockets_t *sockets, int socket) noexcept nogil:
    """Read what the socket holds, at most RECEIVE_MOST datagrams; their number, 0 for none."""
    cdef int i, count
    for i in range(sockets.received):  # the kernel has written over the room for an address
        sockets.incoming[i].msg_hdr.msg_namelen = sizeof(name_t)
    count = recvmmsg(sockets.fds[socket], sockets.incoming, RECEIVE_MOST, MSG_DONTWAIT, NULL)
    sockets.received = count if count > 0 else 0
    return sockets.received


cdef inline void prepare(
    sockets_t *sockets, int i, const message_t *message, uint8_t *bytes, int length, int segment
) noexcept nogil:
    """Lay out kernel message `i`; `segment` 0 for a single datagram."""
    cdef msghdr *head = &sockets.outgoing[i].msg_hdr
    cdef control_head_t *control = &sockets.outgoing_controls[i]
    sockets.outgoing_parts[i].iov_base = bytes
    sockets.outgoing_parts[i].iov_len = length
    head.msg_name = &sockets.outgoing_names[i]
    head.msg_namelen = write_name(message.to, &sockets.outgoing_names[i])
    head.msg_iov = &sockets.outgoing_parts[i]
    head.msg_iovlen = 1
    head.msg_control = NULL
    head.msg_controllen = 0
    head.msg_flags = 0
    if segment:
        control.head.cmsg_level = SOL_UDP
        control.head.cmsg_type = UDP_SEGMENT
        control.head.cmsg_len = CMSG_LEN(2)
        control.segment = <uint16_t>segment
        head.msg_control = control
        head.msg_controllen = sizeof(control_head_t)


cdef inline bint wait_writable(int fd) noexcept nogil:
    """Give the socket's buffer one millisecond, once a batch."""
    cdef pollfd waiting
    waiting.fd = fd
    waiting.events = POLLOUT
    waiting.revents = 0
    return poll(&waiting, 1, 1) > 0


cdef inline int count_failure(core_t *core, int error, int datagrams) noexcept nogil:
    if error == EAGAIN:
        core.drops[<int>DROP_SEND_WOULD_BLOCK] += datagrams
    elif error == ENOBUFS or error == ENOMEM:
        core.drops[<int>DROP_SEND_NO_BUFFERS] += datagrams
    else:
        core.drops[<int>DROP_SEND_REFUSED] += datagrams
    return datagrams


cdef inline void transmit(
    core_t *core, sockets_t *sockets, int fd, int first, int count, bint *waited
) noexcept nogil:
    """sendmmsg of prepared messages without segmentation, to the end or until each has failed."""
    cdef int done, error, i
    while count:
        done = sendmmsg(fd, &sockets.outgoing[first], count, MSG_DONTWAIT)
        core.send_calls += 1
        if done > 0:
            core.packets_sent += done
            for i in range(first, first + done):
                core.bytes_sent += sockets.outgoing_parts[i].iov_len
            first += done
            count -= done
            continue
        error = errno
        if error == EINTR:
            continue
        if error == EAGAIN and not waited[0]:
            waited[0] = True
            if wait_writable(fd):
                continue
        count_failure(core, error, 1)
        first += 1
        count -= 1


cdef inline void transmit_singly(
    core_t *core, sockets_t *sockets, int fd, const batch_t *batch, const message_t *message, bint *waited
) noexcept nogil:
    """The datagrams of one segmented message that the kernel refused, each as a message of its own."""
    cdef int i
    cdef int at = 0
    cdef int length
    for i in range(message.count):
        length = message.segment if at + message.segment < message.length else message.length - at
        prepare(sockets, i, message, <uint8_t *>batch.block + message.at + at, length, 0)
        at += length
    transmit(core, sockets, fd, 0, message.count, waited)


cdef inline void deliver_to_kernel(core_t *core, int socket) noexcept nogil:
    """Send a socket's batch. A refused message is counted and passed over; the rest goes on."""
    cdef sockets_t *sockets = <sockets_t *>core.outlet
    cdef batch_t *batch = core.batches[socket]
    cdef int fd = sockets.fds[socket]
    cdef message_t *message
    cdef bint waited = False
    cdef int first = 0
    cdef int i, done, error
    cdef bint fresh = True
    while first < batch.count:
        if fresh:  # the outgoing table may have been used for single datagrams in between
            for i in range(first, batch.count):
                message = &batch.messages[i]
                prepare(
                    sockets, i, message, batch.block + message.at, message.length,
                    message.segment if message.count > 1 else 0,
                )
            fresh = False
        done = sendmmsg(fd, &sockets.outgoing[first], batch.count - first, MSG_DONTWAIT)
        core.send_calls += 1
        if done > 0:
            for i in range(first, first + done):
                core.packets_sent += batch.messages[i].count
                core.bytes_sent += batch.messages[i].length
                if batch.messages[i].count > 1:
                    core.gso_messages += 1
                    sockets.refusals = 0
            first += done
            continue
        error = errno
        message = &batch.messages[first]
        if error == EINTR:
            continue
        if error == EAGAIN and not waited:
            waited = True
            if wait_writable(fd):
                continue
        if message.count > 1 and (
            error == EIO or error == EINVAL or error == EMSGSIZE or error == EOPNOTSUPP or error == ENOPROTOOPT
        ):
            sockets.refusals += 1
            if (error != EINVAL and error != EMSGSIZE) or sockets.refusals >= GSO_REFUSALS:
                batch.gso = False  # this kernel or device does not segment: sendmmsg from now on
            transmit_singly(core, sockets, fd, batch, message, &waited)
            fresh = True
        else:
            count_failure(core, error, message.count)
        first += 1
    batch_clear(batch)
