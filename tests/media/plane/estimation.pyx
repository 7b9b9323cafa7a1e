"""Opens the estimator's parts and the allocation to their tests: each call goes straight to the inline functions."""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free

from media.plane.acknowledged cimport acknowledged_add, acknowledged_reset, acknowledged_t, acknowledged_update
from media.plane.allocation cimport NO_RUNG, RUNGS, demand_t, ladder_t, patience_t, share, top_rung
from media.plane.bursts cimport bursts_add, bursts_reset, bursts_t
from media.plane.estimator cimport estimator_probes, estimator_reset, estimator_t, estimator_take, estimator_tick
from media.plane.feedback cimport read_transport_cc, results_t, sent_close, sent_note, sent_open, sent_t
from media.plane.losses cimport losses_add, losses_reset, losses_t, losses_update
from media.plane.probing cimport (
    probe_due, probe_result, probe_sent, probe_step_bytes, probe_stepped, probe_unsent, probes_conclude, probes_decide,
    probes_dropped, probes_give_up, probes_reset, probes_t,
)
from media.plane.ratecontrol cimport rate_reset, rate_set, rate_t, rate_update
from media.plane.rivals cimport has_rival, rivals_note_cut, rivals_note_queue, rivals_t
from media.plane.standing cimport standing_add, standing_t, standing_us
from media.plane.trendline cimport trendline_add, trendline_reset, trendline_t


cdef class Share:
    """The demands of one subscriber: rows of (priority, ladder of 16 costs, most spatial, most temporal)."""
    cdef demand_t demands[64]
    cdef ladder_t ladders[64]
    cdef demand_t *order[64]
    cdef int count
    cdef patience_t patience

    def __cinit__(self, rows):
        cdef int i
        for i, (priority, ladder, most_spatial, most_temporal) in enumerate(rows):
            for k in range(RUNGS):
                self.ladders[i].bps[<int>k] = ladder[k]
            self.demands[i].ladder = &self.ladders[i]
            self.demands[i].priority = priority
            self.demands[i].most_spatial = most_spatial
            self.demands[i].most_temporal = most_temporal
            self.demands[i].fresh = True
            self.demands[i].grant.rung = NO_RUNG
            self.order[i] = &self.demands[i]
            self.count += 1

    def divide(self, bps, now=1, calm=False, known=True):
        """The rung of each demand, or None."""
        cdef int i
        share(self.order, self.count, bps, known, calm, &self.patience, now)
        rungs = [self.demands[i].grant.rung for i in range(self.count)]
        return [None if rung == NO_RUNG else rung for rung in rungs]

    def tops(self):
        cdef int i
        rungs = [top_rung(&self.demands[i]) for i in range(self.count)]
        return [None if rung == NO_RUNG else rung for rung in rungs]


cdef class Trendline:
    cdef trendline_t line

    def __cinit__(self):
        trendline_reset(&self.line)

    def add(self, sent_gap, arrival_gap, arrival, now):
        """The verdict: normal, over or under."""
        trendline_add(&self.line, sent_gap, arrival_gap, arrival, now)
        return ("normal", "over", "under")[self.line.usage]

    @property
    def threshold(self):
        return self.line.threshold_ms

    @property
    def trend(self):
        """Of the delay, in ms per ms."""
        return self.line.last_trend


cdef class Standing:
    cdef standing_t standing

    def add(self, delay, now):
        """A report's shortest delay; how long packets wait now."""
        standing_add(&self.standing, delay, now)
        return standing_us(&self.standing)


cdef class Rivals:
    cdef rivals_t rivals

    def cut(self, arrives, sent):
        """Whether there is one, once this has become of a cut."""
        rivals_note_cut(&self.rivals, arrives, sent)
        return bool(has_rival(&self.rivals))

    def wait(self, us):
        """Packets have just waited so long."""
        rivals_note_queue(&self.rivals, us)
        return bool(has_rival(&self.rivals))


cdef class Bursts:
    cdef bursts_t bursts

    def __cinit__(self):
        bursts_reset(&self.bursts)

    def add(self, sent, arrival, now):
        cdef int64_t sent_gap = 0
        cdef int64_t arrival_gap = 0
        if bursts_add(&self.bursts, sent, arrival, now, &sent_gap, &arrival_gap):
            return sent_gap, arrival_gap
        return None


cdef class Acknowledged:
    cdef acknowledged_t rate

    def __cinit__(self):
        acknowledged_reset(&self.rate)

    def add(self, arrival, size):
        acknowledged_add(&self.rate, arrival, size)
        acknowledged_update(&self.rate, arrival)
        return self.rate.bps


cdef class RateControl:
    cdef rate_t rate

    def __cinit__(self, bps):
        rate_reset(&self.rate, 0)
        rate_set(&self.rate, bps, 0)

    def expect(self, least, following, hungry=False):
        """What is sent at any rate, and what would be with one layer more; `hungry`: there is no picture at all."""
        self.rate.hungry = hungry
        self.rate.least_bps = least
        self.rate.next_bps = following

    def update(self, usage, acknowledged, rtt, now, idle=False):
        """Whether it was reduced. `idle`: much less is sent than would be allowed."""
        return bool(rate_update(&self.rate, ("normal", "over", "under").index(usage), acknowledged, idle, rtt, now))

    @property
    def bps(self):
        return self.rate.bps

    @property
    def capacity(self):
        """In kbit/s; 0 while unknown."""
        return self.rate.capacity.kbps


cdef class Losses:
    cdef losses_t losses

    def __cinit__(self):
        losses_reset(&self.losses)

    def add(self, sent, size, lost, late=False):
        losses_add(&self.losses, sent, size, lost, late)

    def update(self, delay_bps, acknowledged, idle=False):
        """The limit (0: none), the fraction lost lately, and what of it is the path's own."""
        losses_update(&self.losses, delay_bps, acknowledged, idle)
        return self.losses.bps, self.losses.fraction, self.losses.inherent


cdef class Probes:
    """Clusters of probes, decided and concluded by hand."""
    cdef probes_t probes

    def __cinit__(self):
        probes_reset(&self.probes)

    def decide(self, bps, wanted, quiet, now, most=None):
        """The rate of the cluster that begins now, or None; `most`: what may be tried, else twice what is wanted."""
        most = 2 * wanted if most is None else most
        probes_give_up(&self.probes, now)
        return self.probes.rate_bps if probes_decide(&self.probes, bps, wanted, most, quiet, now) else None

    def step(self, size, sequence, now):
        """How many packets go now, numbered from `sequence`; and when the next go (None: all are sent)."""
        cdef int64_t left = probe_step_bytes(&self.probes)
        count = 0
        if probe_due(&self.probes, now):
            while left > 0 and probe_unsent(&self.probes):
                probe_sent(&self.probes, sequence + count, size)
                left -= size
                count += 1
            probe_stepped(&self.probes, now)
        return count, self.probes.next_us if probe_unsent(&self.probes) else None

    def result(self, sequence, size, sent, arrival):
        probe_result(&self.probes, sequence, size, sent, -1 if arrival is None else arrival)

    def conclude(self, bps, now, loss=0.0):
        return probes_conclude(&self.probes, bps, loss, now)

    def dropped(self, before, bps, wait, now):
        probes_dropped(&self.probes, before, bps, wait, now)

    @property
    def again(self):
        """When the next try is due."""
        return self.probes.again_us


cdef class Estimator:
    """An estimator with the history of what was sent, as a transport has them."""
    cdef sent_t *sent
    cdef results_t *results
    cdef estimator_t estimator

    def __cinit__(self, now):
        self.sent = <sent_t *>calloc(1, sizeof(sent_t))
        sent_open(self.sent)
        self.results = <results_t *>calloc(1, sizeof(results_t))
        estimator_reset(&self.estimator, now)

    def __dealloc__(self):
        sent_close(self.sent)
        free(self.sent)
        free(self.results)

    def send(self, size, now):
        return sent_note(self.sent, size, now)

    def report(self, bytes data, rtt, now):
        if not read_transport_cc(self.sent, self.results, <const uint8_t *><const char *>data, 4, <int>len(data), now):
            return False
        estimator_take(&self.estimator, self.results, self.sent.bytes, rtt, now)
        return True

    def tick(self, wanted, now):
        """Whether a probe cluster begins."""
        estimator_tick(&self.estimator, self.sent.bytes, now)
        return bool(estimator_probes(&self.estimator, wanted, now))

    def probe(self, size, now):
        """The numbers of the packets that a cluster sends now, and when it goes on (None: it is over)."""
        cdef probes_t *probes = &self.estimator.probes
        cdef int64_t left = probe_step_bytes(probes)
        numbers = []
        if probe_due(probes, now):
            while left > 0 and probe_unsent(probes):
                number = sent_note(self.sent, size, now)
                numbers.append(number)
                probe_sent(probes, number, size)
                left -= size
            probe_stepped(probes, now)
        return numbers, probes.next_us if probe_unsent(probes) else None

    @property
    def bps(self):
        return self.estimator.bps

    @property
    def acknowledged(self):
        return self.estimator.acknowledged.bps

    @property
    def usage(self):
        return ("normal", "over", "under")[self.estimator.trendline.usage]

    @property
    def overuses(self):
        return self.estimator.overuses

    @property
    def clusters(self):
        return self.estimator.probes.clusters

    @property
    def limits(self):
        """What delay and what loss allow; 0: no limit."""
        return self.estimator.rate.bps, self.estimator.losses.bps
