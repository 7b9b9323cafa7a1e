"""How a consumer's outgoing numbers follow from the source's: the heart of the rewriting.

A span maps a run of source sequence numbers of one stream to outgoing ones by constant shifts. A dropped frame, a layer
switch, a pause or a publisher's restart ends a span and begins another; outgoing numbers never leave a gap that the
source did not have. The last spans are kept, so a late packet and a NACK find the shifts of their time: two at first,
with which most consumers do for ever, and twice as many whenever one would be forgotten, up to a limit.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc

cdef enum:
    FIRST_OUT = 65536  # outgoing numbers start above: one before the first is positive too
    SPANS_FIRST = 2

ctypedef struct span_t:
    int64_t first  # source sequence numbers, extended: first <= n < end
    int64_t end
    int64_t shift  # outgoing = source - shift
    int64_t picture_shift
    uint32_t timestamp_shift
    uint32_t epoch
    uint32_t ssrc
    uint8_t stream
    uint8_t tl0_shift
    uint8_t key_shift
    uint8_t top  # the highest spatial layer: its last packet ends the picture
    uint8_t temporal  # the highest temporal layer that is sent
    uint32_t active  # the decode targets to name in its dependency descriptors; 0: the publisher's word holds

ctypedef struct spans_t:
    span_t *items  # circular; its owner's SPANS_FIRST until there are more
    int capacity  # powers of two
    int most
    int64_t begun  # spans ever begun; the newest is at (begun - 1) & (capacity - 1)
    int64_t newest_source  # of the newest span's stream
    int64_t newest_out
    int64_t newest_picture
    uint32_t newest_timestamp
    uint8_t newest_tl0
    uint8_t newest_key


cdef inline void spans_open(spans_t *spans, span_t *first, int most) noexcept nogil:
    """`first`: SPANS_FIRST of the owner's, where he has them near; `most`: how many are kept in the end, a power of two."""
    spans.items = first
    spans.capacity = SPANS_FIRST
    spans.most = most


cdef inline void spans_close(spans_t *spans) noexcept nogil:
    if spans.capacity > SPANS_FIRST:
        free(spans.items)
    spans.items = NULL


cdef inline void spans_grow(spans_t *spans) noexcept nogil:
    """Room for twice as many; where there is no memory it stays as it is, and the oldest will be forgotten."""
    cdef int capacity = 2 * spans.capacity
    cdef span_t *items = <span_t *>malloc(capacity * sizeof(span_t))
    cdef int64_t i
    if items == NULL:
        return
    for i in range(spans.begun - spans.capacity, spans.begun):
        items[i & (capacity - 1)] = spans.items[i & (spans.capacity - 1)]
    spans_close(spans)
    spans.items = items
    spans.capacity = capacity


cdef inline span_t *spans_current(const spans_t *spans) noexcept nogil:
    """The newest span, or NULL before anything was forwarded."""
    if spans.begun == 0:
        return NULL
    return &spans.items[(spans.begun - 1) & (spans.capacity - 1)]


cdef inline span_t *spans_begin(spans_t *spans, int64_t source) noexcept nogil:
    """End the current span and begin one at `source` that continues its outgoing sequence. Shifts are copied over.

    Spans found before may be elsewhere afterwards.
    """
    cdef span_t *last
    cdef span_t *span
    if spans.begun >= spans.capacity and spans.capacity < spans.most:
        spans_grow(spans)
    last = spans_current(spans)
    span = &spans.items[spans.begun & (spans.capacity - 1)]
    if last != NULL:
        if last.end == INT64_MAX:
            last.end = spans.newest_source + 1
        if last != span:
            span[0] = last[0]
    span.first = source
    span.end = INT64_MAX
    span.shift = source - (spans.newest_out + 1)
    spans.newest_source = source - 1
    spans.begun += 1
    return span


cdef inline void spans_skip(spans_t *spans, int64_t source, bint new_picture) noexcept nogil:
    """The next source packet will not be sent: close the ranks behind it. `source` is ahead of all before."""
    cdef span_t *span = spans_current(spans)
    cdef int64_t shift = span.shift + 1
    if source > span.first:
        # A source packet lost before this one keeps its place in the outgoing numbers.
        spans.newest_out = source - 1 - span.shift
        span.end = source
        span = spans_begin(spans, source + 1)
    span.first = source + 1
    span.shift = shift
    spans.newest_source = source
    if new_picture:
        span.picture_shift += 1


cdef inline span_t *spans_split(spans_t *spans, int64_t source) noexcept nogil:
    """A new span from `source` on, with all shifts as before. `source` is ahead of all before."""
    cdef span_t *span = spans_current(spans)
    if source > span.first:
        spans.newest_out = source - 1 - span.shift
        span.end = source
        span = spans_begin(spans, source)
    return span


cdef inline span_t *spans_find(const spans_t *spans, int64_t source, uint8_t stream, uint32_t epoch) noexcept nogil:
    """The span of a source packet, or NULL when it was skipped or is too old."""
    cdef int64_t i
    cdef span_t *span
    cdef int64_t oldest = spans.begun - spans.capacity if spans.begun > spans.capacity else 0
    for i in range(spans.begun - 1, oldest - 1, -1):
        span = &spans.items[i & (spans.capacity - 1)]
        if span.stream != stream or span.epoch != epoch:
            continue
        if source >= span.first:
            return span if source < span.end else NULL
    return NULL


cdef inline span_t *spans_find_out(const spans_t *spans, int64_t out) noexcept nogil:
    """The span that produced an outgoing number, or NULL."""
    cdef int64_t i
    cdef span_t *span
    cdef int64_t oldest = spans.begun - spans.capacity if spans.begun > spans.capacity else 0
    for i in range(spans.begun - 1, oldest - 1, -1):
        span = &spans.items[i & (spans.capacity - 1)]
        if out >= span.first - span.shift:
            return span if out + span.shift < span.end else NULL
    return NULL
