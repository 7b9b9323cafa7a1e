# The class Plane: sockets and the thread.

from media.plane.loop cimport loop_t, now_us, pthread_join, run_loop, signal_fd, start_thread
from media.plane.queue cimport huitang_release
from media.plane.sockets cimport deliver_to_kernel, name_t, prepare_receiving, send_to, sockets_t, write_name

@cython.no_gc_clear
cdef class Plane(Core):
    cdef loop_t loop
    cdef sockets_t *sockets
    cdef list open_sockets
    cdef bint started
    cdef bint stopped
    cdef readonly int event_fd
    cdef readonly int port

    def __cinit__(self, *arguments, **options):
        self.loop.wake_fd = -1
        self.event_fd = -1
        self.open_sockets = []

    def __init__(self, bind_addresses, port, *, tcp=True, seed=None, exchange=None):
        addresses = list(bind_addresses)
        number(port, "port", 0, 65535)
        if not 1 <= len(addresses) <= SOCKETS_MOST:
            raise ValueError(f"1 to {SOCKETS_MOST} addresses to bind")
        self.sockets = <sockets_t *>calloc(1, sizeof(sockets_t))
        if self.sockets == NULL:
            raise MemoryError
        prepare_receiving(self.sockets)
        cdef Exchange shared = exchange
        sharing = ALONE if shared is None else FURTHER if shared.taken else FIRST
        datagrams, listeners = open_all(addresses, port, tcp, sharing)
        self.open_sockets = datagrams + listeners
        self.port = datagrams[0].getsockname()[1]
        self.open(len(datagrams), seed)
        self.join(shared)
        for i, sock in enumerate(datagrams):
            self.sockets.fds[i] = sock.fileno()
            self.sockets.ipv6[i] = sock.family == sockets_module.AF_INET6
            self.core.batches[<int>i].gso = segments(sock)
        self.sockets.count = len(datagrams)
        if listeners:
            self.open_connections()
        for i, sock in enumerate(listeners):
            self.connections().listeners[i] = sock.fileno()
            self.connections().ipv6[i] = sock.family == sockets_module.AF_INET6
            self.connections().listener_count += 1
            listen_on(self.connections(), i)
        self.core.deliver = deliver_to_kernel
        self.core.outlet = self.sockets
        self.threaded = True
        self.loop.core = self.core
        self.loop.sockets = self.sockets
        self.loop.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.loop.event_fd = self.event_fd
        if shared is not None:
            shared.wake_by(self.core.place, self.loop.wake_fd)

    def start(self):
        if self.started:
            raise RuntimeError("the plane has been started")
        if self.exchange is not None and self.exchange.taken < self.exchange.places:
            raise RuntimeError("open all planes of the port before starting any")
        if start_thread(&self.loop.thread, run_loop, &self.loop) != 0:
            raise OSError("no thread for the media plane")
        self.started = True

    def stop(self):
        if self.started and not self.stopped:
            huitang_release(&self.loop.stop, 1)
            signal_fd(self.loop.wake_fd)
            with nogil:
                pthread_join(self.loop.thread, NULL)
        self.stopped = True
        self.close()

    cdef connections_t *connections(self) noexcept:
        return <connections_t *>self.core.connections

    cdef void close(self):
        self.close_connections()
        close_all(self.open_sockets)
        self.open_sockets = []
        for fd in (self.loop.wake_fd, self.event_fd):
            if fd >= 0:
                os.close(fd)
        self.loop.wake_fd = -1
        self.event_fd = -1

    def __dealloc__(self):
        if self.started and not self.stopped:
            huitang_release(&self.loop.stop, 1)
            signal_fd(self.loop.wake_fd)
            with nogil:
                pthread_join(self.loop.thread, NULL)
        self.close()
        free(self.sockets)

    cdef void wake(self) noexcept:
        if self.loop.wake_fd >= 0:
            signal_fd(self.loop.wake_fd)

    cdef void acknowledge(self) noexcept:
        if self.event_fd >= 0:
            try:
                os.eventfd_read(self.event_fd)
            except BlockingIOError:
                pass

    def send_datagram(self, address, data):
        cdef address_t to
        cdef name_t name
        cdef uint32_t length
        read_address(address, &to)
        if not isinstance(data, bytes):
            raise TypeError("a datagram is bytes")
        if self.stopped:
            return False
        if to.socket == TCP_SOCKET:
            return self.send_letter(&to, data)
        if to.socket >= self.sockets.count:
            return False
        length = write_name(&to, &name)
        return send_to(self.sockets.fds[to.socket], PyBytes_AS_STRING(data), len(data), &name, length) == len(data)

    cdef bint send_letter(self, const address_t *to, bytes data) except -1:
        """Let the plane thread, which alone writes to connections, send it."""
        if self.core.connections == NULL or len(data) > DATAGRAM_ROOM:
            return False
        if not queue_push(&self.core.letters, to, sizeof(address_t), PyBytes_AS_STRING(data), <uint32_t>len(data)):
            return False
        self.wake()
        return True

    def now_us(self):
        return now_us()
