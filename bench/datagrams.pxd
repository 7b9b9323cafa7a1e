"""Sockets and clocks for the load generator, in plain C: many datagrams a call, segmented sends, times of arrival."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef extern from *:
    """
    #include <errno.h>
    #include <netinet/in.h>
    #include <netinet/udp.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    #include <sys/uio.h>
    #include <time.h>
    #include <unistd.h>
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
    #ifndef UDP_GRO
    #define UDP_GRO 104
    #endif
    typedef int (*srtp_function)(void *session, void *packet, int *length);

    #define BATCH 64
    #define PEEK 16
    #define FULL 8192  /* a frame that was not cut up */

    typedef struct {
        struct mmsghdr messages[BATCH];
        struct iovec vectors[BATCH];
        unsigned char data[BATCH][FULL];
        unsigned char control[BATCH][CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(int))];
    } receive_batch;

    static int batch_receive(receive_batch *batch, int fd, int full) {
        for (int i = 0; i < BATCH; i++) {
            batch->vectors[i].iov_base = batch->data[i];
            batch->vectors[i].iov_len = full ? FULL : PEEK;
            struct msghdr *header = &batch->messages[i].msg_hdr;
            header->msg_name = NULL;
            header->msg_namelen = 0;
            header->msg_iov = &batch->vectors[i];
            header->msg_iovlen = 1;
            header->msg_control = batch->control[i];
            header->msg_controllen = sizeof batch->control[i];
            header->msg_flags = 0;
        }
        return recvmmsg(fd, batch->messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    }

    /* Of what was read; what came may be longer. */
    static int batch_length(receive_batch *batch, int index) {
        unsigned came = batch->messages[index].msg_len, room = batch->vectors[index].iov_len;
        return came < room ? came : room;
    }

    static unsigned char *batch_data(receive_batch *batch, int index) { return batch->data[index]; }

    /* The kernel's time of arrival in ns since the epoch, or 0 where it gave none. */
    static long long batch_arrival(receive_batch *batch, int index) {
        struct msghdr *header = &batch->messages[index].msg_hdr;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
                struct timespec at;
                memcpy(&at, CMSG_DATA(c), sizeof at);
                return at.tv_sec * 1000000000LL + at.tv_nsec;
            }
        return 0;
    }

    /* The size of each datagram of a message but the last, which may be shorter: a segmented send that was not cut up on its
       way is one message. 0 where it is one datagram. */
    static int batch_segment(receive_batch *batch, int index) {
        struct msghdr *header = &batch->messages[index].msg_hdr;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
            if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
                int size;
                memcpy(&size, CMSG_DATA(c), sizeof size);
                return size;
            }
        return 0;
    }

    static unsigned batch_datagrams(receive_batch *batch, int index) {
        int size = batch_segment(batch, index);
        return size > 0 ? (batch->messages[index].msg_len + size - 1) / size : 1;
    }

    static int take_whole(int fd) {
        int on = 1;
        return setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    }

    /* One UDP_SEGMENT send of `length` bytes in segments of `segment`. */
    static ssize_t send_segments(int fd, void *data, size_t length, unsigned short segment,
                                 const struct sockaddr_in *to) {
        char control[CMSG_SPACE(sizeof(unsigned short))] = {0};
        struct iovec vector = {data, length};
        struct msghdr header = {0};
        header.msg_name = (void *)to;
        header.msg_namelen = sizeof *to;
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(c), &segment, sizeof segment);
        return sendmsg(fd, &header, 0);
    }

    static long long clock_ns(int clock) {
        struct timespec now;
        clock_gettime(clock, &now);
        return now.tv_sec * 1000000000LL + now.tv_nsec;
    }

    static void sleep_until(long long at) {
        struct timespec wake = {at / 1000000000LL, at % 1000000000LL};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) == EINTR) {}
    }

    static int watch(int epoll, int fd, unsigned index) {
        struct epoll_event event = {0};
        event.events = EPOLLIN;
        event.data.u32 = index;
        return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }

    /* `ip` is in network order. */
    static void write_address(struct sockaddr_in *address, const char *ip, unsigned short port) {
        memset(address, 0, sizeof *address);
        address->sin_family = AF_INET;
        address->sin_port = htons(port);
        memcpy(&address->sin_addr, ip, sizeof address->sin_addr);
    }
    """
    ctypedef int (*srtp_function)(void *session, void *packet, int *length) noexcept nogil
    ctypedef struct receive_batch:
        pass
    struct sockaddr_in:
        pass
    struct epoll_data:
        uint32_t u32
    struct epoll_event:
        uint32_t events
        epoll_data data
    int CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_THREAD_CPUTIME_ID, BATCH, SOL_SOCKET, MSG_DONTWAIT
    int batch_receive(receive_batch *batch, int fd, int full) noexcept nogil
    int64_t batch_arrival(receive_batch *batch, int index) noexcept nogil
    int batch_length(receive_batch *batch, int index) noexcept nogil
    int batch_segment(receive_batch *batch, int index) noexcept nogil
    unsigned batch_datagrams(receive_batch *batch, int index) noexcept nogil
    int take_whole(int fd) noexcept nogil
    uint8_t *batch_data(receive_batch *batch, int index) noexcept nogil
    ssize_t send_segments(int fd, void *data, size_t length, uint16_t segment, const sockaddr_in *to) noexcept nogil
    int64_t clock_ns(int clock) noexcept nogil
    void sleep_until(int64_t at) noexcept nogil
    int watch(int epoll, int fd, uint32_t index) noexcept nogil
    void write_address(sockaddr_in *address, const char *ip, uint16_t port) noexcept nogil
    int epoll_create1(int flags) noexcept nogil
    int epoll_wait(int epoll, epoll_event *events, int count, int timeout_ms) noexcept nogil
    ssize_t send(int fd, const void *data, size_t length, int flags) noexcept nogil
    ssize_t recv(int fd, void *data, size_t length, int flags) noexcept nogil
    ssize_t sendto(int fd, const void *data, size_t length, int flags, const void *to, uint32_t size) noexcept nogil
    int close(int fd) noexcept nogil
