"""Whether the queue on the way grows: a line fitted through the delays of the last bursts, against a threshold that
adapts itself (draft-ietf-rmcat-gcc-02 sections 5.3 and 5.4, with the trendline filter that libwebrtc put in the Kalman
filter's place)."""

from libc.math cimport fmin
from libc.stdint cimport int64_t

cdef enum:
    TREND_POINTS = 20
    TREND_DELTAS_MOST = 60  # how far a long steady history strengthens a trend
    OVERUSE_US = 10_000  # how long a trend must last
    QUEUE_LEAST_MS = 25  # what frames that meet on a shared line make of a queue, and leave again
    LEAST_US = 5_000_000  # the shortest delay is that of the last one to two of these: clocks drift

cdef enum usage_t:
    USAGE_NORMAL
    USAGE_OVER
    USAGE_UNDER

ctypedef struct trendline_t:
    double times_ms[<int>TREND_POINTS]
    double delays_ms[<int>TREND_POINTS]
    int points  # ever taken
    double accumulated_ms
    double smoothed_ms
    double threshold_ms
    double last_trend
    double least_ms  # the shortest delay of this period, and of the one before
    double least_before_ms
    int64_t period_us
    int64_t first_arrival_us
    int64_t adapted_us
    int64_t over_us  # how long the trend has been above the threshold; -1 not at all
    int over_count
    int usage


cdef inline void trendline_reset(trendline_t *line) noexcept nogil:
    """As at the beginning, or after a silence: what was queued then says nothing of now."""
    line.points = 0
    line.accumulated_ms = 0
    line.smoothed_ms = 0
    line.threshold_ms = 12.5
    line.last_trend = 0
    line.adapted_us = 0
    line.over_us = -1
    line.over_count = 0
    line.usage = USAGE_NORMAL


cdef inline double slope(const trendline_t *line, double otherwise) noexcept nogil:
    """Least squares: delay in ms per ms of time."""
    cdef double time = 0
    cdef double delay = 0
    cdef double above = 0
    cdef double below = 0
    cdef int i
    for i in range(TREND_POINTS):
        time += line.times_ms[i] / TREND_POINTS
        delay += line.delays_ms[i] / TREND_POINTS
    for i in range(TREND_POINTS):
        above += (line.times_ms[i] - time) * (line.delays_ms[i] - delay)
        below += (line.times_ms[i] - time) * (line.times_ms[i] - time)
    return above / below if below > 0 else otherwise


cdef inline void adapt_threshold(trendline_t *line, double trend_ms, int64_t now) noexcept nogil:
    """Follow the trend slowly up, quickly down, so that neither jitter nor a competing TCP flow starves us."""
    cdef double size = trend_ms if trend_ms >= 0 else -trend_ms
    cdef double elapsed_ms = (now - line.adapted_us) / 1000.0 if line.adapted_us else 0
    line.adapted_us = now
    if size > line.threshold_ms + 15:  # a sudden peak, of a route change perhaps
        return
    if elapsed_ms < 0 or elapsed_ms > 100:
        elapsed_ms = 100
    line.threshold_ms += (0.0087 if size > line.threshold_ms else 0.039) * (size - line.threshold_ms) * elapsed_ms
    if line.threshold_ms < 6:
        line.threshold_ms = 6
    elif line.threshold_ms > 600:
        line.threshold_ms = 600


cdef inline void note_least(trendline_t *line, int64_t now) noexcept nogil:
    """Before the point is counted."""
    if line.points == 0 or now - line.period_us >= LEAST_US:
        line.least_before_ms = line.least_ms if line.points else line.smoothed_ms
        line.least_ms = line.smoothed_ms
        line.period_us = now
    line.least_ms = fmin(line.least_ms, line.smoothed_ms)


cdef inline double queued_ms(const trendline_t *line) noexcept nogil:
    """How much longer packets take now than when they last took the shortest."""
    return line.smoothed_ms - fmin(line.least_ms, line.least_before_ms)


cdef inline void detect(trendline_t *line, double trend, int64_t sent_gap_us, int64_t now) noexcept nogil:
    cdef int deltas = line.points if line.points < TREND_DELTAS_MOST else TREND_DELTAS_MOST
    cdef double trend_ms = deltas * trend * 4
    if trend_ms > line.threshold_ms:
        line.over_us = sent_gap_us // 2 if line.over_us < 0 else line.over_us + sent_gap_us
        line.over_count += 1
        if (
            line.over_us > OVERUSE_US and line.over_count > 1 and trend >= line.last_trend
            and queued_ms(line) >= QUEUE_LEAST_MS
        ):
            line.over_us = 0
            line.over_count = 0
            line.usage = USAGE_OVER
    else:
        line.over_us = -1
        line.over_count = 0
        line.usage = USAGE_UNDER if trend_ms < -line.threshold_ms else USAGE_NORMAL
    line.last_trend = trend
    adapt_threshold(line, trend_ms, now)


cdef inline void trendline_add(
    trendline_t *line, int64_t sent_gap_us, int64_t arrival_gap_us, int64_t arrival_us, int64_t now
) noexcept nogil:
    """Take the gaps between two bursts; the verdict is in `usage`."""
    cdef double trend = line.last_trend
    if line.points == 0:
        line.first_arrival_us = arrival_us
    line.accumulated_ms += (arrival_gap_us - sent_gap_us) / 1000.0
    line.smoothed_ms = 0.9 * line.smoothed_ms + 0.1 * line.accumulated_ms
    line.times_ms[line.points % TREND_POINTS] = (arrival_us - line.first_arrival_us) / 1000.0
    line.delays_ms[line.points % TREND_POINTS] = line.smoothed_ms
    note_least(line, now)
    line.points += 1
    if line.points > 100_000:  # far from any overflow, and a multiple of TREND_POINTS
        line.points -= 50_000
    if line.points >= TREND_POINTS:
        trend = slope(line, trend)
    detect(line, trend, sent_gap_us, now)
