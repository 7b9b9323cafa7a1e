"""Which producer an SSRC belongs to: as signalled, or learned from MID and RID (RFC 8852, RFC 8843), or the payload
type.

A stream whose SSRC changes begins anew, for all who watch it. So it changes only when the one before has fallen silent, and not again
at once: two that come in turn would leave nobody a picture.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport realloc
from libc.string cimport memcmp

from media.plane.drops cimport DROP_SSRC_CHANGES, DROP_UNKNOWN_STREAM
from media.plane.objects cimport ROUTES_MOST, core_t, producer_t, route_t, transport_t
from media.plane.rates cimport STRANGERS_A_SECOND, STRANGERS_BURST_US, rate_allows, rate_use
from media.plane.rtp cimport element_t, next_element, rtp_t
from media.plane.srtp cimport srtp_forget
from media.plane.ssrcs cimport ssrc_entry_t, ssrcs_close, ssrcs_find, ssrcs_put
from media.plane.stream cimport stream_restart, stream_t

cdef enum:
    STRANGERS_MOST = 1024  # then all are forgotten
    SSRC_SILENT_US = 200_000  # some pictures, or ten packets of a voice
    SSRC_CHANGE_US = 1_000_000

# Where a stranger's packet belongs, by what it says.
ctypedef struct place_t:
    producer_t *producer
    int encoding
    bint rtx


cdef inline route_t *route_find(transport_t *transport, uint32_t ssrc) noexcept nogil:
    cdef int i
    for i in range(transport.route_count):
        if transport.routes[i].ssrc == ssrc:
            return &transport.routes[i]
    return NULL


cdef inline bint stranger_allowed(core_t *core, transport_t *transport, uint32_t ssrc) noexcept nogil:
    """Whether a packet of this SSRC may be unprotected. libsrtp keeps state for each, so new ones must not come without end."""
    return (
        route_find(transport, ssrc) != NULL or ssrcs_find(&transport.strangers, ssrc) != NULL
        or rate_allows(transport.strangers_rate, core.now, 1, STRANGERS_A_SECOND, STRANGERS_BURST_US)
    )


cdef inline void forget_strangers(core_t *core, transport_t *transport) noexcept nogil:
    """And what libsrtp keeps of them. Who still sends is noted again."""
    cdef uint32_t i
    cdef const ssrc_entry_t *entry
    for i in range(transport.strangers.room):
        entry = &transport.strangers.entries[i]
        if entry.owner != NULL and route_find(transport, entry.ssrc) == NULL:
            srtp_forget(&core.srtp, transport.rx, entry.ssrc)
    ssrcs_close(&transport.strangers)


cdef inline void stranger_note(core_t *core, transport_t *transport, uint32_t ssrc) noexcept nogil:
    """An authentic packet had this SSRC, which has no route, or its route goes."""
    if ssrcs_find(&transport.strangers, ssrc) != NULL:
        return
    rate_use(&transport.strangers_rate, core.now, 1, STRANGERS_A_SECOND)
    if transport.strangers.count == STRANGERS_MOST:
        forget_strangers(core, transport)
    ssrcs_put(&transport.strangers, ssrc, transport)


cdef inline route_t *route_new(transport_t *transport) noexcept nogil:
    """Room for one more, behind all others; NULL where there may be none. Routes found before may be elsewhere now."""
    cdef int room = 2 * transport.route_room if transport.route_room else 4
    cdef route_t *routes
    if transport.route_count == ROUTES_MOST:
        return NULL
    if transport.route_count == transport.route_room:
        routes = <route_t *>realloc(transport.routes, room * sizeof(route_t))
        if routes == NULL:
            return NULL
        transport.routes = routes
        transport.route_room = room
    transport.route_count += 1
    return &transport.routes[transport.route_count - 1]


cdef inline route_t *route_add(
    core_t *core, transport_t *transport, producer_t *producer, int encoding, bint rtx, uint32_t ssrc
) noexcept nogil:
    """Let an SSRC be this stream's (or its RTX's); an earlier one of the same role is forgotten and the stream
    restarts."""
    cdef int i
    cdef route_t *route = NULL
    cdef stream_t *stream = &producer.streams[encoding]
    for i in range(transport.route_count):
        route = &transport.routes[i]
        if route.producer == producer and route.encoding == encoding and route.rtx == rtx:
            break
        route = NULL
    if route == NULL:
        route = route_new(transport)
        if route == NULL:
            return NULL
    elif route.ssrc != ssrc:
        stranger_note(core, transport, route.ssrc)
        if not rtx:
            stream_restart(stream)
            stream.report.arrival_us = 0
    route.ssrc = ssrc
    route.producer = producer
    route.encoding = <uint8_t>encoding
    route.rtx = rtx
    if rtx:
        stream.rtx_ssrc = ssrc
        stream.has_rtx_ssrc = True
    else:
        stream.ssrc = ssrc
        stream.has_ssrc = True
    return route


cdef inline void routes_remove(core_t *core, transport_t *transport, const producer_t *producer) noexcept nogil:
    cdef int i
    cdef int kept = 0
    for i in range(transport.route_count):
        if transport.routes[i].producer != producer:
            transport.routes[kept] = transport.routes[i]
            kept += 1
        else:
            stranger_note(core, transport, transport.routes[i].ssrc)
    transport.route_count = kept


cdef inline bint has_type(const producer_t *producer, uint8_t payload_type, bint rtx) noexcept nogil:
    """Whether the producer's packets, or its retransmissions, may be of that payload type."""
    if rtx:
        return producer.has_rtx and payload_type == producer.rtx_payload_type
    return payload_type == producer.payload_type or (producer.has_red and payload_type == producer.red_payload_type)


cdef inline bint place_by_rid(
    place_t *place, const transport_t *transport, const rtp_t *rtp, const uint8_t *rid, int length, const uint8_t *mid,
    int mid_length, bint rtx
) noexcept nogil:
    cdef int i, k
    cdef producer_t *producer
    cdef stream_t *stream
    for i in range(transport.producers.count):
        producer = <producer_t *>transport.producers.items[i]
        if mid_length and producer.mid_length and (
            mid_length != producer.mid_length or memcmp(mid, producer.mid, mid_length) != 0
        ):
            continue
        if not has_type(producer, rtp.payload_type, rtx):
            continue
        for k in range(producer.stream_count):
            stream = &producer.streams[k]
            if stream.rid_length == length and length and memcmp(stream.rid, rid, length) == 0:
                place.producer = producer
                place.encoding = k
                place.rtx = rtx
                return True
    return False


cdef inline bint place_by_type(
    place_t *place, const transport_t *transport, const rtp_t *rtp, const uint8_t *mid, int mid_length
) noexcept nogil:
    """One stream without RID: by its MID, or without one if the payload type leaves no doubt and no SSRC was
    signalled."""
    cdef int i
    cdef bint rtx
    cdef int found = 0
    cdef producer_t *producer
    place.encoding = 0
    for i in range(transport.producers.count):
        producer = <producer_t *>transport.producers.items[i]
        if producer.stream_count != 1 or producer.streams[0].rid_length:
            continue
        rtx = has_type(producer, rtp.payload_type, True)
        if not rtx and not has_type(producer, rtp.payload_type, False):
            continue
        if mid_length and producer.mid_length:
            if mid_length == producer.mid_length and memcmp(mid, producer.mid, mid_length) == 0:
                place.producer = producer
                place.rtx = rtx
                return True
            continue
        if producer.streams[0].has_rtx_ssrc if rtx else producer.streams[0].has_ssrc:
            continue
        place.producer = producer
        place.rtx = rtx
        found += 1
    return found == 1


cdef inline bint may_change(const stream_t *stream, int64_t now) noexcept nogil:
    """Whether the stream may have another SSRC than now."""
    return (
        not stream.has_ssrc or not stream.last_packet_us
        or (now - stream.last_packet_us >= SSRC_SILENT_US and now - stream.changed_us >= SSRC_CHANGE_US)
    )


cdef inline bint find_place(
    place_t *place, const transport_t *transport, const rtp_t *rtp, const uint8_t *data
) noexcept nogil:
    cdef element_t element
    cdef element_t mid
    cdef element_t rid
    cdef bint repaired = False
    cdef int cursor = rtp.extensions_at
    mid.at = 0
    mid.length = 0
    rid.at = 0
    rid.length = 0
    while next_element(rtp, data, &cursor, &element):
        if element.id == transport.mid_id:
            mid = element
        elif element.id == transport.rid_id and not repaired:  # a repair may have a name of its own (RFC 8852 section 3.2)
            rid = element
        elif element.id == transport.repaired_rid_id:
            rid = element
            repaired = True
    if rid.length and place_by_rid(
        place, transport, rtp, data + rid.at, rid.length, data + mid.at, mid.length, repaired
    ):
        return True
    if mid.length == 0 and rtp.payload_length == 0:  # libwebrtc probes with padding of SSRC 0 before it sends anything
        return False
    return place_by_type(place, transport, rtp, data + mid.at, mid.length)


cdef inline route_t *learn(core_t *core, transport_t *transport, const rtp_t *rtp, const uint8_t *data) noexcept nogil:
    """Find the stream of an SSRC not seen before, and remember it; NULL, which is counted, where it has none."""
    cdef place_t place
    cdef stream_t *stream
    cdef route_t *route
    if not find_place(&place, transport, rtp, data):
        core.drops[<int>DROP_UNKNOWN_STREAM] += 1
        return NULL
    stream = &place.producer.streams[place.encoding]
    if not place.rtx and not may_change(stream, core.now):
        core.drops[<int>DROP_SSRC_CHANGES] += 1
        return NULL
    route = route_add(core, transport, place.producer, place.encoding, place.rtx, rtp.ssrc)
    if route == NULL:
        core.drops[<int>DROP_UNKNOWN_STREAM] += 1
    elif not place.rtx:
        stream.changed_us = core.now
    return route
