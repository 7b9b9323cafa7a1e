"""Opens the plane's parsers and stores to their tests: each call goes straight to the inline function of the same name."""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from media.plane.address cimport TABLE_MOST, address_t, table_find, table_put, table_remove, table_t
from media.plane.allocation cimport RUNGS
from media.plane.bits cimport unwrap16 as c_unwrap16, unwrap_bits as c_unwrap_bits
from media.plane.feedback cimport (
    arrivals_note, arrivals_t, read_transport_cc, results_t, sent_close, sent_note, sent_open, sent_t,
    write_transport_cc,
)
from media.plane.dependency cimport dependency_t, indication, parse_dependency, structure_t
from media.plane.descriptor cimport write_dependency
from media.plane.extensions cimport DEPENDENCY_LONGEST, described_t
from media.plane.frames cimport frame_need
from media.plane.framing cimport FRAME_TOO_LONG, FRAME_WANTS_MORE, frame_reader_t, next_frame
from media.plane.nack cimport missing_add, missing_arrived, missing_due, missing_list_t
from media.plane.payload cimport CODEC_AV1, CODEC_H264, CODEC_OPAQUE, CODEC_VP8, CODEC_VP9, payload_t
from media.plane.payload cimport parse_payload as c_parse_payload
from media.plane.queue cimport queue_close, queue_front, queue_open, queue_pop, queue_push, queue_t
from media.plane.red cimport parse_red as c_parse_red, red_t
from media.plane.ring cimport ring_close, ring_bytes, ring_find, ring_open, ring_seen, ring_store, ring_t, slot_t
from media.plane.rtcp cimport next_rtcp, rtcp_t, write_nack as c_write_nack
from media.plane.rtp cimport element_t, next_element, parse_rtp as c_parse_rtp, rtp_t
from media.plane.objects cimport CACHE_LINE, CONSUMER_LINES, TRANSPORT_LINES, consumer_t, transport_t
from media.plane.spans cimport (
    SPANS_FIRST, span_t, spans_begin, spans_close, spans_current, spans_find, spans_find_out, spans_open, spans_skip, spans_t,
)
from media.plane.ssrcs cimport ssrcs_close, ssrcs_find, ssrcs_put, ssrcs_remove, ssrcs_t
from media.plane.stream cimport stream_arrival, stream_t
from media.plane.timers cimport timer_cancel, timer_hasten, timer_set, timer_t, timers_close, timers_next, timers_t, timers_take

ARRIVALS = ("new", "late", "duplicate", "bad", "restart")


def unwrap16(last, value):
    return c_unwrap16(last, value)


def unwrap_bits(last, value, bits):
    return c_unwrap_bits(last, value, bits)


cdef class Exact:
    """A copy on the heap, no byte longer, so that reading past the end is an error under a sanitizer."""
    cdef uint8_t *at
    cdef int length

    def __cinit__(self, bytes data):
        self.length = <int>len(data)
        self.at = <uint8_t *>malloc(max(len(data), 1))
        memcpy(self.at, <const char *>data, len(data))

    def __dealloc__(self):
        free(self.at)


def parse_rtp(data):
    cdef Exact exact = Exact(data)
    cdef rtp_t rtp
    cdef element_t element
    cdef int cursor
    if not c_parse_rtp(&rtp, exact.at, exact.length):
        return None
    elements = []
    cursor = rtp.extensions_at
    while next_element(&rtp, exact.at, &cursor, &element):
        elements.append((element.id, data[element.at : element.at + element.length]))
    payload = data[rtp.payload_at : rtp.payload_at + rtp.payload_length]
    return bool(rtp.marker), rtp.payload_type, rtp.sequence, rtp.timestamp, rtp.ssrc, elements, payload


def parse_payload(codec, data):
    cdef Exact exact = Exact(data)
    cdef payload_t payload
    codecs = {"vp8": CODEC_VP8, "vp9": CODEC_VP9, "h264": CODEC_H264, "av1": CODEC_AV1, "opus": CODEC_OPAQUE}
    if not c_parse_payload(&payload, codecs[codec], exact.at, exact.length):
        return None
    return {
        "key": bool(payload.key), "first": bool(payload.first),
        "picture": payload.picture if payload.picture_bits else None, "bits": payload.picture_bits,
        "tl0": payload.tl0 if payload.tl0_at else None, "key_index": payload.key_index,
        "temporal": payload.temporal if payload.has_layer else None, "sync": bool(payload.layer_sync),
        "spatial": payload.spatial, "last": bool(payload.last), "predicted": bool(payload.predicted),
        "stacked": bool(payload.stacked), "up": bool(payload.up_switch), "flexible": bool(payload.flexible),
        "references": [payload.references[i] for i in range(payload.reference_count)],
    }


cdef class Dependencies:
    """Descriptors of one stream, read in turn."""
    cdef structure_t structure

    def read(self, data):
        """None when it is no descriptor; `needs` are those of the 16 rungs."""
        cdef Exact exact = Exact(data)
        cdef dependency_t dependency
        if not parse_dependency(&dependency, &self.structure, exact.at, exact.length):
            return None
        told = {"first": bool(dependency.first), "last": bool(dependency.last), "number": dependency.number}
        if not dependency.whole:
            return told
        return told | {
            "structure": bool(dependency.new_structure),
            "active": format(dependency.active, f"0{self.structure.targets}b") if dependency.masked else "",
            "spatial": dependency.frame.spatial, "temporal": dependency.frame.temporal,
            "references": [dependency.frame.references[i] for i in range(dependency.frame.reference_count)],
            "needs": "".join("-RS?"[frame_need(&dependency.frame, rung)] for rung in range(RUNGS)),
        }

    def rewrite(self, data, number, active):
        """The descriptor, which is read first, with another number and mask; None when it is none."""
        cdef Exact exact = Exact(data)
        cdef dependency_t dependency
        cdef described_t described
        cdef uint8_t *out
        if len(data) > <int>DEPENDENCY_LONGEST or not parse_dependency(&dependency, &self.structure, exact.at, exact.length):
            return None
        described.length = <uint8_t>exact.length
        described.targets = self.structure.targets if dependency.whole else 0
        described.mask_at = dependency.mask_at
        out = <uint8_t *>malloc(DEPENDENCY_LONGEST)
        try:
            return (<const char *>out)[: write_dependency(out, exact.at, &described, number, active)]
        finally:
            free(out)

    @property
    def reach(self):
        """What each of the 16 rungs makes decodable, as a mask."""
        return [format(self.structure.rung_reach[rung], f"0{self.structure.targets}b") for rung in range(RUNGS)]

    @property
    def active(self):
        return format(self.structure.active, f"0{self.structure.targets}b")

    @property
    def templates(self):
        """(spatial, temporal, indications, references) of each; None before there is a structure."""
        if not self.structure.known:
            return None
        return [
            (
                self.structure.templates[i].spatial, self.structure.templates[i].temporal,
                "".join(
                    "-DSR"[indication(self.structure.templates[i].indications, target)]
                    for target in range(self.structure.targets)
                ),
                tuple(
                    self.structure.templates[i].references[k]
                    for k in range(self.structure.templates[i].reference_count)
                ),
            )
            for i in range(self.structure.count)
        ]

    @property
    def keyed(self):
        return bool(self.structure.keyed)


def parse_red(data, payload_type):
    """The packet's own frame and the copies as (timestamp offset, frame), oldest first; None when broken."""
    cdef Exact exact = Exact(data)
    cdef red_t red
    if not c_parse_red(&red, exact.at, exact.length, payload_type):
        return None
    copies = [
        (red.copies[i].back, data[red.copies[i].at : red.copies[i].at + red.copies[i].length])
        for i in range(red.count)
    ]
    return data[red.own_at : red.own_at + red.own_length], copies


def rtcp_packets(data):
    cdef Exact exact = Exact(data)
    cdef rtcp_t packet
    cdef int cursor = 0
    cdef int status = next_rtcp(exact.at, exact.length, &cursor, &packet)
    packets = []
    while status == 1:
        packets.append((packet.type, packet.count, data[packet.at : packet.end]))
        status = next_rtcp(exact.at, exact.length, &cursor, &packet)
    return packets, status == 0


def write_nack(wanted):
    cdef uint8_t out[1024]
    cdef int64_t numbers[128]
    for i, number in enumerate(wanted):
        numbers[<int>i] = number
    return (<const char *>out)[: c_write_nack(out, 1, 2, numbers, <int>len(wanted))]


cdef class Spans:
    cdef spans_t spans
    cdef span_t first[<int>SPANS_FIRST]

    def __cinit__(self, most, newest_out):
        spans_open(&self.spans, self.first, most)
        self.spans.newest_out = newest_out

    def __dealloc__(self):
        spans_close(&self.spans)

    @property
    def capacity(self):
        return self.spans.capacity

    def begin(self, source, stream=0):
        cdef span_t *span = spans_begin(&self.spans, source)
        span.stream = stream

    def forward(self, source, stream=0):
        """As the plane does for a packet that is let through: its outgoing number, or None."""
        cdef span_t *span
        if source > self.spans.newest_source:
            self.spans.newest_source = source
            span = spans_current(&self.spans)
        else:
            span = spans_find(&self.spans, source, stream, 0)
        if span == NULL:
            return None
        if source - span.shift > self.spans.newest_out:
            self.spans.newest_out = source - span.shift
        return source - span.shift

    def skip(self, source, new_picture=False):
        spans_skip(&self.spans, source, new_picture)

    def source_of(self, out):
        cdef span_t *span = spans_find_out(&self.spans, out)
        return None if span == NULL else out + span.shift

    def picture_shift(self):
        return spans_current(&self.spans).picture_shift


cdef class Missing:
    cdef missing_list_t list

    def add(self, first, last, now):
        return bool(missing_add(&self.list, first, last, now))

    def arrived(self, sequence, now):
        return missing_arrived(&self.list, sequence, now)

    def due(self, now, rtt):
        cdef int64_t wanted[128]
        cdef int given_up = 0
        cdef int64_t next_at = INT64_MAX
        cdef int count = missing_due(&self.list, now, rtt, wanted, 128, &given_up, &next_at)
        return [wanted[i] for i in range(count)], given_up

    def __len__(self):
        return self.list.count


cdef class Stream:
    cdef stream_t *stream

    def __cinit__(self):
        self.stream = <stream_t *>calloc(1, sizeof(stream_t))
        self.stream.bad_next = -1
        ring_open(&self.stream.ring, 128, 128, 1 << 16, 1 << 16)

    def __dealloc__(self):
        ring_close(&self.stream.ring)
        free(self.stream)

    def arrival(self, sequence, now=0, rtx=False):
        cdef int64_t extended = 0
        cdef int64_t rtt = 0
        cdef bint outage = False
        kind = stream_arrival(self.stream, sequence, now, True, rtx, &extended, &rtt, &outage)
        return ARRIVALS[kind], extended, bool(outage)

    @property
    def missing(self):
        return [self.stream.missing.items[i].sequence for i in range(self.stream.missing.count)]


cdef class Ring:
    cdef ring_t ring

    def __cinit__(self, slots, slot_most, size, size_most):
        ring_open(&self.ring, slots, slot_most, size, size_most)

    def __dealloc__(self):
        ring_close(&self.ring)

    def store(self, sequence, bytes data, now):
        cdef slot_t *slot = ring_store(&self.ring, sequence, <const uint8_t *><const char *>data, <int>len(data), now)
        slot.payload_length = <uint16_t>len(data)
        slot.arrival_us = now

    def find(self, sequence):
        cdef slot_t *slot = ring_find(&self.ring, sequence)
        return None if slot == NULL else (<const char *>ring_bytes(&self.ring, slot))[: slot.payload_length]

    def seen(self, sequence):
        return bool(ring_seen(&self.ring, sequence))

    @property
    def slots(self):
        return self.ring.slot_count

    @property
    def size(self):
        return self.ring.block_size


cdef class Queue:
    cdef queue_t queue

    def __cinit__(self, capacity):
        queue_open(&self.queue, capacity)

    def __dealloc__(self):
        queue_close(&self.queue)

    def push(self, bytes head, bytes body):
        return bool(queue_push(
            &self.queue, <const char *>head, <uint32_t>len(head), <const char *>body, <uint32_t>len(body)
        ))

    def pop(self):
        cdef uint32_t length = 0
        cdef const uint8_t *front = queue_front(&self.queue, &length)
        if front == NULL:
            return None
        data = (<const char *>front)[:length]
        queue_pop(&self.queue)
        return data


cdef class Table:
    cdef table_t *table

    def __cinit__(self):
        self.table = <table_t *>calloc(1, sizeof(table_t))
        self.table.secret = 12345

    def __dealloc__(self):
        free(self.table)

    cdef address_t address(self, bytes data):
        cdef address_t address
        memcpy(&address, <const char *>data, sizeof(address_t))
        return address

    def put(self, data, owner):
        cdef address_t address = self.address(data)
        return bool(table_put(self.table, &address, <void *><uint64_t>owner))

    def find(self, data):
        cdef address_t address = self.address(data)
        return <uint64_t>table_find(self.table, &address)

    def remove(self, data):
        cdef address_t address = self.address(data)
        table_remove(self.table, &address)


cdef class Ssrcs:
    cdef ssrcs_t ssrcs

    def __dealloc__(self):
        ssrcs_close(&self.ssrcs)

    def put(self, ssrc, owner):
        ssrcs_put(&self.ssrcs, ssrc, <void *><uint64_t>owner)

    def find(self, ssrc):
        return <uint64_t>ssrcs_find(&self.ssrcs, ssrc)

    def remove(self, ssrc):
        ssrcs_remove(&self.ssrcs, ssrc)

    def longest(self):
        """The most entries that any search looks at."""
        cdef uint32_t i
        run = most = 0
        for i in range(2 * self.ssrcs.room):  # round the end
            run = run + 1 if self.ssrcs.entries[i % self.ssrcs.room].owner != NULL else 0
            most = max(most, run + 1)
        return most


cdef class Timers:
    """So many timers, by number."""
    cdef timers_t timers
    cdef timer_t *items

    def __cinit__(self, count):
        self.items = <timer_t *>calloc(count, sizeof(timer_t))
        for number in range(count):
            self.items[<int>number].part = number

    def __dealloc__(self):
        timers_close(&self.timers)
        free(self.items)

    def set(self, int number, due):
        timer_set(&self.timers, &self.items[number], due)

    def hasten(self, int number, due):
        timer_hasten(&self.timers, &self.items[number], due)

    def cancel(self, int number):
        timer_cancel(&self.timers, &self.items[number])

    def next(self):
        return None if timers_next(&self.timers) == INT64_MAX else timers_next(&self.timers)

    def take(self, now):
        cdef timer_t *timer = timers_take(&self.timers, now)
        return None if timer == NULL else timer.part


def near_bytes():
    """What each forwarded frame touches of a consumer and of a transport, and what of them is fetched ahead."""
    cdef consumer_t consumer
    cdef transport_t transport
    return (
        (<char *>&consumer.handle - <char *>&consumer, CONSUMER_LINES * CACHE_LINE),
        (<char *>&transport.handle - <char *>&transport, TRANSPORT_LINES * CACHE_LINE),
    )


cdef class Arrivals:
    cdef arrivals_t *arrivals

    def __cinit__(self):
        self.arrivals = <arrivals_t *>calloc(1, sizeof(arrivals_t))

    def __dealloc__(self):
        free(self.arrivals)

    def note(self, sequence, now):
        arrivals_note(self.arrivals, sequence, 9, now)

    def message(self):
        cdef uint8_t out[2048]
        return (<const char *>out)[: write_transport_cc(self.arrivals, out, 8)]


cdef class Sent:
    cdef sent_t *sent
    cdef results_t *last

    def __cinit__(self):
        self.sent = <sent_t *>calloc(1, sizeof(sent_t))
        sent_open(self.sent)
        self.last = <results_t *>calloc(1, sizeof(results_t))

    def __dealloc__(self):
        sent_close(self.sent)
        free(self.sent)
        free(self.last)

    @property
    def room(self):
        return self.sent.room

    def note(self, size, now):
        return sent_note(self.sent, size, now)

    def read(self, data, now=0):
        """A whole feedback packet, common header included."""
        cdef Exact exact = Exact(data)
        return bool(read_transport_cc(self.sent, self.last, exact.at, 4, exact.length, now))

    @property
    def results(self):
        """Of the last packet read."""
        return [
            (
                self.last.items[i].sent_us, self.last.items[i].arrival_us, self.last.items[i].size,
                bool(self.last.items[i].late),
            )
            for i in range(self.last.count)
        ]


cdef class FrameReader:
    """Frames out of pieces of a byte stream; None for one that is too long."""
    cdef frame_reader_t reader

    def read(self, data):
        cdef Exact exact = Exact(data)
        cdef int at = 0
        cdef int length = next_frame(&self.reader, exact.at, exact.length, &at)
        frames = []
        while length != FRAME_WANTS_MORE:
            frames.append(None if length == FRAME_TOO_LONG else (<const char *>self.reader.bytes)[:length])
            length = next_frame(&self.reader, exact.at, exact.length, &at)
        return frames
