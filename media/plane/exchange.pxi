# The class Exchange: what the planes of one port have in common.


cdef class Exchange:
    """Owns the queues between the planes, what lies in them, and the descriptors that wake their threads."""
    cdef exchange_t exchange
    cdef readonly int places
    cdef int taken

    def __cinit__(self, places):
        cdef int i
        number(places, "places", 2, PLANES_MOST)
        self.places = places
        for i in range(<int>PLANES_MOST):
            self.exchange.wake_fds[i] = -1
        self.exchange.queues = <queue_t *>calloc(places * places, sizeof(queue_t))
        if self.exchange.queues == NULL:
            raise MemoryError
        self.exchange.count = places
        for i in range(places * places):
            if i % (places + 1) and not queue_open(&self.exchange.queues[i], EXCHANGE_BYTES):
                raise MemoryError

    cdef int take_place(self) except -1:
        if self.taken == self.places:
            raise ValueError(f"the exchange has {self.places} places")
        self.taken += 1
        return self.taken - 1

    cdef int wake_by(self, int place, int fd) except -1:
        """Keep a duplicate: a plane may be woken by the others after it has closed its own."""
        self.exchange.wake_fds[place] = os.dup(fd)
        return 0

    def __dealloc__(self):
        cdef int i
        if self.exchange.queues == NULL:
            return
        for i in range(self.places * self.places):
            if self.exchange.queues[i].block != NULL:
                close_given(&self.exchange.queues[i])
                queue_close(&self.exchange.queues[i])
        for i in range(self.places):
            if self.exchange.wake_fds[i] >= 0:
                close_fd(self.exchange.wake_fds[i])
        free(self.exchange.queues)


cdef void close_given(queue_t *queue) noexcept:
    """Close the connections that nobody took."""
    cdef uint32_t length = 0
    cdef given_t head
    cdef const uint8_t *record = queue_front(queue, &length)
    while record != NULL:
        memcpy(&head, record, sizeof(given_t))
        if head.kind == GIVEN_CONNECTION:
            close_fd(head.fd)
        queue_pop(queue)
        record = queue_front(queue, &length)
