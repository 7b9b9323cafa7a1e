"""What the link bore when it last was overused: near it the rate is raised with care."""

from libc.math cimport sqrt

ctypedef struct capacity_t:
    double kbps  # 0: unknown
    double deviation  # normalized variance


cdef inline void capacity_reset(capacity_t *capacity) noexcept nogil:
    capacity.kbps = 0
    capacity.deviation = 0.4


cdef inline double capacity_spread(const capacity_t *capacity) noexcept nogil:
    """Three standard deviations, in kbit/s."""
    return 3 * sqrt(capacity.deviation * capacity.kbps)


cdef inline void capacity_add(capacity_t *capacity, double bps) noexcept nogil:
    """The rate that arrived while the link was overused."""
    cdef double sample = bps / 1000
    cdef double error
    if capacity.kbps <= 0:
        capacity.kbps = sample
    else:
        capacity.kbps += 0.05 * (sample - capacity.kbps)
    error = capacity.kbps - sample
    capacity.deviation = 0.95 * capacity.deviation + 0.05 * error * error / (capacity.kbps if capacity.kbps > 1 else 1)
    if capacity.deviation < 0.4:
        capacity.deviation = 0.4
    elif capacity.deviation > 2.5:
        capacity.deviation = 2.5


cdef inline bint above_capacity(const capacity_t *capacity, double bps) noexcept nogil:
    return capacity.kbps > 0 and bps / 1000 > capacity.kbps + capacity_spread(capacity)


cdef inline bint below_capacity(const capacity_t *capacity, double bps) noexcept nogil:
    return capacity.kbps > 0 and bps / 1000 < capacity.kbps - capacity_spread(capacity)
