"""What a subscriber's path bears, in one number: `transport.budget_bps`. 0 is unknown and means no limit."""

from libc.stdint cimport int64_t, uint32_t

from media.plane.objects cimport core_t, transport_t


cdef inline void update_budget(core_t *core, transport_t *transport) noexcept nogil:
    """Form the budget anew from what is known of the path."""
    transport.budget_bps = transport.remb_bps


cdef inline void take_remb(core_t *core, transport_t *transport, uint32_t bps) noexcept nogil:
    """draft-alvestrand-rmcat-remb: the receiver's own estimate of all that comes to it."""
    transport.remb_bps = bps
    update_budget(core, transport)
