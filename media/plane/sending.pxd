"""The way out: who may be sent to, protection, and the socket's batch."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from media.plane.batch cimport BATCH_BYTES, BATCH_MESSAGES, DATAGRAM_ROOM, batch_add, batch_full, batch_room, batch_t
from media.plane.connections cimport deliver_to_connections
from media.plane.drops cimport DROP_EVENT_QUEUE_FULL, DROP_NO_ADDRESS, DROP_NO_KEYS, DROP_NOT_ADMITTED, DROP_PROTECT
from media.plane.objects cimport BATCHES_MOST, TCP_SOCKET, core_t, transport_t
from media.plane.queue cimport queue_push
from media.plane.seal cimport seal_rtp
from media.plane.srtp cimport SRTP_OK

ctypedef struct event_t:
    int64_t handle
    int kind
    int spatial
    int temporal


cdef inline uint32_t core_random(core_t *core) noexcept nogil:
    """xorshift64*: initial sequence numbers and timestamps, which SRTP hides anyway."""
    core.random ^= core.random >> 12
    core.random ^= core.random << 25
    core.random ^= core.random >> 27
    return <uint32_t>((core.random * <unsigned long long>0x2545F4914F6CDD1D) >> 32)


cdef inline void core_tell(core_t *core, int kind, int64_t handle, int spatial, int temporal) noexcept nogil:
    cdef event_t event
    event.handle = handle
    event.kind = kind
    event.spatial = spatial
    event.temporal = temporal
    if queue_push(&core.events, &event, sizeof(event_t), NULL, 0):
        core.told = True
    else:
        core.drops[<int>DROP_EVENT_QUEUE_FULL] += 1


cdef inline bint may_send(core_t *core, const transport_t *transport, int packets) noexcept nogil:
    """Whether the transport can be sent to; if not, so many packets are counted as dropped."""
    if transport.admitted and transport.tx != NULL and transport.has_remote:
        return True
    if not transport.admitted:
        core.drops[<int>DROP_NOT_ADMITTED] += packets
    elif transport.tx == NULL:
        core.drops[<int>DROP_NO_KEYS] += packets
    else:
        core.drops[<int>DROP_NO_ADDRESS] += packets
    return False


cdef inline void hand_over(core_t *core, int socket) noexcept nogil:
    """Send what a socket's batch holds."""
    if socket == TCP_SOCKET:
        deliver_to_connections(core)
    else:
        core.deliver(core, socket)


cdef inline uint8_t *send_room(core_t *core, const transport_t *transport) noexcept nogil:
    """Where to write the next datagram for a transport that may be sent to."""
    cdef int socket = transport.remote.socket
    if batch_full(core.batches[socket]):
        hand_over(core, socket)
    return batch_room(core.batches[socket])


cdef inline bint make_room(core_t *core, const transport_t *transport, int bytes) noexcept nogil:
    """Let the next datagrams for a transport, so many bytes, go in one batch, for one kernel message, if one can hold
    them; whether the batch before had to be handed over for that."""
    cdef batch_t *batch = core.batches[transport.remote.socket] if transport.has_remote else NULL
    if batch == NULL or batch.count == 0:
        return False
    if batch.count < BATCH_MESSAGES and batch.used + bytes + DATAGRAM_ROOM <= BATCH_BYTES:
        return False
    hand_over(core, transport.remote.socket)
    return True


cdef inline int send_rtp(
    core_t *core, transport_t *transport, uint8_t *packet, int length, int64_t index
) noexcept nogil:
    """Encrypt the packet written at `send_room` and put it into the batch; its length on the wire, 0 when refused.

    `index` is its sequence number with the roll-overs. One index never stands for two different packets of an SSRC.
    """
    if transport.seal.cipher != NULL:
        length = seal_rtp(&core.evp, &transport.seal, packet, length, index)
    elif core.srtp.protect(transport.tx, packet, &length) != SRTP_OK:
        length = 0
    if not length:
        core.drops[<int>DROP_PROTECT] += 1
        return 0
    batch_add(core.batches[transport.remote.socket], &transport.remote, length)
    transport.packets_sent += 1
    transport.bytes_sent += length
    return length


cdef inline void send_rtcp(core_t *core, transport_t *transport, uint8_t *packet, int length) noexcept nogil:
    """As `send_rtp`, for a compound or reduced-size RTCP packet."""
    if core.srtp.protect_rtcp(transport.tx, packet, &length) != SRTP_OK:
        core.drops[<int>DROP_PROTECT] += 1
        return
    batch_add(core.batches[transport.remote.socket], &transport.remote, length)
    transport.packets_sent += 1
    transport.bytes_sent += length


cdef inline void deliver_all(core_t *core) noexcept nogil:
    """Hand over whatever the batches hold."""
    cdef int socket
    for socket in range(BATCHES_MOST):
        if core.batches[socket] != NULL and core.batches[socket].count:
            hand_over(core, socket)
