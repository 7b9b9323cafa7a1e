"""Padding for subscribers who estimate their line themselves, one packet at a time, so that what arrives lets them allow more: see lift."""

from libc.stdint cimport int64_t, uint8_t

from media.plane.bits cimport smallest
from media.plane.connections cimport stands
from media.plane.lift cimport LOSS_BORNE, lift_aim, lift_make_room, lift_opens, lift_rest
from media.plane.objects cimport TCP_SOCKET, consumer_t, core_t, transport_t
from media.plane.padding cimport write_padding
from media.plane.sending cimport may_send, send_room, send_rtp
from media.plane.ssrcs cimport ssrcs_find
from media.plane.standing cimport standing_us
from media.plane.word cimport SENT_WINDOW_US, word_lacks, word_measure

cdef enum:
    WAITS_US = 50_000  # what packets may wait: some milliseconds are the other side's own
    LOOKED_MOST_US = 200_000  # between two ticks of a thread that gets its turns


cdef inline bint can_lift(const consumer_t *consumer) noexcept nogil:
    """Whether padding goes with the picture that is being sent."""
    return (
        consumer.word != NULL and consumer.has_rtx and not consumer.paused and not consumer.starved
        and consumer.stream >= 0 and not consumer.waits_key
    )


cdef inline consumer_t *choose_lifted(core_t *core, transport_t *transport) noexcept nogil:
    """The picture that is sent least of what its receiver allows, so that all words rise together; NULL where none can be padded."""
    cdef int64_t elapsed = core.now - transport.words_us
    cdef int64_t lacks
    cdef int64_t most = 0
    cdef consumer_t *found = NULL
    cdef consumer_t *consumer
    cdef int i
    for i in range(transport.consumers.count):
        consumer = <consumer_t *>transport.consumers.items[i]
        if not can_lift(consumer):
            continue
        lacks = word_lacks(consumer.word, consumer.bytes, elapsed)
        if found == NULL or lacks > most:
            found = consumer
            most = lacks
    return found


cdef inline void measure_words(core_t *core, transport_t *transport) noexcept nogil:
    cdef int64_t elapsed = core.now - transport.words_us
    cdef consumer_t *consumer
    cdef int i
    if elapsed < SENT_WINDOW_US:
        return
    for i in range(transport.consumers.count):
        consumer = <consumer_t *>transport.consumers.items[i]
        if consumer.word != NULL:
            word_measure(consumer.word, consumer.bytes, elapsed)
    transport.words_us = core.now


cdef inline void aim_higher(core_t *core, transport_t *transport) noexcept nogil:
    """Every tick, where a word was promised: how far to fill up, and with which picture. What is wanted leaves a reserve free, as the
    allocator does: else the last layer would not be let in."""
    cdef int64_t wanted = transport.desired_bps * 8 // 7
    cdef int64_t elapsed = smallest(core.now - transport.lift.looked_us, LOOKED_MOST_US)
    cdef bint borne = transport.loss_down <= LOSS_BORNE and standing_us(&transport.waiting) < WAITS_US
    cdef consumer_t *consumer
    transport.lift.looked_us = core.now
    measure_words(core, transport)
    if transport.desired_bps > transport.sound_bps:
        lift_opens(&transport.lift, wanted, borne, elapsed)
    consumer = choose_lifted(core, transport)
    lift_aim(&transport.lift, transport.budget_bps, wanted, borne, consumer == NULL, core.now)
    if transport.lift.fill_bps == 0:
        return
    transport.lifted_ssrc = consumer.ssrc
    if not transport.lifts:
        transport.lifts = True
        transport.lifted = core.lifted
        core.lifted = transport
        core.lift_at = core.now


cdef inline void stop_lifting(core_t *core, transport_t *transport) noexcept nogil:
    """It goes."""
    cdef transport_t **place = &core.lifted
    while place[0] != NULL and place[0] != transport:
        place = &place[0].lifted
    if place[0] != NULL:
        place[0] = transport.lifted


cdef inline int send_padding(core_t *core, transport_t *transport, consumer_t *consumer) noexcept nogil:
    """One packet; its length on the wire, 0 when refused. What may leave of the media at once is not less for it."""
    cdef uint8_t *out = send_room(core, transport)
    cdef int length = write_padding(core, consumer, out)
    length = send_rtp(core, transport, out, length, consumer.rtx_next - 1)
    consumer.word.padded += length
    transport.probe_bytes += length
    transport.pace_sent += length
    return length


cdef inline void fill_up(core_t *core, transport_t *transport) noexcept nogil:
    """Send what is due now. What waits to be sent goes first."""
    cdef consumer_t *consumer = <consumer_t *>ssrcs_find(&transport.by_ssrc, transport.lifted_ssrc)
    cdef int length
    lift_make_room(&transport.lift, transport.bytes_sent, core.now)
    if (
        consumer != NULL and can_lift(consumer) and not transport.lags and may_send(core, transport, 0)
        and not (transport.remote.socket == TCP_SOCKET and stands(core, &transport.remote))
    ):
        while transport.lift.room > 0:
            length = send_padding(core, transport, consumer)
            if length == 0:
                break
            transport.lift.room -= length
        transport.lift.room_sent = transport.bytes_sent
    lift_rest(&transport.lift, core.now)


cdef inline void lift_on(core_t *core) noexcept nogil:
    """Send what is due of all padding; `lift_at` becomes when to come back, 0 for never."""
    cdef transport_t *transport = core.lifted
    cdef transport_t *following
    core.lift_at = 0
    core.lifted = NULL
    while transport != NULL:
        following = transport.lifted
        transport.lifts = transport.lift.fill_bps != 0
        if transport.lifts:
            if core.now >= transport.lift.next_us:
                fill_up(core, transport)
            transport.lifted = core.lifted
            core.lifted = transport
            core.lift_at = smallest(core.lift_at, transport.lift.next_us) if core.lift_at else transport.lift.next_us
        transport = following
