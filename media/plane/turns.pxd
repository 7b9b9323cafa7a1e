"""Whose turn it is: of all streams with packets to send the most urgent goes on, for one slice at a time.

Between slices the loop reads its sockets, so a voice waits for a batch of a large room's frame and never for all of it, and
a small room's frame passes a large one. The order is that of the times at which each would be through if it had the
thread for itself: nothing waits for ever, and of equals whoever came first goes first and to the end, because turns between
equals would only let all of them end as late as the last.
"""

from libc.stdint cimport INT64_MAX, int64_t

from media.plane.bits cimport smallest
from media.plane.drops cimport DROP_RESTARTED
from media.plane.fanout cimport send_slice, send_whole
from media.plane.objects cimport core_t, producer_t
from media.plane.stream cimport stream_t

cdef enum:
    FRAME_WAIT_US = 1_000  # how long the first packet of a frame may wait for the last
    CONSUMER_US = 10  # what a frame for one consumer takes, roughly
    VOICE_AHEAD_US = 100_000  # a voice goes before every frame that has not waited for so long


cdef inline stream_t *due_stream(const core_t *core, int index) noexcept nogil:
    return &core.due[index].producer.streams[core.due[index].stream]


cdef inline void strike(core_t *core, int index) noexcept nogil:
    """A stream has nothing to send any more. The others keep their order."""
    cdef int i
    due_stream(core, index).listed = False
    core.due_count -= 1
    for i in range(index, core.due_count):
        core.due[i] = core.due[i + 1]


cdef inline int64_t ready_at(const stream_t *stream) noexcept nogil:
    """When the packets of a stream may be sent, 0 for at once."""
    return 0 if stream.sending or stream.pending_due else stream.pending_since_us + FRAME_WAIT_US


cdef inline int64_t through_at(const producer_t *producer, const stream_t *stream) noexcept nogil:
    """When all would have had its packets if there were no others: the smaller, the more urgent."""
    cdef int64_t at = stream.sending_since_us if stream.sending else stream.pending_since_us
    cdef int left = producer.consumers.count - (stream.sent_to if stream.sending else 0)
    return at + left * CONSUMER_US - (0 if producer.video else VOICE_AHEAD_US)


cdef inline void forget_idle(core_t *core) noexcept nogil:
    """Strike streams off that have nothing waiting: publishers who began anew."""
    cdef int i
    cdef stream_t *stream
    for i in range(core.due_count - 1, -1, -1):
        stream = due_stream(core, i)
        core.drops[<int>DROP_RESTARTED] += stream.forsaken
        stream.forsaken = 0
        if stream.pending_count == 0:
            strike(core, i)


cdef inline int most_urgent(const core_t *core) noexcept nogil:
    """Of those that may be sent now; -1 for none."""
    cdef int i
    cdef int found = -1
    cdef int64_t at
    cdef int64_t soonest = INT64_MAX
    for i in range(core.due_count):
        if ready_at(due_stream(core, i)) > core.now:
            continue
        at = through_at(core.due[i].producer, due_stream(core, i))
        if at < soonest:
            soonest = at
            found = i
    return found


cdef inline int64_t next_ready(const core_t *core) noexcept nogil:
    """When the first that waits for the rest of its frame will have waited enough, 0 for never."""
    cdef int i
    cdef int64_t at = 0
    for i in range(core.due_count):
        at = smallest(at, ready_at(due_stream(core, i))) if at else ready_at(due_stream(core, i))
    return at


cdef inline int64_t send_due(core_t *core) noexcept nogil:
    """Send what may be sent, until a batch is full; when to come back, 0 for no need."""
    cdef int index
    cdef stream_t *stream
    forget_idle(core)
    while True:
        index = most_urgent(core)
        if index < 0:
            return next_ready(core)
        stream = due_stream(core, index)
        if not send_slice(core, core.due[index].producer, stream):
            return core.now
        if stream.pending_count == 0:
            strike(core, index)


cdef inline void send_all(core_t *core) noexcept nogil:
    """Send whatever waits, to the end: nothing refers to any object afterwards."""
    forget_idle(core)
    while core.due_count:
        send_whole(core, core.due[0].producer, due_stream(core, 0))
        if due_stream(core, 0).pending_count == 0:
            strike(core, 0)
