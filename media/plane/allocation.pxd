"""How a subscriber's bandwidth is divided among the videos he watches. Pure: demands in, a rung for each out.

A *ladder* has one *rung* for each pair of spatial and temporal layer of a producer, with what it costs to forward it.
First everybody gets his lowest rung, the highest priority first; what does not fit gets none. Then the rest goes, priority
by priority, to further rungs: one rung each in turn among equals. So the same demands always give the same answer, the sum
never exceeds the bandwidth (but see `hold`: by half of one lowest rung, for a while, or the first's whole one), and a lower priority climbs only on what
the higher ones cannot use.

Against flapping: to climb above what it has, a video must leave a reserve free (`allocate`), and must have been able to for a
while (`settle`), which grows with each climb that had to be taken back (`note_step`). Who has nothing
waits less at first: a picture that stands still is worse than one that changes its size. Going down is at once.
"""

from libc.stdint cimport int64_t, uint8_t

from media.plane.bits cimport largest, smallest

cdef enum:
    TEMPORAL_MOST = 4
    SPATIAL_MOST = 4
    RUNGS = SPATIAL_MOST * TEMPORAL_MOST  # numbered spatial * TEMPORAL_MOST + temporal
    NO_RUNG = -1
    RESERVE_SHIFT = 3  # an eighth stays free: a video layer swings by about as much
    PATIENCE_LEAST_US = 1_000_000
    PATIENCE_MOST_US = 16_000_000
    REGRET_US = 10_000_000  # a climb taken back this soon was a mistake: the next one waits twice as long
    FORGIVEN_US = 30_000_000
    PATIENCE_NOTHING_US = 250_000  # of who has nothing, if no climb was taken back
    PATIENCE_NOTHING_MOST_US = 1_000_000  # and however often they were
    # The main picture's key frame alone fills a narrow line, and looks like a line that bears nothing of what follows. Who
    # then takes the picture away has paid for it and shows half a second of it, again and again.
    BEGUN_US = 3_000_000
    HELD_MOST_US = 5_000_000  # to begin again costs a key frame, as much as some seconds of the lowest layer

ctypedef struct ladder_t:
    int64_t bps[<int>RUNGS]  # 0: not being sent

# What one has, over time.
ctypedef struct grant_t:
    int rung
    int least  # the lowest rung that was to be had since `since_us`
    int64_t since_us  # since when more than `rung` could be had; 0 it cannot
    int64_t held_us  # since when not even the lowest rung has really fitted; 0 it does
    int64_t begun_us  # when it last had nothing before

# What somebody would like to see.
ctypedef struct demand_t:
    const ladder_t *ladder
    void *owner
    uint8_t priority
    uint8_t most_spatial
    uint8_t most_temporal
    bint fresh  # new, or wanted otherwise than before: neither reserve nor patience is asked of it
    int given  # what could be had now
    grant_t grant  # the answer

# How long one subscriber's videos wait before they climb.
ctypedef struct patience_t:
    int64_t us
    int64_t climbed_at_us  # 0: not lately
    int64_t regretted_at_us


cdef inline int lowest_spatial(const ladder_t *ladder) noexcept nogil:
    """The lowest spatial layer that is being sent; SPATIAL_MOST when none is."""
    cdef int spatial
    for spatial in range(SPATIAL_MOST):
        if ladder.bps[spatial * TEMPORAL_MOST]:
            return spatial
    return SPATIAL_MOST


cdef inline int next_rung(const demand_t *demand, int rung) noexcept nogil:
    """The next rung above `rung` that is sent and wanted; NO_RUNG when there is none."""
    cdef const ladder_t *ladder = demand.ladder
    cdef int lowest = lowest_spatial(ladder)
    cdef int i, spatial, temporal
    for i in range(rung + 1, RUNGS):
        spatial = i // TEMPORAL_MOST
        temporal = i % TEMPORAL_MOST
        # Who wants less than the least that is sent gets that.
        if ladder.bps[i] == 0 or temporal > demand.most_temporal or (spatial > demand.most_spatial and spatial > lowest):
            continue
        # A larger picture at a quarter of the rate is no better than the smaller one at the whole.
        if spatial > lowest and temporal == 0 and demand.most_temporal >= 2 and ladder.bps[i + 2]:
            continue
        return i
    return NO_RUNG


cdef inline int top_rung(const demand_t *demand) noexcept nogil:
    cdef int rung = NO_RUNG
    cdef int above = next_rung(demand, NO_RUNG)
    while above != NO_RUNG:
        rung = above
        above = next_rung(demand, rung)
    return rung


cdef inline int64_t rung_bps(const demand_t *demand, int rung) noexcept nogil:
    return 0 if rung == NO_RUNG else demand.ladder.bps[rung]


cdef inline bint climb(demand_t *demand, int64_t *left, int64_t reserve) noexcept nogil:
    """Give the next rung if it fits into what is left."""
    cdef int rung = next_rung(demand, demand.given)
    cdef int64_t extra
    if rung == NO_RUNG:
        return False
    extra = demand.ladder.bps[rung] - rung_bps(demand, demand.given)
    if extra > left[0] - (0 if rung <= demand.grant.rung or demand.fresh else reserve):
        return False
    demand.given = rung
    left[0] -= extra
    return True


cdef inline bint hold(demand_t *demand, int64_t *left, bint calm, bint new, int64_t now) noexcept nogil:
    """Leave the lowest rung, for a while, to who has a picture, though but half of it is there, or less where it is `new`; while
    the line is calm, for however long."""
    cdef int rung = next_rung(demand, NO_RUNG)
    cdef grant_t *grant = &demand.grant
    if rung == NO_RUNG or grant.rung == NO_RUNG or demand.fresh:
        return False
    if 2 * left[0] < demand.ladder.bps[rung] and not new:
        return False
    if grant.held_us and not calm and now - grant.held_us >= HELD_MOST_US:
        return False
    if grant.held_us == 0 or calm:
        grant.held_us = now
    demand.given = rung
    left[0] -= demand.ladder.bps[rung]
    return True


cdef inline void begin(
    demand_t *demand, int64_t *left, int64_t reserve, bint calm, bint main, int64_t now
) noexcept nogil:
    """The lowest rung."""
    demand.given = NO_RUNG
    if climb(demand, left, reserve):
        demand.grant.held_us = 0
    else:
        hold(demand, left, calm, main and now - demand.grant.begun_us < BEGUN_US, now)


cdef inline bint climbs_in_size(const demand_t *demand) noexcept nogil:
    """Whether the next rung is of the size it has."""
    cdef int rung = next_rung(demand, demand.given)
    return rung != NO_RUNG and demand.given != NO_RUNG and rung // TEMPORAL_MOST == demand.given // TEMPORAL_MOST


cdef inline void allocate(
    demand_t **demands, int count, int64_t bps, bint known, bint calm, int64_t now
) noexcept nogil:
    """Fill in `given` of all demands, which are ordered by falling priority."""
    cdef int64_t left = bps
    cdef int64_t reserve = bps >> RESERVE_SHIFT
    cdef int first = 0
    cdef int end, i
    cdef bint climbing
    for i in range(count):
        begin(demands[i], &left, reserve, calm, i == 0, now)
        # The main picture first moves well, then the others appear.
        while i == 0 and count > 1 and demands[0].priority > demands[1].priority and climbs_in_size(demands[0]):
            if not climb(demands[0], &left, reserve):
                break
    while first < count:
        end = first
        while end < count and demands[end].priority == demands[first].priority:
            end += 1
        climbing = True
        while climbing:
            climbing = False
            for i in range(first, end):
                if demands[i].given == NO_RUNG or not (known or climbs_in_size(demands[i])):
                    continue
                if climb(demands[i], &left, reserve):
                    climbing = True
        first = end


cdef inline int64_t next_step_bps(demand_t **demands, int count) noexcept nogil:
    """What all would take together if one had the next rung, the one that costs least, reserve included; 0 when none can."""
    cdef int64_t taken = 0
    cdef int64_t extra = 0
    cdef int i, rung
    cdef demand_t *demand
    for i in range(count):
        demand = demands[i]
        taken += rung_bps(demand, demand.grant.rung)
        rung = next_rung(demand, demand.grant.rung)
        if rung != NO_RUNG and (extra == 0 or rung_bps(demand, rung) - rung_bps(demand, demand.grant.rung) < extra):
            extra = largest(rung_bps(demand, rung) - rung_bps(demand, demand.grant.rung), 1)
    return (taken + extra) * 8 // 7 if extra else 0


cdef inline void settle(grant_t *grant, int given, bint fresh, int64_t now, int64_t patience) noexcept nogil:
    """Down at once; up only to what could be had during all of `patience`, unless it is fresh."""
    if fresh or given <= grant.rung:
        grant.rung = given
        grant.since_us = 0
        return
    if grant.since_us == 0:
        grant.since_us = now
        grant.least = given
    elif given < grant.least:
        grant.least = given
    if grant.rung == NO_RUNG:
        patience = PATIENCE_NOTHING_US if patience <= PATIENCE_LEAST_US else smallest(patience, PATIENCE_NOTHING_MOST_US)
    if now - grant.since_us >= patience:
        grant.rung = grant.least
        grant.since_us = 0


cdef inline int64_t patience_now(patience_t *patience, int64_t now) noexcept nogil:
    if patience.us == 0 or now - largest(patience.regretted_at_us, patience.climbed_at_us) > FORGIVEN_US:
        patience.us = PATIENCE_LEAST_US
    return patience.us


cdef inline void note_step(patience_t *patience, int before, int after, bint could_more, int64_t now) noexcept nogil:
    """A video went from one rung to another; `could_more`: it was not its own wish to have no more."""
    if after > before:
        patience.climbed_at_us = now
    elif after < before and could_more and patience.climbed_at_us and now - patience.climbed_at_us < REGRET_US:
        patience.us = smallest(2 * patience.us, PATIENCE_MOST_US)
        patience.regretted_at_us = now
        patience.climbed_at_us = 0  # one mistake counts once


cdef inline void forget_mistakes(patience_t *patience) noexcept nogil:
    """What is taken back now, and what was, was no mistake."""
    patience.us = 0
    patience.climbed_at_us = 0


cdef inline void share(
    demand_t **demands, int count, int64_t bps, bint known, bint calm, patience_t *patience, int64_t now
) noexcept nogil:
    """Divide `bps` among the demands, ordered by falling priority, and bring their grants up to now. `known`: it is more than a first
    guess, of which nobody gets more than his smallest size, since the key frame of a larger one may fill a narrow line for a second.
    `calm`: no queue grows."""
    cdef int64_t long_enough = patience_now(patience, now)
    cdef demand_t *demand
    cdef int i, before
    allocate(demands, count, bps, known, calm, now)
    for i in range(count):
        demand = demands[i]
        before = demand.grant.rung
        settle(&demand.grant, demand.given, demand.fresh, now, long_enough)
        if not demand.fresh:
            if before == NO_RUNG and demand.grant.rung != NO_RUNG:
                demand.grant.begun_us = now
            note_step(patience, before, demand.grant.rung, next_rung(demand, demand.grant.rung) != NO_RUNG, now)
        demand.fresh = next_rung(demand, NO_RUNG) == NO_RUNG  # while nothing is sent it has had no chance
