"""Key frames: asking publishers for them, never too often, and until they come."""

from libc.stdint cimport int64_t, uint8_t

from media.plane.bits cimport largest
from media.plane.objects cimport core_t, producer_t, transport_t
from media.plane.rtcp cimport write_fir, write_pli
from media.plane.sending cimport may_send, send_room, send_rtcp
from media.plane.stream cimport stream_t
from media.plane.timers cimport timer_hasten

cdef enum:
    KEY_INTERVAL_US = 500_000  # a key frame is some ten times a delta frame: two a second is what an uplink bears
    KEY_INTERVAL_LATER_US = 1_000_000
    KEY_QUICK_TRIES = 3
    KEY_TRIES = 20
    KEY_LOOK_US = 50_000  # until one is tried again that could not be sent


cdef inline int64_t key_due(const stream_t *stream) noexcept nogil:
    """When the next request for this stream may go out."""
    if stream.key_asked_us == 0:
        return 0
    return stream.key_asked_us + (KEY_INTERVAL_US if stream.key_tries <= KEY_QUICK_TRIES else KEY_INTERVAL_LATER_US)


cdef inline void ask_key(core_t *core, producer_t *producer, stream_t *stream) noexcept nogil:
    """Send the request if one is wanted and due."""
    cdef transport_t *transport = producer.transport
    cdef uint8_t *out
    if not stream.key_wanted or producer.paused or not stream.has_ssrc or core.now < key_due(stream):
        return
    if stream.key_tries >= KEY_TRIES:
        stream.key_wanted = False
        return
    if not may_send(core, transport, 0):
        return
    out = send_room(core, transport)
    if producer.fir:
        if stream.key_tries == 0:
            stream.fir_sequence += 1  # RFC 5104 section 4.3.1.1: repetitions keep their number
        send_rtcp(core, transport, out, write_fir(out, transport.ssrc, stream.ssrc, stream.fir_sequence))
    else:
        send_rtcp(core, transport, out, write_pli(out, transport.ssrc, stream.ssrc))
    stream.key_asked_us = core.now
    stream.key_tries += 1
    producer.key_requests += 1
    core.key_requests_sent += 1


cdef inline void want_key(core_t *core, producer_t *producer, stream_t *stream) noexcept nogil:
    """Somebody needs a key frame of this stream: many wishes become one request."""
    if not producer.video:
        return
    if not stream.key_wanted:
        stream.key_wanted = True
        stream.key_tries = 0
    ask_key(core, producer, stream)
    timer_hasten(&core.waiting, &stream.waits, largest(key_due(stream), core.now + KEY_LOOK_US))


cdef inline void key_arrived(
    core_t *core, producer_t *producer, stream_t *stream, int64_t sequence, unsigned int timestamp
) noexcept nogil:
    """Note a packet that begins a key frame (H.264 may show several in one frame: the first counts)."""
    if stream.key_sequence and (stream.key_timestamp == timestamp or sequence < stream.key_sequence):
        return
    stream.key_sequence = sequence
    stream.key_timestamp = timestamp
    stream.key_arrival_us = core.now
    stream.key_asked = stream.key_tries > 0
    stream.key_wanted = False
    stream.key_tries = 0
    producer.key_frames += 1
    core.key_frames += 1
