"""How much is sent to somebody who estimates his line himself (REMB), so that he may find what it bears. Pure: rates and time in, rates out.

Such an estimator allows half as much again as arrives, and 8 % more each second, and says nothing at all in its first three seconds unless
the line is full. So what is *allowed* before the first word opens by itself, and what is sent is *filled up* with padding, while more is
wanted than is allowed: before the first word to what is allowed, later to half as much again. Less would not do: who has found the line full goes up by
some 30 kbit/s a second only, until clearly more has come than he then allowed 85 % of.
"""

from libc.stdint cimport int64_t, uint64_t

from media.plane.bits cimport largest, smallest

cdef enum:
    OPENING_BPS = 300_000  # as the estimate begins, see ratecontrol
    OPENING_REST_US = 400_000  # one key frame, and a way there and back
    OPENING_FOLD_US = 721_000  # e times as much in so long: twice each half second
    OPENING_MOST_US = 6_000_000  # who has said nothing by then has promised what he does not do
    SETTLED_US = 3_600_000  # aiortc takes what arrives after three seconds for its first estimate, whatever it has said before
    FIRST_WORD_REST_US = 1_000_000  # it may say that the line is full
    FILL_LEAST = 7  # eighths of what is allowed
    FILL_MOST = 12
    FILL_STILL_US = 1_000_000  # what arrives is measured over a second, and silence must not count when the line is found full
    FILL_RISE_US = 500_000  # for each eighth more
    DRAIN_US = 600_000  # see lift_fell
    PEACE_LEAST_US = 3_000_000
    PEACE_MOST_US = 64_000_000
    PROVEN_US = 5_000_000  # without a fall: what was in vain before says nothing any more
    LOSS_BORNE = 1311  # 2 % of 65,536
    FILL_STEP_US = 1_000
    FILL_BURST = 1_500  # bytes that may go together after a timer that was late

ctypedef struct lift_t:
    int64_t opening_bps  # allowed before the first word; 0: it has come, or nobody has promised any
    int64_t opening_us  # how long there has been something to send since
    int64_t looked_us  # the last tick
    int64_t fill_bps  # what is sent is filled up to; 0: it is not
    int64_t climbs_us  # since when to more than is allowed; 0: it does not
    int64_t drained_us  # until then three quarters of what is allowed are filled up
    int64_t again_us  # until then the line is left in peace
    int64_t peace_us  # and after the next fall so long
    int64_t room  # bytes that may leave now, below zero where more did
    int64_t room_us
    uint64_t room_sent  # bytes sent until then
    int64_t next_us  # when the next padding is due


cdef inline void lift_open(lift_t *lift) noexcept nogil:
    """Somebody has promised a word and not said any."""
    lift.opening_bps = OPENING_BPS
    lift.opening_us = 0


cdef inline void lift_opens(lift_t *lift, int64_t wanted_bps, bint borne, int64_t elapsed_us) noexcept nogil:
    """So much time has passed in which there was something to send."""
    if lift.opening_us >= OPENING_MOST_US:
        lift.opening_bps = 0
        return
    lift.opening_us += elapsed_us
    if lift.opening_bps and lift.opening_us >= OPENING_REST_US and lift.opening_bps < wanted_bps and borne:
        lift.opening_bps = smallest(lift.opening_bps + lift.opening_bps * elapsed_us // OPENING_FOLD_US, wanted_bps)


cdef inline void lift_spoke(lift_t *lift, int64_t now) noexcept nogil:
    """The first word has come."""
    lift.opening_bps = 0
    lift.fill_bps = 0
    lift.again_us = now + FIRST_WORD_REST_US


cdef inline void lift_fell(lift_t *lift, int64_t now) noexcept nogil:
    """The line is full: leave it in peace, longer each time that it was our doing. But not from one moment to the next: while his queue
    empties he goes on to say 85 % of what arrives, and of little he would say little; and the more packets there are, the sooner he sees
    that it is empty."""
    if lift.fill_bps == 0 or lift.opening_us < SETTLED_US or now < lift.drained_us:
        lift.again_us = largest(lift.again_us, now + PEACE_LEAST_US)
        return
    if lift.climbs_us and now - lift.climbs_us >= PROVEN_US:
        lift.peace_us = 0
    lift.peace_us = smallest(largest(2 * lift.peace_us, PEACE_LEAST_US), PEACE_MOST_US)
    lift.again_us = now + lift.peace_us
    lift.drained_us = now + DRAIN_US
    lift.fill_bps = 0


cdef inline int64_t climb_bps(const lift_t *lift, int64_t allowed_bps, int64_t now) noexcept nogil:
    """How much more than is allowed, the longer the more."""
    cdef int64_t eighths = FILL_LEAST + largest(now - lift.climbs_us - <int64_t>FILL_STILL_US, 0) // FILL_RISE_US
    return allowed_bps * smallest(eighths, FILL_MOST) // 8


cdef inline void lift_aim(
    lift_t *lift, int64_t allowed_bps, int64_t wanted_bps, bint borne, bint idle, int64_t now
) noexcept nogil:
    """What is to be filled up to from now on. `borne`: nothing is lost and nothing waits;
    `idle`: there is nothing that padding could go with."""
    cdef int64_t bps = 0
    cdef bint climbs = False
    if not borne and lift.fill_bps:
        lift_fell(lift, now)
    if idle or not borne:
        bps = 0
    elif lift.opening_bps:
        bps = smallest(lift.opening_bps, wanted_bps)
    elif lift.opening_us < SETTLED_US:
        bps = smallest(allowed_bps * FILL_LEAST // 8, wanted_bps)
    elif now < lift.drained_us:
        bps = smallest(allowed_bps - (allowed_bps >> 2), wanted_bps)
    elif now >= lift.again_us and allowed_bps < wanted_bps:
        climbs = True
        if lift.climbs_us == 0:
            lift.climbs_us = now
        bps = smallest(climb_bps(lift, allowed_bps, now), wanted_bps)
    if not climbs:
        lift.climbs_us = 0
    if bps and lift.fill_bps == 0:
        lift.room_us = 0
        lift.next_us = now
    lift.fill_bps = bps


cdef inline void lift_make_room(lift_t *lift, uint64_t sent, int64_t now) noexcept nogil:
    """What may leave now, all that was sent meanwhile taken off. Media that came in a burst is waited for, up to a quarter of a second."""
    cdef int64_t most = lift.fill_bps // 32
    if lift.room_us == 0:
        lift.room = 0
    else:
        lift.room += lift.fill_bps * (now - lift.room_us) // 8_000_000 - <int64_t>(sent - lift.room_sent)
    lift.room = smallest(largest(lift.room, -most), FILL_BURST)
    lift.room_us = now
    lift.room_sent = sent


cdef inline void lift_rest(lift_t *lift, int64_t now) noexcept nogil:
    """Nothing more now: when the next is due."""
    lift.next_us = now + FILL_STEP_US
    if lift.room < 0:
        lift.next_us = largest(lift.next_us, now - lift.room * 8_000_000 // lift.fill_bps)
