# The class Core: what comes out of the plane, its statistics, and the feeding of packets in tests.



cdef enum:
    JITTER_FORGOTTEN_US = 5_000_000  # of what is not heard any more


cdef inline int64_t jitter_us(const producer_t *producer, const stream_t *stream) noexcept:
    return <int64_t>(stream.jitter >> 4) * 1_000_000 // producer.clock_rate


@cython.no_gc_clear
cdef class Core(Control):
    def drain_control(self):
        datagrams = []
        self.collect_retired()
        self.catch_up()
        self.acknowledge()
        self.drain_datagrams(&self.core.control, datagrams)
        self.drain_datagrams(&self.core.strangers, datagrams)
        return datagrams

    cdef void acknowledge(self) noexcept:
        pass

    cdef int drain_datagrams(self, queue_t *queue, list into) except -1:
        cdef uint32_t length = 0
        cdef control_t head
        cdef const uint8_t *front = queue_front(queue, &length)
        while front != NULL and len(into) < 256:
            memcpy(&head, front, sizeof(control_t))
            into.append(Datagram(
                show_address(&head.address),
                PyBytes_FromStringAndSize(<const char *>front + sizeof(control_t), length - sizeof(control_t)),
                # A transport removed meanwhile is as good as unknown.
                head.transport if head.transport in self.records else None,
            ))
            queue_pop(queue)
            front = queue_front(queue, &length)
        return 0

    def drain_events(self):
        cdef uint32_t length = 0
        cdef event_t event
        cdef const uint8_t *front = queue_front(&self.core.events, &length)
        events = []
        self.collect_retired()
        while front != NULL:
            memcpy(&event, front, sizeof(event_t))
            if event.handle in self.records:
                events.append(Event(EventKind(event.kind), event.handle, event.spatial, event.temporal))
            queue_pop(&self.core.events)
            front = queue_front(&self.core.events, &length)
        return events

    # Statistics: read while the plane thread counts on

    def statistics(self):
        cdef core_t *core = self.core
        cdef int i
        gso = True
        for i in range(SOCKETS_MOST):
            gso = gso and (core.batches[i] == NULL or core.batches[i].gso)
        tcp = {TCP_NAMES[i]: 0 for i in range(<int>TCP_COUNTS)}
        if core.connections != NULL:
            tcp = {TCP_NAMES[i]: connections_of(core).counts[i] for i in range(<int>TCP_COUNTS)}
        return PlaneStatistics(
            core.packets_received, core.bytes_received, core.packets_sent, core.bytes_sent, core.send_calls,
            core.gso_messages, core.passed_on, core.consents, gso, {DROP_REASONS[i]: core.drops[i] for i in range(<int>DROP_COUNT)},
            tcp, connections_of(core).count if core.connections != NULL else 0,
            {
                "nacks_sent": core.nacks_sent, "nacks_received": core.nacks_received,
                "key_frame_requests_sent": core.key_requests_sent,
                "key_frame_requests_received": core.key_requests_received, "key_frames": core.key_frames,
                "packets_retransmitted": core.retransmitted, "packets_recovered": core.recovered,
            },
            {"ticks": core.ticks, "repairs": core.repairs, "rtcp_items": core.rtcp_items},
        )

    def transport_statistics(self, transport):
        cdef transport_t *at = self.transport(transport)
        return TransportStatistics(
            at.packets_received, at.bytes_received, at.packets_sent, at.bytes_sent, at.last_received_us, at.rtt_us,
            at.loss_down / 65536.0, at.loss_up / 65536.0, at.feedbacks, at.remb_bps,
            at.budget_bps, at.estimator.overuses if at.estimator != NULL else 0,
            at.estimator.probes.clusters if at.estimator != NULL else 0, at.probe_bytes, at.desired_bps,
        )

    def reception(self, transport):
        cdef Record record = self.find(transport, TRANSPORT)
        cdef Record child
        cdef transport_t *at = <transport_t *>record.target
        cdef producer_t *producer
        cdef int64_t jitter = 0
        cdef int i
        for handle in record.children:
            child = self.records[handle]
            if child.kind == PRODUCER:
                producer = <producer_t *>child.target
                for i in range(producer.stream_count):
                    if self.core.now - producer.streams[i].last_packet_us < JITTER_FORGOTTEN_US:
                        jitter = max(jitter, jitter_us(producer, &producer.streams[i]))
        return Reception(
            at.rtt_us, at.loss_down / 65536.0, at.loss_up / 65536.0, jitter, at.budget_bps, at.desired_bps,
        )

    def producer_statistics(self, producer):
        cdef producer_t *at = self.producer(producer)
        cdef stream_t *stream
        cdef int i
        cdef int64_t received = 0, lost = 0, recovered = 0, octets = 0, jitter = 0, frames = 0
        cdef int frame_rate = 0
        bitrates = []
        for i in range(at.stream_count):
            stream = &at.streams[i]
            received += stream.received
            recovered += stream.recovered
            octets += stream.bytes
            lost += max(<int64_t>(stream_expected(stream) + stream.lost_before) - stream_came(stream), 0)
            jitter = max(jitter, jitter_us(at, stream))
            frames = max(frames, <int64_t>stream.frames)
            frame_rate = max(frame_rate, <int>stream.frame_rate)
            bitrates.append(stream.bitrate)
        return ProducerStatistics(
            received, octets, lost, recovered, at.nacks, at.key_requests, at.key_frames, jitter, at.rtt_us,
            tuple(bitrates), self.level(at), at.last_packet_us, at.nacked, frames, frame_rate,
        )

    cdef int level(self, const producer_t *producer) noexcept:
        """Smoothed dBov; a publisher that sends nothing (DTX, paused) is silent."""
        if producer.level_at == 0 or producer.paused or self.core.now - producer.level_at > 500_000:
            return -127
        return producer.level_16 // 16

    def audio_levels(self):
        cdef Record record
        cdef producer_t *producer
        levels = []
        for record in self.audible.values():
            producer = <producer_t *>record.target
            if producer.level_at and not producer.paused:
                levels.append((record.handle, self.level(producer) if speaks_now(self.core, producer) else -127))
        return levels

    def consumer_statistics(self, consumer):
        cdef consumer_t *at = self.consumer(consumer)
        return ConsumerStatistics(
            at.packets + at.retransmitted, at.bytes, at.retransmitted, at.nacks, at.key_requests, at.told_spatial, at.told_temporal,
            at.fraction / 256.0, (<int64_t>at.lost ^ 0x800000) - 0x800000,
            <int64_t>at.jitter * 1_000_000 // at.producer.clock_rate, at.rtt_us, at.nacked, at.firs,
            bool(at.reported_highest), bool(at.starved or at.cap_temporal != ANY_LAYER),
        )

    # Without sockets

    cdef int by_hand(self, object data, int64_t now) except -1:
        if self.threaded:
            raise RuntimeError("a running plane feeds itself")
        if not isinstance(data, bytes):
            raise TypeError("a packet is bytes")
        self.core.now = now
        return 0

    cdef uint8_t *exact_copy(self, bytes data) except NULL:
        """On the heap and of the exact length, so that AddressSanitizer sees a read past the end; to be freed."""
        cdef uint8_t *copy = <uint8_t *>malloc(max(len(data), 1))
        if copy == NULL:
            raise MemoryError
        memcpy(copy, PyBytes_AS_STRING(data), len(data))
        return copy

    def receive(self, data, address, now_us):
        cdef address_t source
        cdef uint8_t *copy
        self.by_hand(data, now_us)
        read_address(address, &source)
        copy = self.exact_copy(data)
        core_receive(self.core, copy, <int>len(data), &source)
        free(copy)
        core_advance(self.core, now_us)

    def receive_clear(self, transport, data, now_us):
        cdef transport_t *at = self.transport(transport)
        cdef uint8_t *copy
        self.by_hand(data, now_us)
        if len(data) > DATAGRAM_MOST:
            raise ValueError("longer than any datagram that gets so far")
        copy = self.exact_copy(data)
        receive_media(self.core, at, copy, <int>len(data), True)
        free(copy)
        core_advance(self.core, now_us)

    def advance(self, now_us):
        self.by_hand(b"", now_us)
        if self.core.connections != NULL:
            connections_round(self.core)
            sweep_connections(self.core)
        if self.core.exchange != NULL:
            take_round(self.core)
            wake_takers(self.core)
        return core_advance(self.core, now_us)

    def connect(self, fd, address, now_us):
        cdef address_t source
        cdef connection_t *connection
        self.by_hand(b"", now_us)
        read_address(address, &source)
        if self.core.connections == NULL:
            self.open_connections()
        connection = admit_connection(self.core, os.dup(fd), &source)
        if connection == NULL:
            return None
        connections_of(self.core).counts[<int>TCP_ACCEPTED] += 1
        return show_address(&connection.address)

    def send_runs(self):
        cdef outgoing_t head
        cdef size_t at = 0
        runs = []
        while at < self.outlet.used:
            memcpy(&head, self.outlet.bytes + at, sizeof(outgoing_t))
            at += sizeof(outgoing_t)
            runs.append((
                show_address(&head.to),
                PyBytes_FromStringAndSize(<const char *>self.outlet.bytes + at, head.length),
                head.segment if head.count > 1 else 0,
            ))
            at += head.length
        self.outlet.used = 0
        return runs

    def sent(self):
        datagrams = []
        for address, data, segment in self.send_runs():
            step = segment or len(data)
            datagrams += [(address, data[i : i + step]) for i in range(0, len(data), step)]
        return datagrams
