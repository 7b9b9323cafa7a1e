"""The plane thread: wait, obey, receive, advance, tell."""

from libc.stdint cimport int64_t, uint64_t

from media.plane.clockwork cimport core_advance
from media.plane.commands cimport core_obey
from media.plane.connections cimport connections_of
from media.plane.demux cimport core_receive
from media.plane.address cimport address_t
from media.plane.objects cimport SOCKETS_MOST, core_t
from media.plane.queue cimport huitang_acquire
from media.plane.scheduling cimport hasten
from media.plane.sockets cimport POLLIN, RECEIVE_MOST, pollfd, read_name, receive_batch, sockets_t
from media.plane.exchange cimport wake_takers
from media.plane.taking cimport take_round
from media.plane.tcp cimport connections_round, send_letters, sweep_connections

cdef extern from *:
    """
    #include <pthread.h>
    #include <signal.h>
    #include <time.h>
    #include <unistd.h>
    static int64_t huitang_now_us(void) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    }
    static int huitang_wait(struct pollfd *fds, unsigned long count, int64_t us) {
        struct timespec t = {us / 1000000, us % 1000000 * 1000};
        return ppoll(fds, count, &t, NULL);
    }
    static int huitang_thread(pthread_t *thread, void *(*run)(void *), void *argument) {
        sigset_t all, before;
        sigfillset(&all);  /* signals are Python's */
        pthread_sigmask(SIG_BLOCK, &all, &before);
        int error = pthread_create(thread, NULL, run, argument);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!error) pthread_setname_np(*thread, "media-plane");
        return error;
    }
    """
    ctypedef unsigned long pthread_t
    int64_t now_us "huitang_now_us"() nogil
    int wait_us "huitang_wait"(pollfd *fds, unsigned long count, int64_t us) nogil
    int start_thread "huitang_thread"(pthread_t *thread, void *(*run)(void *) noexcept nogil, void *argument)
    int pthread_join(pthread_t thread, void **result) nogil
    ssize_t read(int fd, void *buffer, size_t size) nogil
    ssize_t write(int fd, const void *buffer, size_t size) nogil

cdef enum:
    ROUND_MOST = 128  # datagrams received before sending: a batch under load, a bound on delay
    SLEEP_MOST_US = 1_000_000
    NICENESS = -10  # a packet should not wait for a page of HTML where both share a core

ctypedef struct loop_t:
    core_t *core
    sockets_t *sockets
    int wake_fd
    int event_fd
    uint64_t stop
    pthread_t thread


cdef inline void signal_fd(int fd) noexcept nogil:
    cdef uint64_t one = 1
    write(fd, &one, 8)


cdef inline void receive_round(loop_t *loop) noexcept nogil:
    """Take in what the sockets hold, up to ROUND_MOST each."""
    cdef int socket, i, count, total
    cdef address_t address
    for socket in range(loop.sockets.count):
        total = 0
        while total < ROUND_MOST:
            count = receive_batch(loop.sockets, socket)
            loop.core.now = now_us()
            for i in range(count):
                read_name(&loop.sockets.incoming_names[i], loop.sockets.ipv6[socket], socket, &address)
                core_receive(loop.core, loop.sockets.incoming_bytes[i], <int>loop.sockets.incoming[i].msg_len, &address)
            total += count
            if count < RECEIVE_MOST:
                break


cdef inline void *run_loop(void *argument) noexcept nogil:
    # ppoll and not epoll: a handful of descriptors (all TCP connections are one, their epoll), and a time-out finer
    # than a millisecond on every kernel.
    cdef loop_t *loop = <loop_t *>argument
    cdef pollfd fds[<int>SOCKETS_MOST + 2]
    cdef uint64_t ignored
    cdef int64_t next_at = 0
    cdef int64_t wait
    cdef int i
    cdef int polled = loop.sockets.count + 1
    hasten(NICENESS)
    for i in range(loop.sockets.count):
        fds[i].fd = loop.sockets.fds[i]
        fds[i].events = POLLIN
    fds[loop.sockets.count].fd = loop.wake_fd
    fds[loop.sockets.count].events = POLLIN
    if loop.core.connections != NULL:
        fds[polled].fd = connections_of(loop.core).epoll
        fds[polled].events = POLLIN
        polled += 1
    while not huitang_acquire(&loop.stop):
        wait = next_at - now_us()
        if wait < 0:
            wait = 0
        elif wait > SLEEP_MOST_US:
            wait = SLEEP_MOST_US
        for i in range(loop.sockets.count, polled):
            fds[i].revents = 0
        if wait_us(fds, polled, wait) > 0 and fds[loop.sockets.count].revents:
            read(loop.wake_fd, &ignored, 8)
        loop.core.now = now_us()
        if loop.core.connections != NULL:
            # Before the commands: whoever hears a letter may answer, and the command sent before it must be obeyed then.
            send_letters(loop.core)
        core_obey(loop.core)
        receive_round(loop)
        if loop.core.connections != NULL:
            if fds[loop.sockets.count + 1].revents:
                connections_round(loop.core)
            sweep_connections(loop.core)
        if loop.core.exchange != NULL:
            take_round(loop.core)
            wake_takers(loop.core)
        next_at = core_advance(loop.core, now_us())
        if loop.core.told:
            loop.core.told = False
            signal_fd(loop.event_fd)
    return NULL
