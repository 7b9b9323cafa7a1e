"""Which frames of a layered stream one consumer gets.

A consumer has a rung, and gets the frames that rung needs. It goes to a lower rung with the next picture wherever that is a part of
what it has; to any other only at a frame from which that one can be decoded, and nothing that frame refers to was left out. A
frame that refers to one left out is left out too. Spatial layers change between pictures only: a receiver takes a picture's
marker at its word.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from media.plane.allocation cimport TEMPORAL_MOST
from media.plane.bits cimport smallest
from media.plane.frames cimport NEED_NOT, NEED_SWITCH, frame_need, frame_t

cdef enum:
    LEFT_OUT_KEPT = 1024  # VP9 refers back 127 pictures at most
    LEFT_OUT_WORDS = 16

ctypedef struct selection_t:
    int spatial
    int temporal
    int64_t newest  # frame number; what follows it is not known yet
    uint32_t picture  # timestamp of the picture under way
    bint any_picture
    int64_t decided  # the frame last decided on; all its packets share its lot
    bint taken
    # By frame number.
    uint64_t decided_on[<int>LEFT_OUT_WORDS]
    uint64_t left_out[<int>LEFT_OUT_WORDS]


cdef inline void selection_begin(selection_t *selection, int spatial) noexcept nogil:
    """Forwarding begins (anew) with a key frame: nothing has been left out."""
    memset(selection, 0, sizeof(selection_t))
    selection.spatial = spatial
    selection.decided = -1


cdef inline bint is_marked(const selection_t *selection, const uint64_t *marks, int64_t number) noexcept nogil:
    if number > selection.newest or number <= selection.newest - LEFT_OUT_KEPT:
        return False
    return (marks[(number & (LEFT_OUT_KEPT - 1)) >> 6] >> (number & 63)) & 1


cdef inline void mark(uint64_t *marks, int64_t number, bint value) noexcept nogil:
    cdef uint64_t bit = <uint64_t>1 << (number & 63)
    if value:
        marks[(number & (LEFT_OUT_KEPT - 1)) >> 6] |= bit
    else:
        marks[(number & (LEFT_OUT_KEPT - 1)) >> 6] &= ~bit


cdef inline bint was_left_out(const selection_t *selection, int64_t number) noexcept nogil:
    return is_marked(selection, selection.left_out, number)


cdef inline void note_lot(selection_t *selection, int64_t number, bint taken) noexcept nogil:
    cdef int64_t passed
    if number > selection.newest:
        if number - selection.newest >= LEFT_OUT_KEPT:
            memset(selection.left_out, 0, sizeof(selection.left_out))
            memset(selection.decided_on, 0, sizeof(selection.decided_on))
        else:
            for passed in range(selection.newest + 1, number):
                mark(selection.left_out, passed, False)
                mark(selection.decided_on, passed, False)
        selection.newest = number
    elif number <= selection.newest - LEFT_OUT_KEPT:
        return
    mark(selection.left_out, number, not taken)
    mark(selection.decided_on, number, True)


cdef inline bint refers_to_left_out(const selection_t *selection, const frame_t *frame) noexcept nogil:
    cdef int i
    for i in range(frame.reference_count):
        if was_left_out(selection, frame.number - frame.references[i]):
            return True
    return False


cdef inline bint is_within(const frame_t *frame, int spatial, int temporal) noexcept nogil:
    """Whether these layers need the frame."""
    return frame_need(frame, spatial * TEMPORAL_MOST + temporal) != NEED_NOT or (
        frame.intra and frame.spatial < spatial and frame.temporal <= temporal
    )


cdef inline bint may_switch(const selection_t *selection, const frame_t *frame, int spatial, int temporal) noexcept nogil:
    return frame_need(frame, spatial * TEMPORAL_MOST + temporal) == NEED_SWITCH and not refers_to_left_out(selection, frame)


cdef inline void begin_picture(
    selection_t *selection, const frame_t *frame, int spatial, int temporal, bint keyed
) noexcept nogil:
    """Come as near to the layers wanted as the picture's first frame allows."""
    selection.temporal = <int>smallest(selection.temporal, temporal)
    if not keyed:
        selection.spatial = <int>smallest(selection.spatial, spatial)
    # At a key picture's lowest layer everything begins, that of layers which do not need it too.
    if spatial != selection.spatial and (
        may_switch(selection, frame, spatial, temporal) or (frame.intra and frame.spatial == 0)
    ):
        selection.spatial = spatial
        selection.temporal = temporal


cdef inline bint selection_take(
    selection_t *selection, const frame_t *frame, uint32_t timestamp, int spatial, int temporal, bint keyed
) noexcept nogil:
    """Whether the consumer, who wants these layers at most, gets the frame. `keyed` as in frames."""
    if frame.number == selection.decided:
        return selection.taken
    if not selection.any_picture or selection.picture != timestamp:
        selection.any_picture = True
        selection.picture = timestamp
        begin_picture(selection, frame, spatial, temporal, keyed)
    if temporal > selection.temporal and may_switch(selection, frame, selection.spatial, temporal):
        selection.temporal = temporal
    selection.taken = is_within(frame, selection.spatial, selection.temporal) and not refers_to_left_out(selection, frame)
    selection.decided = frame.number
    note_lot(selection, frame.number, selection.taken)
    return selection.taken


cdef inline bint selection_lacks(selection_t *selection, const frame_t *frame, int spatial, int temporal) noexcept nogil:
    """Whether a frame of which a packet comes late, or once more, was left out or refers to one that was; or all of it comes late and
    the layers of its time do not need it. So it is left out itself."""
    cdef bint known = is_marked(selection, selection.decided_on, frame.number)
    if was_left_out(selection, frame.number):
        return True
    if not refers_to_left_out(selection, frame) and (known or is_within(frame, spatial, temporal)):
        return False
    note_lot(selection, frame.number, False)
    return True
