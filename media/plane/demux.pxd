"""The packet entry: a datagram with its source (RFC 7983), to whom it belongs, and decryption."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from media.plane.accept cimport accept_rtp
from media.plane.address cimport address_t, table_find
from media.plane.bits cimport get32, largest
from media.plane.consent cimport answer_consent
from media.plane.drops cimport (
    DROP_CONTROL_QUEUE_FULL, DROP_MALFORMED_RTCP, DROP_MALFORMED_RTP, DROP_NOT_ADMITTED, DROP_NO_KEYS,
    DROP_RTCP_FLOOD, DROP_TOO_FAST, DROP_TOO_LONG, DROP_TOO_MANY_SSRCS, DROP_UNKNOWN_ADDRESS, DROP_UNKNOWN_PROTOCOL,
)
from media.plane.exchange cimport pass_on
from media.plane.objects cimport core_t, transport_t
from media.plane.queue cimport queue_push, queue_t
from media.plane.rates cimport (
    MEDIA_BURST_US, MEDIA_BYTES_A_SECOND, MEDIA_PACKET_LEAST, RTCP_A_SECOND, RTCP_BURST_US, rate_allows, rate_use,
)
from media.plane.requests cimport accept_rtcp
from media.plane.routes cimport route_find, stranger_allowed, stranger_note
from media.plane.srtp cimport SRTP_OK, unprotect_drop

cdef enum:
    DATAGRAM_MOST = 1600  # longer than anything Ethernet brings unfragmented

ctypedef struct control_t:
    address_t address
    int64_t transport  # its handle, 0 for a stranger


cdef inline void to_control(
    core_t *core, const address_t *address, const transport_t *transport, const uint8_t *data, int length
) noexcept nogil:
    """Queue a STUN or DTLS datagram for Python. Strangers have a queue of their own, lest a flood starve the rest."""
    cdef control_t head
    cdef queue_t *queue = &core.control if transport != NULL else &core.strangers
    head.address = address[0]
    head.transport = transport.handle if transport != NULL else 0
    if queue_push(queue, &head, sizeof(control_t), data, length):
        core.told = True
    else:
        core.drops[<int>DROP_CONTROL_QUEUE_FULL] += 1


cdef inline bint within_rate(core_t *core, const transport_t *transport, int length, bint rtcp) noexcept nogil:
    if rtcp:
        if rate_allows(transport.rtcp_rate, core.now, 1, RTCP_A_SECOND, RTCP_BURST_US):
            return True
        core.drops[<int>DROP_RTCP_FLOOD] += 1
        return False
    if rate_allows(
        transport.media_rate, core.now, largest(length, MEDIA_PACKET_LEAST), MEDIA_BYTES_A_SECOND, MEDIA_BURST_US
    ):
        return True
    core.drops[<int>DROP_TOO_FAST] += 1
    return False


cdef inline void use_rate(core_t *core, transport_t *transport, int length, bint rtcp) noexcept nogil:
    if rtcp:
        rate_use(&transport.rtcp_rate, core.now, 1, RTCP_A_SECOND)
    else:
        rate_use(&transport.media_rate, core.now, largest(length, MEDIA_PACKET_LEAST), MEDIA_BYTES_A_SECOND)


cdef inline void receive_media(
    core_t *core, transport_t *transport, uint8_t *data, int length, bint clear
) noexcept nogil:
    """RTP or RTCP (RFC 5761 tells them apart) of a known transport; `clear`: decrypted already."""
    cdef bint rtcp = length >= 2 and 192 <= data[1] <= 223
    cdef uint32_t ssrc
    cdef int status
    if not transport.admitted:
        core.drops[<int>DROP_NOT_ADMITTED] += 1
        return
    if length < (8 if rtcp else 12):
        core.drops[<int>DROP_MALFORMED_RTCP if rtcp else <int>DROP_MALFORMED_RTP] += 1
        return
    ssrc = get32(data + (4 if rtcp else 8))
    if not within_rate(core, transport, length, rtcp):
        return  # before it is decrypted, which costs as much as all else
    if not clear:
        if transport.rx == NULL:
            core.drops[<int>DROP_NO_KEYS] += 1
            return
        if not stranger_allowed(core, transport, ssrc):
            core.drops[<int>DROP_TOO_MANY_SSRCS] += 1
            return
        if rtcp:
            status = core.srtp.unprotect_rtcp(transport.rx, data, &length)
        else:
            status = core.srtp.unprotect(transport.rx, data, &length)
        if status != SRTP_OK:
            core.drops[unprotect_drop(status)] += 1
            return
    # Only what is authentic counts, or a forger could use up another's rate, or keep one alive who has gone.
    use_rate(core, transport, length, rtcp)
    transport.authentic_us = core.now
    transport.packets_received += 1
    transport.bytes_received += length
    if rtcp:
        if route_find(transport, ssrc) == NULL:
            stranger_note(core, transport, ssrc)
        accept_rtcp(core, transport, data, length)
    else:
        accept_rtp(core, transport, data, length)


cdef inline void core_take(core_t *core, uint8_t *data, int length, const address_t *address) noexcept nogil:
    """One datagram of this plane's, or of nobody's, 1 to DATAGRAM_MOST bytes. `data` is decrypted in place."""
    cdef transport_t *transport = <transport_t *>table_find(&core.addresses, address)
    core.packets_received += 1
    core.bytes_received += length
    if transport == NULL:
        if data[0] < 4:
            to_control(core, address, NULL, data, length)
        else:
            core.drops[<int>DROP_UNKNOWN_ADDRESS] += 1
        return
    transport.last_received_us = core.now
    if 128 <= data[0] <= 191:
        receive_media(core, transport, data, length, False)
    elif data[0] < 4:
        if not answer_consent(core, transport, data, length, address):
            to_control(core, address, transport, data, length)
    elif 20 <= data[0] <= 63:
        to_control(core, address, transport, data, length)
    else:
        core.drops[<int>DROP_UNKNOWN_PROTOCOL] += 1


cdef inline void core_receive(core_t *core, uint8_t *data, int length, const address_t *address) noexcept nogil:
    """One datagram from the network at `core.now`, for whichever plane of the port."""
    if length > DATAGRAM_MOST or length < 1:
        core.packets_received += 1
        core.bytes_received += length
        core.drops[<int>DROP_TOO_LONG if length else <int>DROP_UNKNOWN_PROTOCOL] += 1
    elif core.exchange == NULL or not pass_on(core, data, length, address):
        core_take(core, data, length, address)
