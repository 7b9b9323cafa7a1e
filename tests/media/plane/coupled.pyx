"""Opens neighbours and coupling to their tests: transports at addresses, without anything that is sent."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from media.plane.address cimport address_t
from media.plane.coupling cimport SHARERS_MOST, come_to, even_out, find_sharers, has_company
from media.plane.estimator cimport estimator_t
from media.plane.neighbours cimport join_neighbours, leave_neighbours, same_way as same_way_
from media.plane.objects cimport core_t, transport_t


def same_way(bytes before, bytes after):
    """Whether what goes to either of these addresses, in the plane's form, goes over the same line."""
    return bool(same_way_(<const address_t *><const char *>before, <const address_t *><const char *>after))


cdef class Street:
    """So many transports, known by their number."""
    cdef core_t *core
    cdef transport_t *houses
    cdef estimator_t *estimators
    cdef void **items
    cdef int count

    def __cinit__(self, count):
        cdef int i
        self.count = count
        self.core = <core_t *>calloc(1, sizeof(core_t))
        self.houses = <transport_t *>calloc(count, sizeof(transport_t))
        self.estimators = <estimator_t *>calloc(count, sizeof(estimator_t))
        self.items = <void **>calloc(count, sizeof(void *))
        self.core.transports.items = self.items
        self.core.transports.count = count
        self.core.now = 60_000_000
        for i in range(count):
            self.items[i] = &self.houses[i]
            self.houses[i].handle = i
            self.houses[i].estimator = &self.estimators[i]

    def __dealloc__(self):
        free(self.items)
        free(self.estimators)
        free(self.houses)
        free(self.core)

    def move_in(self, int number, bytes ip):
        """To this address, of 16 bytes."""
        memcpy(self.houses[number].remote.ip, <const char *>ip, 16)
        join_neighbours(self.core, &self.houses[number])
        self.houses[number].has_remote = True

    def leave(self, int number):
        """For good."""
        leave_neighbours(&self.houses[number])
        self.houses[number].has_remote = False

    def ring(self, int number):
        """All who are found from this one on, until it comes round; [] where nobody is."""
        cdef transport_t *other = self.houses[number].neighbour
        found = []
        while other != NULL and other != &self.houses[number]:
            found.append(other.handle)
            assert len(found) <= self.count, "the ring does not close"
            other = other.neighbour
        return found

    def receive(self, int number, *, queues=False):
        """It reports what is sent to it, of late with packets that waited in a queue."""
        self.houses[number].estimated = True
        self.estimators[number].feedback_us = self.core.now
        self.estimators[number].queued_us = self.core.now if queues else 0

    def share(self, int number, *, bps, sound, main, desired):
        """It has been found to share a line with the others; what it is allowed, and has a use for."""
        self.receive(number)
        self.estimators[number].coupled = True
        self.estimators[number].full = True
        self.estimators[number].rate.sharers = 2
        self.estimators[number].rate.bps = bps
        self.houses[number].sound_bps = sound
        self.houses[number].main_bps = main
        self.houses[number].desired_bps = desired

    def even_out(self):
        """What each is allowed, rounded, once what all are allowed together has been shared out anew."""
        cdef int i
        for i in range(self.count):
            even_out(self.core, &self.houses[i])
        return [round(self.estimators[i].rate.bps) for i in range(self.count)]

    def come_to(self, int number, *, queue_us=0):
        """Somebody new, while the others see a queue; what he is allowed, of how many sharers, and whether he would see it."""
        cdef int i
        for i in range(self.count):
            self.estimators[i].standing.any_ = True
            self.estimators[i].standing.delay_us = queue_us
        come_to(self.core, &self.houses[number])
        rate = self.estimators[number].rate
        return round(rate.bps), rate.sharers, self.estimators[number].blind_until_us <= self.core.now

    def has_company(self, int number):
        return bool(has_company(&self.houses[number]))

    def sharers(self, int number):
        """Who shares the line that this one finds full."""
        cdef transport_t *sharers[<int>SHARERS_MOST]
        cdef int count = find_sharers(self.core, &self.houses[number], sharers)
        return [sharers[i].handle for i in range(count)]
