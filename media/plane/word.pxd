"""One picture's word: what its receiver has said by REMB of all that comes to it, and what is sent to it meanwhile.

There are receivers that estimate for all pictures together (older libwebrtc), and such that have an estimator for each picture (aiortc)
and so speak several times of one line. Each estimator sees its own part of what comes, allows half as much again of that, and when the
line is full gives up its own part: so the words are added up. Neither alone would do: the last word is that of a part, and a sum of what was
measured at different times is more than there ever was. Therefore:

- A word counts for the pictures that it names, and for five seconds.
- Whose picture has not been spoken of counts with what is sent to it.
- Who gives way has seen the line full, and the others are on the same one: until they have spoken themselves they are allowed no more
  than they are sent. They see the same queue and will give up their own part, but may need some more packets for that.
"""

from libc.stdint cimport int64_t, uint64_t

from media.plane.bits cimport smallest

cdef enum:
    WORD_HOLDS_US = 5_000_000  # who receives pictures says it every second, and whenever it falls
    WORD_FRESH_US = 100_000  # whoever has just spoken knows already
    WORD_HURRIED_US = 250_000  # half of aiortc's interval and a quarter of libwebrtc's: nobody speaks so soon again unless the line is full
    SENT_WINDOW_US = 500_000

ctypedef struct word_t:
    int64_t bps
    int64_t at_us  # 0: none yet
    bint named  # in the message being read
    int64_t sent_bps  # in the last window, padding included
    uint64_t sent_before  # bytes, where the present window began
    uint64_t padded  # bytes of padding


cdef inline void word_measure(word_t *word, uint64_t media_bytes, int64_t elapsed_us) noexcept nogil:
    """A window is over."""
    cdef uint64_t sent = media_bytes + word.padded
    word.sent_bps = <int64_t>(8e6 * (sent - word.sent_before) / elapsed_us)
    word.sent_before = sent


cdef inline int64_t word_lacks(const word_t *word, uint64_t media_bytes, int64_t elapsed_us) noexcept nogil:
    """How many bytes it has been sent less, in the present window, than it is allowed: the more, the sooner it is its turn to be padded."""
    return word.bps * elapsed_us // 8_000_000 - <int64_t>(media_bytes + word.padded - word.sent_before)


cdef inline bint word_is_hurried(const word_t *word, int64_t now) noexcept nogil:
    """Whether the next one, coming now, comes before its time."""
    return word.at_us != 0 and now - word.at_us < WORD_HURRIED_US


cdef inline int64_t word_counts(const word_t *word, int64_t now) noexcept nogil:
    if word.at_us == 0:
        return word.sent_bps
    return word.bps if now - word.at_us < WORD_HOLDS_US else 0


cdef inline void word_hold(word_t *word, int64_t now) noexcept nogil:
    """Another one has seen the line full."""
    if word.at_us and now - word.at_us > WORD_FRESH_US:
        word.bps = smallest(word.bps, word.sent_bps)
