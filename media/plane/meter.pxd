"""What each layer of a producer costs: bytes over a sliding second, held at their peak for a while.

A key frame is no rate: pacing spreads it, and one that somebody asked for would make the layer too dear for all who have
it, for seconds. So it is reckoned in instalments.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

cdef enum:
    MEASURE_US = 250_000
    WINDOW = 4  # measurings: one second, as long as a key frame's burst takes to even out
    INSTALMENT_SHIFT = 3  # of a key frame an eighth of what is left each time
    PEAK_SHIFT = 3  # of a peak an eighth is forgotten each time: a shared page that is turned stays paid for two seconds

ctypedef struct meter_t:
    uint32_t bytes  # since the last measuring
    uint32_t owed  # of key frames
    uint32_t window[<int>WINDOW]
    uint8_t at
    uint8_t filled
    uint32_t bps  # 0: nothing came for a second, or not measured yet


cdef inline void meter_add(meter_t *meter, int bytes, bint key, bint asked) noexcept nogil:
    """A packet came; `key`: of a key frame; `asked`: of one that was asked for, of the smallest size. It costs what it costs
    once: to reckon with it made pauses, whose end asks for the next."""
    if key and asked and meter.filled:
        return
    if key:
        meter.owed += bytes
    else:
        meter.bytes += bytes


cdef inline void meter_measure(meter_t *meter) noexcept nogil:
    """Every MEASURE_US."""
    cdef int64_t total = 0
    cdef int64_t bps
    cdef int i
    if meter.bytes == 0 and meter.filled == 0 and meter.owed == 0:
        return
    if meter.bytes or meter.filled == 0:
        meter.bytes += meter.owed >> INSTALMENT_SHIFT
        meter.owed -= meter.owed >> INSTALMENT_SHIFT
    meter.window[meter.at] = meter.bytes
    meter.at = (meter.at + 1) % WINDOW
    meter.bytes = 0
    if meter.filled < WINDOW:
        meter.filled += 1
    for i in range(WINDOW):
        total += meter.window[i]
    if total == 0:
        meter.filled = 0
        meter.owed = 0
        meter.bps = 0
        return
    bps = total * 8 * 1_000_000 // (meter.filled * <int64_t>MEASURE_US)
    meter.bps -= meter.bps >> PEAK_SHIFT
    if bps > meter.bps:
        meter.bps = <uint32_t>bps
