# The class Control: the calls that make, change and remove objects.


@cython.no_gc_clear
cdef class Control(Keeper):
    # Transports

    def add_transport(self):
        cdef transport_t *transport = <transport_t *>lines(sizeof(transport_t))
        cdef Record record = TransportRecord()
        self.enlist(record, TRANSPORT, transport)
        transport.handle = record.handle
        transport.ssrc = int.from_bytes(os.urandom(4), "little") | 1
        transport.resend_tokens = RESEND_TOKENS
        self.order(ADD_TRANSPORT, record)
        return record.handle

    def remove_transport(self, transport):
        self.remove(self.find(transport, TRANSPORT), REMOVE_TRANSPORT)

    def add_address(self, transport, address):
        self.set_address(ADD_ADDRESS, transport, address)

    def forget_address(self, transport, address):
        self.set_address(FORGET_ADDRESS, transport, address)

    def set_remote_address(self, transport, address):
        self.set_address(SET_REMOTE, transport, address)

    cdef int set_address(self, int operation, object transport, object address) except -1:
        cdef command_t command
        cdef TransportRecord record = self.find(transport, TRANSPORT)
        memset(&command, 0, sizeof(command_t))
        read_address(address, &command.address)
        if command.address.socket >= BATCHES_MOST or self.core.batches[command.address.socket] == NULL:
            raise ValueError("an address of another plane")
        command.operation = operation
        command.target = record.target
        if operation == FORGET_ADDRESS:
            record.addresses.discard(address)
            return self.submit(&command, True)
        if address not in record.addresses and len(record.addresses) == ADDRESSES_MOST:
            raise ValueError(f"a transport has at most {ADDRESSES_MOST} addresses: forget one first")
        self.submit(&command)
        record.addresses.add(address)
        return 0

    def set_srtp(self, transport, profile, rx, tx):
        cdef TransportRecord record = self.find(transport, TRANSPORT)
        cdef Seal seal
        incoming = srtp_session(profile, rx, Policy.SSRC_ANY_INBOUND)
        outgoing = srtp_session(profile, tx, Policy.SSRC_ANY_OUTBOUND)
        record.sessions += [incoming, outgoing]
        if profile in (Profile.AEAD_AES_128_GCM, Profile.AEAD_AES_256_GCM):
            seal = Seal(tx)
            record.sessions.append(seal)
            self.order(SET_SEAL, record, 0, 0, &seal.seal)
        self.order(SET_SRTP, record, 0, 0, srtp_pointer(incoming), srtp_pointer(outgoing))

    def set_admitted(self, transport, admitted):
        self.order(SET_ADMITTED, self.find(transport, TRANSPORT), bool(admitted))

    def set_consent(self, transport, ufrag, password):
        cdef command_t command
        cdef Record record = self.find(transport, TRANSPORT)
        ufrag_bytes = short_text(ufrag, "ufrag", UFRAG_MOST)
        password_bytes = short_text(password, "password", PASSWORD_MOST)
        memset(&command, 0, sizeof(command_t))
        command.operation = SET_CONSENT
        command.target = record.target
        command.consent.ufrag_length = len(ufrag_bytes)
        command.consent.password_length = len(password_bytes)
        memcpy(command.consent.ufrag, PyBytes_AS_STRING(ufrag_bytes), len(ufrag_bytes))
        memcpy(command.consent.password, PyBytes_AS_STRING(password_bytes), len(password_bytes))
        self.submit(&command)

    def consented_us(self, transport):
        return self.transport(transport).consented_us

    def authentic_us(self, transport):
        return self.transport(transport).authentic_us

    # Floors

    def add_floor(self, places, hold_us):
        cdef Record record = Record()
        cdef floor_t *floor
        number(places, "places", 1, PLACES_MOST)
        number(hold_us, "hold_us", 0, 60_000_000)
        floor = <floor_t *>calloc(1, sizeof(floor_t))
        if floor == NULL:
            raise MemoryError
        floor.places = places
        floor.hold_us = hold_us
        self.enlist(record, FLOOR, floor)
        return record.handle

    def remove_floor(self, floor):
        self.remove(self.find(floor, FLOOR), REMOVE_FLOOR)

    # Producers

    def add_producer(
        self, transport, kind, *, codec, clock_rate, payload_type, encodings, rtx_payload_type=None,
        red_payload_type=None, header_extensions=None, mid=None, cname="", nack=True, key_frames_by="pli", transport_cc=True, paused=False, floor=None, spatial_layers=1, keyed=False,
        parameter_sets=(),
    ):
        cdef TransportRecord parent = self.find(transport, TRANSPORT)
        cdef Record contested = None if floor is None else self.find(floor, FLOOR)
        cdef Record record = Record()
        cdef producer_t *producer
        cdef arrivals_t *arrivals
        if kind not in ("audio", "video") or (kind == "video" and codec not in VIDEO_CODECS):
            raise ValueError("kind is audio or video, a video codec vp8, vp9, h264 or av1")
        if floor is not None and kind == "video":
            raise ValueError("only microphones compete for a floor")
        number(clock_rate, "clock_rate", 1000, 1_000_000)
        number(payload_type, "payload_type", 0, 127)
        number(rtx_payload_type or 0, "rtx_payload_type", 0, 127)
        number(red_payload_type or 0, "red_payload_type", 0, 127)
        if red_payload_type is not None and (kind == "video" or red_payload_type == payload_type):
            raise ValueError("red is for audio, with a payload type of its own")
        if key_frames_by not in ("pli", "fir"):
            raise ValueError("key_frames_by is pli or fir")
        encodings = list(encodings)
        if not 1 <= len(encodings) <= ENCODINGS_MOST:
            raise ValueError(f"a producer has 1 to {ENCODINGS_MOST} encodings")
        number(spatial_layers, "spatial_layers", 1, SPATIAL_MOST)
        kinds = known_extensions(header_extensions or {})
        mid_bytes = short_text(mid or "", "mid", 16)
        cname_bytes = short_text(cname, "cname", CNAME_MOST)
        ssrcs = check_encodings(encodings)
        if parent.publishes & ssrcs:
            raise ValueError("another producer of this transport has this ssrc")
        # VP8 and VP9 say by themselves what the dependency descriptor would.
        described = kind == "video" and codec in ("av1", "h264") and EXT_DEPENDENCY in kinds
        layered = described or (kind == "video" and codec == "vp9")
        if not described:
            kinds.pop(EXT_DEPENDENCY, None)
        producer = build_producer(kind == "video", codec, encodings, layered, described)
        producer.keyed = bool(keyed)
        if producer.codec == CODEC_H264 and len(encodings) == 1:  # of several each has its own
            for unit in parameter_sets:
                sets_note(producer.streams[0].sets, <const uint8_t *>PyBytes_AS_STRING(<bytes?>unit), <int>len(unit))
        if len(encodings) == 1:
            producer.spatial_count = spatial_layers
            producer.told_wanted = spatial_layers - 1
            producer.top_spatial = spatial_layers - 1 if layered else 0
        producer.transport = <transport_t *>parent.target
        producer.clock_rate = clock_rate
        producer.payload_type = payload_type
        producer.has_rtx = rtx_payload_type is not None
        producer.rtx_payload_type = rtx_payload_type or 0
        producer.has_red = red_payload_type is not None
        producer.red_payload_type = red_payload_type or 0
        producer.nack = bool(nack)
        producer.fir = key_frames_by == "fir"
        producer.paused = bool(paused)
        for extension, id_ in kinds.items():
            producer.kinds[<int>id_] = <uint8_t>extension
        producer.mid_length = len(mid_bytes)
        memcpy(producer.mid, PyBytes_AS_STRING(mid_bytes), len(mid_bytes))
        producer.cname_length = len(cname_bytes)
        memcpy(producer.cname, PyBytes_AS_STRING(cname_bytes), len(cname_bytes))
        if contested is not None:
            producer.floor = <floor_t *>contested.target
        parents = (parent,) if contested is None else (parent, contested)
        self.enlist(record, PRODUCER, producer, parents, tuple(ssrcs))
        parent.publishes |= ssrcs
        producer.handle = record.handle
        if not producer.video:
            self.audible[record.handle] = record
        if transport_cc and EXT_TRANSPORT_CC in kinds and not parent.has_arrivals:
            arrivals = <arrivals_t *>calloc(1, sizeof(arrivals_t))
            if arrivals == NULL:
                raise MemoryError
            parent.has_arrivals = True
            self.order(SET_ARRIVALS, parent, 0, 0, arrivals)
        self.order(ADD_PRODUCER, record)
        return record.handle

    def remove_producer(self, producer):
        self.remove(self.find(producer, PRODUCER), REMOVE_PRODUCER)

    def set_producer_paused(self, producer, paused):
        self.order(PAUSE_PRODUCER, self.find(producer, PRODUCER), bool(paused))

    def request_key_frame(self, handle):
        record = self.records.get(handle)
        if record is None or (<Record>record).kind in (TRANSPORT, FLOOR):
            raise StaleHandleError(f"handle {handle!r} names no living producer, consumer or tap")
        self.order(KEY_PRODUCER if (<Record>record).kind == PRODUCER else KEY_CONSUMER, record)

    # Consumers and taps

    def add_consumer(
        self, transport, producer, *, ssrc, payload_type, rtx_ssrc=None, rtx_payload_type=None,
        red_payload_type=None, header_extensions=None, mid=None, nack=True, remb=False, paused=True,
    ):
        cdef TransportRecord to = self.find(transport, TRANSPORT)
        cdef Record source = self.find(producer, PRODUCER)
        cdef Record record = Record()
        cdef consumer_t *consumer
        cdef sent_t *sent
        cdef estimator_t *estimator
        number(payload_type, "payload_type", 0, 127)
        number(rtx_payload_type or 0, "rtx_payload_type", 0, 127)
        ssrcs = {read_ssrc(ssrc, "ssrc")}
        if (rtx_ssrc is None) != (rtx_payload_type is None):
            raise ValueError("rtx needs both an ssrc and a payload type")
        if rtx_ssrc is not None:
            ssrcs.add(read_ssrc(rtx_ssrc, "rtx_ssrc"))
        if (rtx_ssrc is not None and len(ssrcs) < 2) or to.consumes & ssrcs:
            raise ValueError("another consumer of this transport has this ssrc")
        number(red_payload_type or 0, "red_payload_type", 0, 127)
        if red_payload_type is not None:
            if (<producer_t *>source.target).video or red_payload_type == payload_type:
                raise ValueError("red is for audio, with a payload type of its own")
            if nack and rtx_ssrc is None:  # with the copies left out meanwhile it would not be the same packet
                raise ValueError("red and plain retransmission exclude each other")
        extensions = known_extensions(header_extensions or {})
        if nack and rtx_ssrc is None:
            # A plain retransmission repeats its packet to the bit, or AES-GCM would be broken (RFC 7714 section 8.1),
            # so such a consumer has no extensions that tell the time of sending.
            extensions.pop(EXT_ABS_SEND_TIME, None)
            extensions.pop(EXT_TRANSPORT_CC, None)
        mid_bytes = short_text(mid or "", "mid", 16)
        consumer = build_consumer(<producer_t *>source.target, extensions, mid_bytes)
        consumer.transport = <transport_t *>to.target
        consumer.paused = bool(paused)
        consumer.nack = bool(nack)
        consumer.ssrc = ssrc
        consumer.payload_type = payload_type
        consumer.has_rtx = rtx_ssrc is not None
        consumer.rtx_ssrc = rtx_ssrc or 0
        consumer.rtx_payload_type = rtx_payload_type or 0
        consumer.has_red = red_payload_type is not None
        consumer.copies = 1 if consumer.has_red else 0
        consumer.red_payload_type = red_payload_type or 0
        consumer.rtx_next = int.from_bytes(os.urandom(2), "little") & 0x7FFF
        # An estimator that sees no times of sending has nothing to estimate from.
        if remb and consumer.producer.video and EXT_ABS_SEND_TIME in extensions and EXT_TRANSPORT_CC not in extensions:
            consumer.word = <word_t *>calloc(1, sizeof(word_t))
            if consumer.word == NULL:
                free_consumer(consumer)
                raise MemoryError
        self.enlist(record, CONSUMER, consumer, (to, source), tuple(ssrcs))
        to.consumes |= ssrcs
        consumer.handle = record.handle
        if EXT_TRANSPORT_CC in extensions and not to.has_sent:
            sent = <sent_t *>calloc(1, sizeof(sent_t))
            estimator = <estimator_t *>calloc(1, sizeof(estimator_t))
            if sent == NULL or estimator == NULL or not sent_open(sent):
                free(sent)
                free(estimator)
                raise MemoryError
            to.has_sent = True
            self.order(SET_SENT, to, 0, 0, sent, estimator)
        self.order(ADD_CONSUMER, record)
        return record.handle

    def remove_consumer(self, consumer):
        self.remove(self.find(consumer, CONSUMER), REMOVE_CONSUMER)

    def set_consumer_paused(self, consumer, paused):
        self.order(PAUSE_CONSUMER, self.find(consumer, CONSUMER), bool(paused))

    def set_preferred_layers(self, consumer, spatial, temporal=None):
        record = self.find(consumer, CONSUMER)
        number(spatial, "spatial", 0, 7)
        number(temporal or 0, "temporal", 0, 7)
        self.order(SET_LAYERS, record, spatial, ANY_LAYER if temporal is None else temporal)

    def set_priority(self, consumer, priority):
        record = self.find(consumer, CONSUMER)
        number(priority, "priority", 1, 255)
        self.order(SET_PRIORITY, record, priority)

    def add_tap(self, producer, capacity_packets, *, header_extensions=None):
        cdef Record source = self.find(producer, PRODUCER)
        cdef TapRecord record = TapRecord()
        cdef consumer_t *consumer
        cdef queue_t tap
        cdef uint64_t bytes_wanted
        number(capacity_packets, "capacity_packets", 1, TAP_MOST)
        bytes_wanted = <uint64_t>capacity_packets * (1280 if (<producer_t *>source.target).video else 256)
        extensions = known_extensions(header_extensions or {})
        for kind in [kind for kind in extensions if kind < EXT_AUDIO_LEVEL]:
            del extensions[kind]
        memset(&tap, 0, sizeof(queue_t))
        if not queue_open(&tap, bytes_wanted):
            raise MemoryError
        consumer = build_consumer(<producer_t *>source.target, extensions, b"")
        self.enlist(record, TAP, consumer, (source,))
        record.tap = tap
        consumer.handle = record.handle
        consumer.tap = &record.tap
        consumer.tap_capacity = capacity_packets
        consumer.ssrc = int.from_bytes(os.urandom(4), "little")
        consumer.payload_type = (<producer_t *>source.target).payload_type
        self.order(ADD_CONSUMER, record)
        return record.handle

    def remove_tap(self, tap):
        self.remove(self.find(tap, TAP), REMOVE_CONSUMER)

    def drain_tap(self, tap):
        cdef TapRecord record = self.find(tap, TAP)
        cdef consumer_t *consumer = <consumer_t *>record.target
        cdef uint32_t length = 0
        cdef const uint8_t *front = queue_front(&record.tap, &length)
        cdef tap_record_t head
        cdef uint64_t report[2]
        cdef uint64_t overflow = consumer.tap_overflow
        packets = []
        sender_report = None
        while front != NULL:
            memcpy(&head, front, sizeof(tap_record_t))
            if head.kind == TAP_RECORD_PACKET:
                packet = PyBytes_FromStringAndSize(
                    <const char *>front + sizeof(tap_record_t), length - sizeof(tap_record_t)
                )
                packets.append((head.arrival_us, packet))
            else:
                memcpy(report, front + sizeof(tap_record_t), sizeof(report))
                sender_report = SenderReport(report[0], report[1], head.arrival_us)
            queue_pop(&record.tap)
            front = queue_front(&record.tap, &length)
        lost = overflow - record.overflow_told
        record.overflow_told = overflow
        return TapBatch(packets, lost, sender_report)
