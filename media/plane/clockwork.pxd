"""What happens by time: frames whose turn it is, reports, silent publishers.

The tick looks at everybody, so nothing that a client sends brings it forward; what waits for less has a time of its own.
"""

from libc.stdint cimport int64_t, uint32_t

from media.plane.allocator cimport allocate_due, build_ladder, measure
from media.plane.bits cimport smallest
from media.plane.budget cimport guide, probe_on
from media.plane.catchup cimport pace_on
from media.plane.layers cimport ask_for_switches, find_active, find_wanted
from media.plane.lifting cimport lift_on
from media.plane.meter cimport MEASURE_US
from media.plane.objects cimport core_t, producer_t, transport_t
from media.plane.repairs cimport next_repair, repair_due
from media.plane.reports cimport report
from media.plane.sending cimport core_tell, deliver_all
from media.plane.stream cimport stream_t
from media.plane.turns cimport send_due

cdef enum:
    TICK_US = 50_000
    SLOW_TICK_US = 1_000_000
    SILENT_US = 5_000_000
    EVENT_SILENT = 2


cdef inline void slow_tick(core_t *core, producer_t *producer) noexcept nogil:
    cdef int k
    cdef stream_t *stream
    for k in range(producer.stream_count):
        stream = &producer.streams[k]
        stream.bitrate = <uint32_t>((stream.bytes - stream.bytes_prior) * 8)
        stream.bytes_prior = stream.bytes
        stream.frame_rate = stream.frames - stream.frames_prior
        stream.frames_prior = stream.frames
    if (
        producer.heard and not producer.paused and not producer.silent
        and core.now - producer.last_packet_us > SILENT_US
    ):
        producer.silent = True
        core_tell(core, EVENT_SILENT, producer.handle, -1, -1)


cdef inline void look_at_layers(core_t *core) noexcept nogil:
    """What is sent, what it costs, and who may have which of it."""
    cdef int i
    cdef bint measuring = core.now >= core.measure_at
    cdef producer_t *producer
    if measuring:
        core.measure_at = core.now + MEASURE_US
    for i in range(core.producers.count):
        producer = <producer_t *>core.producers.items[i]
        find_active(core, producer)
        if producer.video:
            if measuring:
                measure(producer)
            build_ladder(producer)
            find_wanted(core, producer)
    for i in range(core.transports.count):
        allocate_due(core, <transport_t *>core.transports.items[i])


cdef inline void tick(core_t *core) noexcept nogil:
    cdef int i
    cdef bint slow = core.now >= core.slow_tick_at
    cdef producer_t *producer
    core.ticks += 1
    look_at_layers(core)
    if slow:
        core.slow_tick_at = core.now + SLOW_TICK_US
    for i in range(core.producers.count):
        producer = <producer_t *>core.producers.items[i]
        ask_for_switches(core, producer)
        if slow:
            slow_tick(core, producer)
    for i in range(core.transports.count):
        report(core, <transport_t *>core.transports.items[i])
        guide(core, <transport_t *>core.transports.items[i])
    core.tick_at = core.now + (TICK_US if core.transports.count else SLOW_TICK_US)


cdef inline int64_t core_advance(core_t *core, int64_t now) noexcept nogil:
    """Do what is due at `now` and hand over what is to be sent; answers when to come back."""
    cdef int64_t next_at, frame_at
    core.now = now
    frame_at = send_due(core)
    if now >= core.tick_at:
        tick(core)
    if now >= next_repair(core):
        repair_due(core)
    if core.probing_count and now >= core.probe_at:
        probe_on(core)
    if core.lift_at and now >= core.lift_at:
        lift_on(core)
    if core.pace_at and now >= core.pace_at:
        pace_on(core)
    deliver_all(core)
    next_at = smallest(core.tick_at, next_repair(core))
    if frame_at:
        next_at = smallest(next_at, frame_at)
    if core.probing_count:
        next_at = smallest(next_at, core.probe_at)
    if core.lift_at:
        next_at = smallest(next_at, core.lift_at)
    if core.pace_at:
        next_at = smallest(next_at, core.pace_at)
    return next_at
