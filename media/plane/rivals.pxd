"""Whether somebody else keeps the queue full, who does not give way: a download, whose TCP sends more until packets are lost.

Who goes by delay alone gives up a part at each turn of such a queue, and the other takes it: little was left of a line. That it is so
shows by cuts in vain: the line took all that was sent, less and less each time, and the queue never emptied. Alone on a line, each
cut finds it bearing as much as the last, or the queue empties. While there is a rival the queue is not ours to empty, and what is
lost says how much may be sent (as Copa's competitive mode, NSDI 2018).
"""

from libc.stdint cimport int64_t

cdef enum:
    CUTS_IN_VAIN = 3
    EMPTY_US = 10_000  # of waiting: as good as none
    ARRIVES_PERCENT = 85  # of what is sent
    LESS_PERCENT = 95  # of what arrived at the cut before

ctypedef struct rivals_t:
    int cuts_in_vain  # in turn
    double cut_bps  # what arrived at the last cut


cdef inline void rivals_reset(rivals_t *rivals) noexcept nogil:
    rivals.cuts_in_vain = 0
    rivals.cut_bps = 0


cdef inline void rivals_note_queue(rivals_t *rivals, int64_t wait_us) noexcept nogil:
    """Once a report: how long its quickest packet waited."""
    if wait_us < EMPTY_US:
        rivals_reset(rivals)


cdef inline void rivals_note_cut(rivals_t *rivals, double arrives_bps, double sent_bps) noexcept nogil:
    """The rate was reduced because the queue grew."""
    if 100 * arrives_bps >= ARRIVES_PERCENT * sent_bps and 100 * arrives_bps < LESS_PERCENT * rivals.cut_bps:
        rivals.cuts_in_vain += 1
    else:
        rivals.cuts_in_vain = 0
    rivals.cut_bps = arrives_bps


cdef inline bint has_rival(const rivals_t *rivals) noexcept nogil:
    return rivals.cuts_in_vain >= CUTS_IN_VAIN
