# The class Plane: sockets and the thread.

from media.plane.loop cimport loop_t, now_us, pthread_join, run_loop, signal_fd, start_thread
from media.plane.queue cimport huitang_release
from media.plane.sockets cimport deliver_to_kernel, name_t, send_to, sockets_t, write_name

cdef enum:
    SOCKET_BUFFER = 4 << 20  # a key frame to six hundred subscribers; the kernel grants what its limits allow
    SO_RCVBUFFORCE = 33
    SO_SNDBUFFORCE = 32


cdef object open_socket(str address, int port):
    """A bound UDP socket; OSError names the address."""
    family = sockets_module.AF_INET6 if ":" in address else sockets_module.AF_INET
    sock = sockets_module.socket(family, sockets_module.SOCK_DGRAM | sockets_module.SOCK_NONBLOCK)
    try:
        if family == sockets_module.AF_INET6:
            sock.setsockopt(sockets_module.IPPROTO_IPV6, sockets_module.IPV6_V6ONLY, 1)
        for option, forced in (
            (sockets_module.SO_RCVBUF, SO_RCVBUFFORCE), (sockets_module.SO_SNDBUF, SO_SNDBUFFORCE),
        ):
            try:
                sock.setsockopt(sockets_module.SOL_SOCKET, forced, SOCKET_BUFFER)
            except PermissionError:
                sock.setsockopt(sockets_module.SOL_SOCKET, option, SOCKET_BUFFER)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"UDP port {port} on {address}: {error.strerror}") from error
    return sock


cdef bint segments(object sock):
    """Whether this kernel knows UDP_SEGMENT at all."""
    try:
        sock.setsockopt(17, 103, 0)
    except OSError:
        return False
    return True


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

    def __init__(self, bind_addresses, port, *, seed=None):
        addresses = list(bind_addresses)
        number(port, "port", 0, 65535)
        if not 1 <= len(addresses) <= SOCKETS_MOST:
            raise ValueError(f"1 to {SOCKETS_MOST} addresses to bind")
        self.sockets = <sockets_t *>calloc(1, sizeof(sockets_t))
        if self.sockets == NULL:
            raise MemoryError
        try:
            self.bind(addresses, port)
        except BaseException:
            self.close()
            raise
        self.open(len(self.open_sockets), seed)
        for i, sock in enumerate(self.open_sockets):
            self.sockets.fds[i] = sock.fileno()
            self.sockets.ipv6[i] = sock.family == sockets_module.AF_INET6
            self.core.batches[<int>i].gso = segments(sock)
        self.sockets.count = len(self.open_sockets)
        self.core.deliver = deliver_to_kernel
        self.core.outlet = self.sockets
        self.threaded = True
        self.loop.core = self.core
        self.loop.sockets = self.sockets
        self.loop.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.loop.event_fd = self.event_fd

    cdef int bind(self, list addresses, int port) except -1:
        refused = None
        for address in addresses:
            try:
                sock = open_socket(address, port)
            except OSError as error:
                # A machine without IPv6: the other addresses will do.
                if ":" not in address or error.errno not in (97, 99) or len(addresses) == 1:
                    raise
                refused = error
                continue
            self.open_sockets.append(sock)
            port = sock.getsockname()[1]
        if not self.open_sockets:
            raise refused
        self.port = port
        return 0

    def start(self):
        if self.started:
            raise RuntimeError("the plane has been started")
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

    cdef void close(self):
        for sock in self.open_sockets:
            sock.close()
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
        if self.stopped or to.socket >= self.sockets.count:
            return False
        length = write_name(&to, &name)
        return send_to(self.sockets.fds[to.socket], PyBytes_AS_STRING(data), len(data), &name, length) == len(data)

    def now_us(self):
        return now_us()
