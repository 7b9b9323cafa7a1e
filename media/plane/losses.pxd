"""The rate that loss allows. A path loses packets at any rate (radio, far away) and loses what exceeds its capacity; of
a few capacities the one is chosen that makes the losses seen at the rates sent most likely.

So one packet in ten lost at random does not bring the rate down as overload does, and a line without a queue, which
drops what is too much and delays nothing, is still found. The model is that of libwebrtc's second loss-based estimator:
P(loss) = inherent + (1 - inherent) * (rate - capacity) / rate, the last factor not below 0.
"""

from libc.math cimport fmax, log
from libc.stdint cimport int64_t

cdef enum:
    LOSS_WINDOW_US = 250_000
    LOSS_WINDOWS = 20
    CANDIDATES = 5
    LOSSY_PERCENT = 2  # less may be the last of what was lost long ago
    MUCH_PERCENT = 15  # beside a download, which fills the queue and gives way as it drops, less is lost
    SUDDEN_PERCENT = 25  # more lost in two windows running than before: the path is another one now

cdef enum loss_cause_t:
    CAUSE_PATH  # lost at any rate
    CAUSE_RATE  # lost because too much was sent
    CAUSE_UNKNOWN

ctypedef struct loss_window_t:
    double bps  # at which it was sent
    int lost
    int received

ctypedef struct losses_t:
    loss_window_t windows[<int>LOSS_WINDOWS]
    int count  # ever taken
    int lost  # of the window being filled
    int received
    int64_t bytes
    int64_t first_sent_us
    int64_t last_sent_us
    double bps  # the limit; 0: loss limits nothing
    double inherent
    double fraction  # lost lately, weighted like the windows
    int lossy  # windows in turn with loss
    int seen  # windows since the beginning, as many as it remembers at most
    double before[2]  # the same as of the last two windows


cdef inline void losses_reset(losses_t *losses) noexcept nogil:
    losses.count = 0
    losses.lost = 0
    losses.received = 0
    losses.bytes = 0
    losses.first_sent_us = 0
    losses.bps = 0
    losses.inherent = 0.01
    losses.fraction = 0
    losses.lossy = 0
    losses.seen = 0
    losses.before[0] = 0
    losses.before[1] = 0


cdef inline void losses_add(losses_t *losses, int64_t sent_us, int size, bint lost, bint late) noexcept nogil:
    """Take a packet's fate; `late`: it was reported lost before, and did arrive."""
    if losses.first_sent_us == 0:
        losses.first_sent_us = sent_us
        losses.last_sent_us = sent_us
    if sent_us > losses.last_sent_us:
        losses.last_sent_us = sent_us
    if late:
        losses.lost -= 1
        losses.received += 1
        return
    losses.bytes += size
    if lost:
        losses.lost += 1
    else:
        losses.received += 1


cdef inline double inherent_most(double bps) noexcept nogil:
    """What can be the path's own fault: the slower the line, the more."""
    cdef double most = 0.05 + 75_000 / bps
    return 1 if most > 1 else most


cdef inline double loss_chance(double inherent, double capacity, double bps) noexcept nogil:
    cdef double chance = inherent
    if bps > capacity:
        chance += (1 - inherent) * (bps - capacity) / bps
    if chance < 1e-6:
        return 1e-6
    return 1 - 1e-6 if chance > 1 - 1e-6 else chance


cdef inline double fit_inherent(const losses_t *losses, double capacity) noexcept nogil:
    """One step of Newton's method towards the likeliest inherent loss under this capacity."""
    cdef double first = 0
    cdef double second = 0
    cdef double weight = 1
    cdef double most = inherent_most(capacity)
    cdef double inherent = losses.inherent if losses.inherent < most else most
    cdef double chance
    cdef const loss_window_t *window
    cdef int age
    for age in range(losses.count if losses.count < LOSS_WINDOWS else LOSS_WINDOWS):
        window = &losses.windows[(losses.count - 1 - age) % LOSS_WINDOWS]
        chance = loss_chance(inherent, capacity, window.bps)
        first += weight * (window.lost / chance - window.received / (1 - chance))
        second -= weight * (window.lost / (chance * chance) + window.received / ((1 - chance) * (1 - chance)))
        weight *= 0.9
    if second < 0:
        inherent -= 0.75 * first / second
    if inherent < 0.001:
        return 0.001
    return most if inherent > most else inherent


cdef inline double likelihood(const losses_t *losses, double capacity, double inherent) noexcept nogil:
    """Logarithmic, with a little favour for higher capacities: nobody finds one who never tries."""
    cdef double sum = 0
    cdef double weight = 1
    cdef double favour = 0.0002 * capacity / 1000 + 0.02 * log(1 + capacity / 1000)
    cdef double chance
    cdef const loss_window_t *window
    cdef int age
    for age in range(losses.count if losses.count < LOSS_WINDOWS else LOSS_WINDOWS):
        window = &losses.windows[(losses.count - 1 - age) % LOSS_WINDOWS]
        chance = loss_chance(inherent, capacity, window.bps)
        sum += weight * (window.lost * log(chance) + window.received * log(1 - chance))
        sum += weight * favour * (window.lost + window.received)
        weight *= 0.9
    return sum


cdef inline double lost_fraction(const losses_t *losses) noexcept nogil:
    cdef double lost = 0
    cdef double all_ = 0
    cdef double weight = 1
    cdef const loss_window_t *window
    cdef int age
    for age in range(losses.count if losses.count < LOSS_WINDOWS else LOSS_WINDOWS):
        window = &losses.windows[(losses.count - 1 - age) % LOSS_WINDOWS]
        lost += weight * window.lost
        all_ += weight * (window.lost + window.received)
        weight *= 0.9
    return lost / all_ if all_ > 0 else 0


cdef inline bint is_lossy(const losses_t *losses) noexcept nogil:
    return 100 * losses.fraction > LOSSY_PERCENT


cdef inline bint loses_much(const losses_t *losses) noexcept nogil:
    """Whether so much was lost lately, and of the last window some."""
    return 100 * losses.fraction > MUCH_PERCENT and losses.windows[(losses.count - 1) % LOSS_WINDOWS].lost > 0


cdef inline bint is_measure(const losses_t *losses, bint idle) noexcept nogil:
    """Whether what arrives may be all that the line bears. Of who sends little it is not, unless loss has gone on for long: the first
    of it is blamed on the rate by a model that does not know the path yet."""
    return not idle or losses.seen == LOSS_WINDOWS


cdef inline double likeliest(
    losses_t *losses, double now_bps, double delay_bps, double acknowledged, bint idle
) noexcept nogil:
    """The best of the capacities in question; `inherent` becomes what goes with it."""
    cdef double candidates[<int>CANDIDATES]
    cdef double best = now_bps
    cdef double best_likelihood = 0
    cdef double best_inherent = losses.inherent
    cdef double inherent, value
    cdef int i
    candidates[0] = now_bps
    candidates[1] = 1.02 * now_bps
    candidates[2] = 0.95 * now_bps
    candidates[3] = acknowledged if acknowledged > 0 and is_measure(losses, idle) else now_bps
    candidates[4] = delay_bps
    for i in range(CANDIDATES):
        if i and (candidates[i] > delay_bps or candidates[i] <= 0):
            continue
        inherent = fit_inherent(losses, candidates[i])
        value = likelihood(losses, candidates[i], inherent)
        if i == 0 or value > best_likelihood:
            best = candidates[i]
            best_likelihood = value
            best_inherent = inherent
    losses.inherent = best_inherent
    return best


cdef inline bint is_sudden(const losses_t *losses, int age) noexcept nogil:
    cdef const loss_window_t *window = &losses.windows[(losses.count - 1 - age) % LOSS_WINDOWS]
    return 100 * window.lost > (100 * losses.before[1] + SUDDEN_PERCENT) * (window.lost + window.received)


cdef inline void forget_old(losses_t *losses) noexcept nogil:
    """What a line bore before it collapsed must not speak for it any more."""
    cdef loss_window_t last[2]
    if losses.count > 2 and is_sudden(losses, 0) and is_sudden(losses, 1):
        last[0] = losses.windows[(losses.count - 2) % LOSS_WINDOWS]
        last[1] = losses.windows[(losses.count - 1) % LOSS_WINDOWS]
        losses.windows[0] = last[0]
        losses.windows[1] = last[1]
        losses.count = 2
    losses.before[1] = losses.before[0]
    losses.before[0] = losses.fraction


cdef inline void close_window(losses_t *losses) noexcept nogil:
    cdef loss_window_t *window = &losses.windows[losses.count % LOSS_WINDOWS]
    window.bps = 8e6 * losses.bytes / (losses.last_sent_us - losses.first_sent_us)
    window.lost = losses.lost if losses.lost > 0 else 0
    window.received = losses.received
    losses.count += 1
    losses.seen += losses.seen < LOSS_WINDOWS
    if losses.count >= 1000 * LOSS_WINDOWS:
        losses.count -= 500 * LOSS_WINDOWS
    losses.lost = 0
    losses.received = 0
    losses.bytes = 0
    losses.first_sent_us = 0


cdef inline void losses_update(losses_t *losses, double delay_bps, double acknowledged, bint idle) noexcept nogil:
    """Once a feedback message; `delay_bps` is what delay allows; `idle`: much less is sent. Renews `bps` whenever a window is full."""
    cdef double now_bps, next_bps, most
    if losses.last_sent_us - losses.first_sent_us < LOSS_WINDOW_US or losses.first_sent_us == 0:
        return
    close_window(losses)
    forget_old(losses)
    losses.fraction = lost_fraction(losses)
    losses.lossy = losses.lossy + 1 if is_lossy(losses) else 0
    now_bps = losses.bps if 0 < losses.bps < delay_bps else delay_bps
    next_bps = likeliest(losses, now_bps, delay_bps, acknowledged, idle)
    if losses.fraction > 0.05:  # whatever the model says; but what does arrive may be sent
        most = fmax(75_000 / (losses.fraction - 0.05), 0.9 * acknowledged)
        if next_bps > most:
            next_bps = most
    if next_bps > now_bps and losses.inherent < 0.75 * losses.fraction and is_lossy(losses):
        next_bps = now_bps  # part of the loss is our own doing still
    if next_bps > 1.3 * now_bps:
        next_bps = 1.3 * now_bps
    losses.bps = next_bps if next_bps < delay_bps else 0


cdef inline loss_cause_t losses_cause(const losses_t *losses) noexcept nogil:
    """What the model says of the loss there is. At first it blames the rate, and finds what is inherent step by step: only when all that it
    remembers was with loss it knows."""
    if not is_lossy(losses) or losses.inherent >= losses.fraction / 2:
        return CAUSE_PATH
    return CAUSE_RATE if losses.lossy >= LOSS_WINDOWS else CAUSE_UNKNOWN
