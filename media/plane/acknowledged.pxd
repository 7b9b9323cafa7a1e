"""The rate at which packets really arrive: what came in the last half second, on the receiver's clock.

Half a second is long enough for a key frame not to look like a rate, and short enough to see a line collapse while it
does. Few packets are averaged over twice that.
"""

from libc.stdint cimport int64_t
from libc.string cimport memset

cdef enum:
    BIN_US = 50_000
    BINS = 32  # a power of two, and more than the longest window
    WINDOW_BINS = 10
    WINDOW_LONG_BINS = 20
    PACKETS_ENOUGH = 20
    RUN_LEAST_US = 150_000  # of a run that has just begun: before it there is no rate
    SILENCE_BINS = 12

ctypedef struct acknowledged_t:
    double bps  # 0: nothing known yet
    int bytes[<int>BINS]
    int packets[<int>BINS]
    int64_t newest  # number of the newest bin
    int64_t run_us  # since when packets come without a silence; 0 never


cdef inline void acknowledged_reset(acknowledged_t *rate) noexcept nogil:
    rate.bps = 0
    rate.newest = 0
    rate.run_us = 0


cdef inline void begin_run(acknowledged_t *rate, int64_t arrival_us) noexcept nogil:
    memset(rate.bytes, 0, sizeof(rate.bytes))
    memset(rate.packets, 0, sizeof(rate.packets))
    rate.newest = arrival_us // BIN_US
    rate.run_us = arrival_us


cdef inline void acknowledged_add(acknowledged_t *rate, int64_t arrival_us, int size) noexcept nogil:
    """Take a packet that arrived."""
    cdef int64_t bin = arrival_us // BIN_US
    cdef int64_t number
    if rate.run_us == 0 or bin > rate.newest + SILENCE_BINS or bin <= rate.newest - WINDOW_LONG_BINS:
        begin_run(rate, arrival_us)  # the first; after a silence; their clock was set
    for number in range(rate.newest + 1, bin + 1):
        rate.bytes[number & (BINS - 1)] = 0
        rate.packets[number & (BINS - 1)] = 0
    if bin > rate.newest:
        rate.newest = bin
    rate.bytes[bin & (BINS - 1)] += size
    rate.packets[bin & (BINS - 1)] += 1


cdef inline void acknowledged_update(acknowledged_t *rate, int64_t arrival_us) noexcept nogil:
    """Renew `bps` at the newest arrival."""
    cdef int64_t begin = rate.run_us
    cdef int64_t bytes = 0
    cdef int packets = 0
    cdef int i
    if arrival_us - rate.run_us < RUN_LEAST_US or arrival_us // BIN_US != rate.newest:
        return
    for i in range(WINDOW_LONG_BINS):
        if i >= WINDOW_BINS and packets >= PACKETS_ENOUGH or (rate.newest - i + 1) * BIN_US <= rate.run_us:
            break
        bytes += rate.bytes[(rate.newest - i) & (BINS - 1)]
        packets += rate.packets[(rate.newest - i) & (BINS - 1)]
        begin = (rate.newest - i) * BIN_US
    if begin < rate.run_us:
        begin = rate.run_us
    rate.bps = 8e6 * bytes / (arrival_us - begin)
