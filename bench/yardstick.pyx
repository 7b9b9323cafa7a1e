# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""How fast a processor is just now: virtual ones are slow for some hundredths of a second now and then."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

from bench.datagrams cimport CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_THREAD_CPUTIME_ID, clock_ns, sleep_until

from media.plane.scheduling cimport hasten

cdef enum:
    LOOKS = 1 << 16
    WORK = 10_000  # multiplications: some ten microseconds
    EVERY_NS = 2_000_000
    NICENESS = -20


cdef class Yardstick:
    """How long the same small work takes one processor, again and again: the machine's own speed, whoever uses it."""
    cdef volatile bint stopped
    cdef int64_t *ended
    cdef int64_t *took
    cdef int looks
    cdef volatile uint64_t product

    def __init__(self):
        self.stopped = False
        self.looks = 0
        self.product = 1
        self.ended = <int64_t *> calloc(LOOKS, sizeof(int64_t))
        self.took = <int64_t *> calloc(LOOKS, sizeof(int64_t))
        if self.ended == NULL or self.took == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.ended)
        free(self.took)

    def stop(self):
        self.stopped = True

    def take(self):
        """When each look ended, in seconds since the epoch, and how many seconds of processor it took."""
        return [(self.ended[index] / 1e9, self.took[index] / 1e9) for index in range(self.looks)]

    def run(self):
        """Look every two milliseconds until `stop` is called; the calling thread must be bound to the processor."""
        cdef int64_t before
        cdef int step
        with nogil:
            hasten(NICENESS)
            while not self.stopped and self.looks < LOOKS:
                sleep_until(clock_ns(CLOCK_MONOTONIC) + EVERY_NS)
                before = clock_ns(CLOCK_THREAD_CPUTIME_ID)
                for step in range(WORK):
                    self.product = self.product * 6364136223846793005ULL + 1
                self.took[self.looks] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - before
                self.ended[self.looks] = clock_ns(CLOCK_REALTIME)
                self.looks += 1
