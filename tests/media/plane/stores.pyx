"""Opens the plane's stores and counters to their tests, as `probe` does its parsers."""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from media.plane.address cimport address_t, table_find, table_put, table_remove, table_t
from media.plane.nack cimport missing_add, missing_arrived, missing_due, missing_list_t
from media.plane.queue cimport queue_close, queue_front, queue_open, queue_pop, queue_push, queue_t
from media.plane.ring cimport ring_close, ring_bytes, ring_find, ring_open, ring_seen, ring_store, ring_t, slot_t
from media.plane.objects cimport CACHE_LINE, CONSUMER_LINES, TRANSPORT_LINES, consumer_t, transport_t
from media.plane.spans cimport (
    SPANS_FIRST, span_t, spans_begin, spans_close, spans_current, spans_find, spans_find_out, spans_open, spans_skip, spans_t,
)
from media.plane.ssrcs cimport ssrcs_close, ssrcs_find, ssrcs_put, ssrcs_remove, ssrcs_t
from media.plane.stream cimport stream_arrival, stream_t
from media.plane.timers cimport (
    timer_cancel, timer_hasten, timer_set, timer_t, timers_close, timers_next, timers_t, timers_take,
)

ARRIVALS = ("new", "late", "duplicate", "bad", "restart")


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
