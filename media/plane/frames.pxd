"""The frames of a layered stream: to which layers each belongs, who needs it, and what it refers to.

One record a frame, whatever told it (VP9's payload descriptor, or the dependency descriptor), so that choosing layers is the
same for all. Frames have a number of their own: VP9's is its picture id and spatial layer in one, the dependency
descriptor brings one.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from media.plane.allocation cimport RUNGS, SPATIAL_MOST, TEMPORAL_MOST
from media.plane.payload cimport payload_t

cdef enum:
    FRAMES_KEPT = 256  # a power of two; half a second of three spatial layers at 60 pictures a second, and more
    FRAME_REFERENCES = 8
    VP9_NUMBER_SHIFT = 2  # a picture's layers have consecutive numbers

# What a frame is to a rung, two bits each (the dependency descriptor's indications, "discardable" among the required).
cdef enum need_t:
    NEED_NOT
    NEED_REQUIRED
    NEED_SWITCH  # from this frame on the rung can be decoded, if the frame itself can

ctypedef struct frame_t:
    int64_t number
    uint32_t needs  # need_t of each rung
    uint8_t spatial
    uint8_t temporal
    bint intra  # refers to no earlier picture: the lower layers of such a picture are needed by the higher ones
    uint8_t reference_count
    uint16_t references[<int>FRAME_REFERENCES]  # how far before, in numbers

ctypedef struct frames_t:
    frame_t kept[<int>FRAMES_KEPT]
    # VP9 without explicit references: the newest frame of each layer that later ones may refer to; 0 none
    int64_t newest[<int>RUNGS]
    int64_t newest_number


cdef inline frame_t *frames_find(frames_t *frames, int64_t number) noexcept nogil:
    """The record of a frame, or NULL when nothing was told of it or it is too old."""
    cdef frame_t *frame = &frames.kept[number & (FRAMES_KEPT - 1)]
    return frame if frame.number == number else NULL


cdef inline int frame_need(const frame_t *frame, int rung) noexcept nogil:
    return (frame.needs >> (2 * rung)) & 3


cdef inline void frame_refers(frame_t *frame, int64_t number) noexcept nogil:
    """Note a reference; one too many or too far is left out: the decoder will say if it misses it."""
    if frame.number - number <= 0xFFFF and frame.reference_count < FRAME_REFERENCES:
        frame.references[frame.reference_count] = <uint16_t>(frame.number - number)
        frame.reference_count += 1


cdef inline void frames_note(frames_t *frames, int64_t number, const frame_t *told) noexcept nogil:
    """Keep what a dependency descriptor says of its frame (all packets of a frame say the same)."""
    cdef frame_t *frame = &frames.kept[number & (FRAMES_KEPT - 1)]
    if frame.number < number:  # else known, or too old to be kept
        frame[0] = told[0]
        frame.number = number


cdef inline uint32_t vp9_needs(const payload_t *payload, bint keyed) noexcept nogil:
    """`keyed`: spatial layers depend on each other in key pictures only."""
    cdef uint32_t needs = 0
    cdef int spatial, temporal
    cdef uint32_t need
    for spatial in range(payload.spatial, SPATIAL_MOST):
        if spatial > payload.spatial and keyed and payload.predicted:
            break
        for temporal in range(payload.temporal, TEMPORAL_MOST):
            need = NEED_SWITCH
            if spatial > payload.spatial and payload.predicted:
                need = NEED_REQUIRED
            elif temporal > payload.temporal and payload.predicted and not payload.flexible and not payload.up_switch:
                need = NEED_REQUIRED
            needs |= need << (2 * (spatial * TEMPORAL_MOST + temporal))
    return needs


cdef inline void vp9_guess_references(frames_t *frames, frame_t *frame) noexcept nogil:
    """Outside of flexible mode a packet does not say which pictures its frame refers to, but it can be only those of its own
    spatial layer and of no higher temporal one."""
    cdef int temporal
    cdef int64_t number
    for temporal in range(frame.temporal + 1):
        number = frames.newest[frame.spatial * TEMPORAL_MOST + temporal]
        if number and number < frame.number:
            frame_refers(frame, number)


cdef inline void vp9_note_newest(frames_t *frames, const frame_t *frame, const payload_t *payload) noexcept nogil:
    cdef int spatial, temporal
    if frame.number < frames.newest_number:
        return
    frames.newest_number = frame.number
    frames.newest[frame.spatial * TEMPORAL_MOST + frame.temporal] = frame.number
    if payload.up_switch:
        for spatial in range(SPATIAL_MOST):
            for temporal in range(frame.temporal + 1, TEMPORAL_MOST):
                frames.newest[spatial * TEMPORAL_MOST + temporal] = 0


cdef inline void frames_note_vp9(frames_t *frames, int64_t picture, const payload_t *payload, bint keyed) noexcept nogil:
    """Keep what a packet's payload descriptor says of its frame (all packets of a frame say the same)."""
    cdef int64_t number = (picture << VP9_NUMBER_SHIFT) + payload.spatial
    cdef frame_t *frame = &frames.kept[number & (FRAMES_KEPT - 1)]
    cdef int i
    if frame.number >= number:  # known, or too old to be kept
        return
    frame.number = number
    frame.spatial = payload.spatial
    frame.temporal = payload.temporal
    frame.intra = not payload.predicted
    frame.needs = vp9_needs(payload, keyed)
    frame.reference_count = 0
    if payload.stacked and payload.spatial:
        frame_refers(frame, number - 1)
    if payload.flexible:
        for i in range(payload.reference_count):
            frame_refers(frame, number - (<int64_t>payload.references[i] << VP9_NUMBER_SHIFT))
    elif payload.predicted:
        vp9_guess_references(frames, frame)
    vp9_note_newest(frames, frame, payload)
