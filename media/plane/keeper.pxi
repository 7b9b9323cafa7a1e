# The class Keeper, under all the others.

ctypedef struct outlet_t:
    # Where a Core without sockets collects what it would send.
    uint8_t *bytes
    size_t used
    size_t room

ctypedef struct outgoing_t:
    address_t to
    int length
    int segment
    int count


cdef void collect(core_t *core, int socket) noexcept nogil:
    """`deliver` of a Core without sockets."""
    cdef outlet_t *outlet = <outlet_t *>core.outlet
    cdef batch_t *batch = core.batches[socket]
    cdef outgoing_t head
    cdef uint8_t *bytes
    cdef int i
    for i in range(batch.count):
        head.to = batch.messages[i].to[0]
        head.length = batch.messages[i].length
        head.segment = batch.messages[i].segment
        head.count = batch.messages[i].count
        if outlet.used + sizeof(outgoing_t) + head.length > outlet.room:
            bytes = <uint8_t *>realloc(outlet.bytes, 2 * outlet.room + sizeof(outgoing_t) + head.length)
            if bytes == NULL:
                break
            outlet.bytes = bytes
            outlet.room = 2 * outlet.room + sizeof(outgoing_t) + head.length
        memcpy(outlet.bytes + outlet.used, &head, sizeof(outgoing_t))
        memcpy(outlet.bytes + outlet.used + sizeof(outgoing_t), batch.block + batch.messages[i].at, head.length)
        outlet.used += sizeof(outgoing_t) + head.length
        core.packets_sent += head.count
        core.bytes_sent += head.length
        core.gso_messages += head.count > 1
    core.send_calls += 1
    batch_clear(batch)


@cython.no_gc_clear  # __dealloc__ walks the records; a garbage collection must not take them first
cdef class Keeper:
    """Owns the objects' memory and passes commands; what has been removed is freed once the plane has let go of
    it."""

    cdef core_t *core
    cdef dict records
    cdef dict leaving  # unlinking under way: address of the object -> its record
    cdef dict audible  # the records of audio producers
    cdef list backlog
    cdef int64_t last_handle
    cdef bint threaded
    cdef outlet_t outlet
    cdef Exchange exchange

    def __cinit__(self, *arguments, **options):
        self.records = {}
        self.leaving = {}
        self.audible = {}
        self.backlog = []
        self.core = <core_t *>calloc(1, sizeof(core_t))
        if self.core == NULL:
            raise MemoryError

    def __init__(self, *, seed=None, exchange=None):
        self.open(1, seed)
        self.join(exchange)

    cdef int join(self, Exchange exchange) except -1:
        """Be one of the planes of one port."""
        if exchange is None:
            return 0
        self.core.elsewhere = <table_t *>calloc(1, sizeof(table_t))
        if self.core.elsewhere == NULL:
            raise MemoryError
        self.core.elsewhere.secret = self.core.addresses.secret
        self.core.place = exchange.take_place()
        self.core.exchange = &exchange.exchange
        self.exchange = exchange
        return 0

    @property
    def letter(self):
        return chr(HUITANG_LETTERS[self.core.place])

    cdef int open(self, int sockets, object seed) except -1:
        """Allocate what lives as long as the core."""
        cdef int i
        cdef core_t *core = self.core
        if seed is None:
            seed = int.from_bytes(os.urandom(8), "little")
        core.random = (2 * seed + 1) & 0xFFFFFFFFFFFFFFFF
        core.addresses.secret = core.random
        core.srtp.protect = srtp_function("srtp_protect")
        core.srtp.unprotect = srtp_function("srtp_unprotect")
        core.srtp.protect_rtcp = srtp_function("srtp_protect_rtcp")
        core.srtp.unprotect_rtcp = srtp_function("srtp_unprotect_rtcp")
        core.srtp.remove_stream = <srtp_remove_t>srtp_function("srtp_remove_stream")
        core.evp.init = <evp_init_t>evp_function("EVP_EncryptInit_ex")
        core.evp.update = <evp_update_t>evp_function("EVP_EncryptUpdate")
        core.evp.final = <evp_final_t>evp_function("EVP_EncryptFinal_ex")
        core.evp.answer = <evp_answer_t>evp_function("EVP_CIPHER_CTX_get_params")
        core.hmac = <hmac_t>evp_function("HMAC")
        core.sha1 = (<evp_cipher_t>evp_function("EVP_sha1"))()
        if not (
            queue_open(&core.control, 1 << 19) and queue_open(&core.strangers, 1 << 18)
            and queue_open(&core.events, 1 << 17) and queue_open(&core.commands, 1 << 20)
            and queue_open(&core.retired, 1 << 19)
        ):
            raise MemoryError
        for i in range(sockets):
            core.batches[i] = <batch_t *>calloc(1, sizeof(batch_t))
            if core.batches[i] == NULL:
                raise MemoryError
            core.batches[i].gso = True
        core.deliver = collect
        core.outlet = &self.outlet
        return 0

    cdef int open_connections(self) except -1:
        """Make room for TCP connections."""
        cdef connections_t *connections = <connections_t *>calloc(1, sizeof(connections_t))
        if connections == NULL:
            raise MemoryError
        connections.epoll = -1
        self.core.connections = connections
        self.core.batches[<int>TCP_SOCKET] = <batch_t *>calloc(1, sizeof(batch_t))
        if self.core.batches[<int>TCP_SOCKET] == NULL or not queue_open(&self.core.letters, 1 << 18):
            raise MemoryError
        self.core.batches[<int>TCP_SOCKET].gso = True  # one message a connection, of many frames
        connections.epoll = make_epoll()
        if connections.epoll < 0:
            raise OSError("no epoll for TCP connections")
        return 0

    cdef void close_connections(self) noexcept:
        """End them all; the plane thread, where there was one, has ended."""
        cdef connections_t *connections = <connections_t *>self.core.connections
        if connections != NULL and connections.epoll >= 0:
            end_connections(self.core)
            close_fd(connections.epoll)
            connections.epoll = -1

    def __dealloc__(self):
        cdef int i
        cdef Record record
        if self.core == NULL:
            return
        self.close_connections()
        free(self.core.connections)
        for record in [*self.records.values(), *self.leaving.values()]:
            self.discard(record)
        for i in range(BATCHES_MOST):
            free(self.core.batches[i])
        free(self.core.elsewhere)
        queue_close(&self.core.letters)
        queue_close(&self.core.control)
        queue_close(&self.core.strangers)
        queue_close(&self.core.events)
        queue_close(&self.core.commands)
        queue_close(&self.core.retired)
        list_free(&self.core.transports)
        list_free(&self.core.producers)
        list_free(&self.core.demands)
        timers_close(&self.core.waiting)
        free(self.outlet.bytes)
        free(self.core)

    # How control calls reach the plane

    cdef int submit(self, command_t *command, bint must=False) except -1:
        """Queue a command for the plane thread, or apply it now where there is none.

        When the queue is full a removal (`must`) waits here for the next call; anything else is refused.
        """
        self.collect_retired()
        if not self.threaded:
            send_all(self.core)
            core_apply(self.core, command)
            deliver_all(self.core)
            self.collect_retired()
            return 0
        if self.catch_up() and queue_push(&self.core.commands, command, sizeof(command_t), NULL, 0):
            self.wake()
        elif must:
            self.backlog.append(PyBytes_FromStringAndSize(<const char *>command, sizeof(command_t)))
        else:
            raise PlaneBusyError("the plane thread does not take commands")
        return 0

    cdef bint catch_up(self) except -1:
        """Queue the removals that had to wait; whether none is left."""
        while self.backlog:
            if not queue_push(&self.core.commands, PyBytes_AS_STRING(self.backlog[0]), sizeof(command_t), NULL, 0):
                return False
            self.backlog.pop(0)
            self.wake()
        return True

    cdef void wake(self) noexcept:
        pass

    cdef int order(
        self, int operation, Record record, int a=0, int b=0, void *first=NULL, void *second=NULL
    ) except -1:
        cdef command_t command
        memset(&command, 0, sizeof(command_t))
        command.operation = operation
        command.target = record.target
        command.a = a
        command.b = b
        command.first = first
        command.second = second
        return self.submit(&command, operation in REMOVALS)

    cdef int collect_retired(self) except -1:
        """Free what the plane has unlinked."""
        cdef uint32_t length = 0
        cdef const uint8_t *record = queue_front(&self.core.retired, &length)
        cdef uint64_t target
        while record != NULL:
            memcpy(&target, record + 8, 8)
            queue_pop(&self.core.retired)
            self.discard(self.leaving.pop(target))
            record = queue_front(&self.core.retired, &length)
        return 0

    cdef void discard(self, Record record):
        if record.kind == TRANSPORT:
            free_transport(<transport_t *>record.target)
        elif record.kind == PRODUCER:
            free_producer(<producer_t *>record.target)
        elif record.kind == FLOOR:
            free(record.target)
        else:
            free_consumer(<consumer_t *>record.target)
            if record.kind == TAP:
                queue_close(&(<TapRecord>record).tap)
        record.target = NULL

    cdef Record find(self, object handle, int kind):
        record = self.records.get(handle)
        if record is None or (<Record>record).kind != kind:
            name = ("transport", "producer", "consumer", "tap", "floor")[kind]
            raise StaleHandleError(f"handle {handle!r} names no living {name}")
        return record

    cdef transport_t *transport(self, object handle) except NULL:
        return <transport_t *>(<Record>self.find(handle, TRANSPORT)).target

    cdef producer_t *producer(self, object handle) except NULL:
        return <producer_t *>(<Record>self.find(handle, PRODUCER)).target

    cdef consumer_t *consumer(self, object handle) except NULL:
        return <consumer_t *>(<Record>self.find(handle, CONSUMER)).target

    cdef int enlist(
        self, Record record, int kind, void *target, tuple parents=(), tuple ssrcs=()
    ) except -1:
        cdef Record parent
        self.last_handle += 1
        record.kind = kind
        record.target = target
        record.handle = self.last_handle
        record.parents = parents
        record.ssrcs = ssrcs
        if kind != CONSUMER and kind != TAP:
            record.children = []
        self.records[record.handle] = record
        for parent in parents:
            parent.children.append(record.handle)
        return 0

    cdef int remove(self, Record record, int operation) except -1:
        """Remove a record and, first, what hangs on it."""
        cdef Record child, parent
        for handle in list(record.children or ()):
            child = self.records.get(handle)
            if child is not None:
                self.remove(child, REMOVE_PRODUCER if child.kind == PRODUCER else REMOVE_CONSUMER)
        del self.records[record.handle]
        self.audible.pop(record.handle, None)
        for parent in record.parents:
            parent.children.remove(record.handle)
            if parent.kind == TRANSPORT:
                (<TransportRecord>parent).consumes.difference_update(record.ssrcs)
                (<TransportRecord>parent).publishes.difference_update(record.ssrcs)
        self.leaving[<uint64_t>record.target] = record
        self.order(operation, record)
        return 0
