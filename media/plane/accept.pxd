"""RTP from a publisher, decrypted: to which stream it belongs, whether it is new, and into the ring."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from media.plane.allocation cimport TEMPORAL_MOST
from media.plane.bits cimport get16, largest, unwrap16
from media.plane.dependency cimport DEPENDENCY_LEAST, dependency_t, parse_dependency
from media.plane.drops cimport (
    DROP_BAD_SEQUENCE, DROP_DUPLICATE, DROP_MALFORMED_PAYLOAD, DROP_MALFORMED_RTP, DROP_NOT_LOUDEST,
    DROP_PADDING_ONLY, DROP_PAYLOAD_TYPE, DROP_PRODUCER_PAUSED, DROP_TOO_LATE,
)
from media.plane.extensions cimport (
    DEPENDENCY_LONGEST, EXT_AUDIO_LEVEL, EXT_DEPENDENCY, FIRST_PASSED, PASSED_KINDS, PASSED_LONGEST, described_t, passed_t,
)
from media.plane.feedback cimport arrivals_note
from media.plane.floor cimport floor_ask, is_heard, note_level
from media.plane.fanout cimport send_whole
from media.plane.frames cimport frames_note, frames_note_vp9
from media.plane.keyframes cimport key_arrived, want_key
from media.plane.layers cimport stream_needed
from media.plane.meter cimport meter_add
from media.plane.nack cimport NACK_WAIT_US
from media.plane.objects cimport DUE_MOST, core_t, producer_t, route_t, transport_t
from media.plane.parameters cimport sets_known, sets_read
from media.plane.payload cimport SETS_HERE, SETS_NOT, parse_payload, payload_t
from media.plane.red cimport fits_between, parse_red, red_t
from media.plane.ring cimport ring_find, ring_seen, ring_store, slot_t
from media.plane.routes cimport has_type, learn, route_find, stranger_note
from media.plane.rtp cimport element_t, next_element, parse_rtp, rtp_t
from media.plane.sending cimport core_tell
from media.plane.stream cimport (
    ARRIVAL_BAD, ARRIVAL_DUPLICATE, ARRIVAL_LATE, ARRIVAL_NEW, PENDING_MOST, stream_arrival, stream_insert, stream_jitter,
    stream_picture, stream_t,
)
from media.plane.timers cimport timer_hasten

cdef enum:
    EVENT_STARTED = 1
    EVENT_ACTIVE = 3
    ALONE_MOST = 8  # frames in turn are no chance


cdef inline void note_transport_cc(
    core_t *core, transport_t *transport, const rtp_t *rtp, const uint8_t *data
) noexcept nogil:
    cdef element_t element
    cdef int cursor = rtp.extensions_at
    if transport.arrivals == NULL or transport.transport_cc_id == 0:
        return
    while next_element(rtp, data, &cursor, &element):
        if element.id == transport.transport_cc_id and element.length == 2:
            arrivals_note(transport.arrivals, get16(data + element.at), rtp.ssrc, core.now)
            return


cdef inline bint find_passed(
    core_t *core, producer_t *producer, const rtp_t *rtp, const uint8_t *data, passed_t *passed, described_t *dependency
) noexcept nogil:
    """Note where the extensions are that are passed on; whether one of them says that somebody speaks."""
    cdef element_t element
    cdef uint8_t kind
    cdef bint speaks = False
    cdef int cursor = rtp.extensions_at
    memset(passed, 0, PASSED_KINDS * sizeof(passed_t))
    memset(dependency, 0, sizeof(described_t))
    while next_element(rtp, data, &cursor, &element):
        kind = producer.kinds[element.id]
        if kind == EXT_DEPENDENCY and DEPENDENCY_LEAST <= element.length <= DEPENDENCY_LONGEST:
            dependency.at = <uint16_t>element.at
            dependency.length = <uint8_t>element.length
        if kind < FIRST_PASSED or element.length == 0 or element.length > PASSED_LONGEST:
            continue
        passed[kind - FIRST_PASSED].at = <uint16_t>element.at
        passed[kind - FIRST_PASSED].length = <uint8_t>element.length
        if kind == EXT_AUDIO_LEVEL:
            speaks = note_level(core, producer, data[element.at])
    return speaks


cdef inline void add_pending(
    core_t *core, producer_t *producer, stream_t *stream, const slot_t *slot, bint late
) noexcept nogil:
    """Let a stored packet wait for the rest of its frame; audio and late ones only for the end of this batch,
    before what they were overtaken by: nobody could begin with that."""
    cdef int at
    if stream.pending_count == PENDING_MOST:
        send_whole(core, producer, stream)
    if not stream.listed:
        if core.due_count == DUE_MOST:  # more streams at once than can be remembered: no waiting for this one
            stream.pending[0] = slot.sequence
            stream.pending_count = 1
            send_whole(core, producer, stream)
            return
        stream.listed = True
        core.due[core.due_count].producer = producer
        core.due[core.due_count].stream = stream.index
        core.due_count += 1
    if stream.pending_count == stream.sending:
        stream.pending_since_us = core.now
    at = stream.pending_count
    while late and at > stream.sending and stream.pending[at - 1] > slot.sequence:
        stream.pending[at] = stream.pending[at - 1]
        at -= 1
    stream.pending[at] = slot.sequence
    stream.pending_count += 1
    if slot.marker or late or not producer.video:
        stream.pending_due = True


cdef inline slot_t *store_own(
    core_t *core, stream_t *stream, int64_t sequence, const uint8_t *payload, int length, uint32_t timestamp
) noexcept nogil:
    """Keep a packet that the publisher did not send as such, and that one can begin with."""
    cdef slot_t *slot = ring_store(&stream.ring, sequence, payload, length, core.now)
    slot.arrival_us = core.now
    slot.timestamp = timestamp
    slot.payload_at = 0
    slot.payload_length = <uint16_t>length
    slot.marker = False
    slot.picture = 0
    memset(&slot.payload, 0, sizeof(payload_t))
    slot.payload.key = True
    slot.payload.first = True
    memset(slot.passed, 0, PASSED_KINDS * sizeof(passed_t))
    memset(&slot.dependency, 0, sizeof(described_t))
    return slot


cdef inline void recover(
    core_t *core, producer_t *producer, stream_t *stream, int64_t sequence, uint32_t timestamp, const red_t *red,
    const uint8_t *payload
) noexcept nogil:
    """Put the lost packets before this one into their places, out of its copies; if they come late, they are
    duplicates. Reports to the publisher still count them as lost: that keeps its own redundancy up."""
    cdef int i
    cdef int64_t number
    cdef slot_t *slot
    for i in range(red.count):
        number = sequence - red.count + i
        if (
            number < stream.base or red.copies[i].length == 0 or ring_seen(&stream.ring, number)
            or not fits_between(stream, number, timestamp - red.copies[i].back)
        ):
            continue
        slot = store_own(
            core, stream, number, payload + red.copies[i].at, red.copies[i].length, timestamp - red.copies[i].back
        )
        stream.recovered += 1
        core.recovered += 1
        if is_heard(producer) or producer.tap_count:
            add_pending(core, producer, stream, slot, False)


cdef inline int spatial_layer(const producer_t *producer, const stream_t *stream, const slot_t *slot) noexcept nogil:
    """Of simulcast the stream's place, else the packet's own layer."""
    return stream.index if producer.stream_count > 1 else slot.payload.spatial


cdef inline void note_described(
    producer_t *producer, stream_t *stream, slot_t *slot, const uint8_t *descriptor
) noexcept nogil:
    """What the dependency descriptor says of the packet's frame."""
    cdef dependency_t dependency
    cdef uint16_t number = get16(descriptor + 1)
    slot.picture = unwrap16(stream.picture, number) if stream.picture else 65536 + number
    stream.picture = largest(stream.picture, slot.picture)
    if slot.dependency.length > DEPENDENCY_LEAST and descriptor[3] & 0x80 and slot.picture < stream.structure_number:
        return  # a structure that has been replaced already
    parse_dependency(&dependency, stream.structure, descriptor, slot.dependency.length)
    slot.payload.first = dependency.first
    slot.payload.last = dependency.last
    if not dependency.whole:
        return
    if dependency.new_structure:
        stream.structure_number = slot.picture
        producer.keyed = stream.structure.keyed
    elif dependency.masked and slot.picture == stream.picture:
        stream.structure.active = dependency.active
    slot.dependency.targets = stream.structure.targets
    slot.dependency.mask_at = dependency.mask_at
    slot.payload.has_layer = True
    slot.payload.spatial = dependency.frame.spatial
    slot.payload.temporal = dependency.frame.temporal
    frames_note(stream.frame_log, slot.picture, &dependency.frame)


cdef inline void note_dependence(producer_t *producer, const payload_t *payload) noexcept nogil:
    """Whether VP9's spatial layers stand on each other between key pictures: an upper frame says so itself (D), whatever the
    publisher's signaling said, or where it said nothing."""
    if payload.spatial == 0 or not payload.predicted or not payload.first:
        return
    if payload.stacked:
        producer.alone = 0
        producer.keyed = False
    elif producer.alone < ALONE_MOST:
        producer.alone += 1
        producer.keyed = producer.keyed or producer.alone == ALONE_MOST


cdef inline void note_layers(
    core_t *core, producer_t *producer, stream_t *stream, slot_t *slot, const uint8_t *data
) noexcept nogil:
    """Keep what is known of the packet's frame, and which layers are being sent."""
    if stream.structure != NULL:
        if slot.dependency.length:
            note_described(producer, stream, slot, data + slot.dependency.at)
    elif slot.payload.picture_bits:
        note_dependence(producer, &slot.payload)
        frames_note_vp9(stream.frame_log, slot.picture, &slot.payload, producer.keyed)
    producer.layer_heard_us[slot.payload.spatial] = core.now
    if slot.payload.spatial > producer.top_spatial:
        producer.top_spatial = slot.payload.spatial


cdef inline bint misses_none(const stream_t *stream, int64_t sequence, uint32_t timestamp) noexcept nogil:
    """Whether all that the picture has before this packet came."""
    cdef const slot_t *slot
    while sequence > stream.base:
        sequence -= 1
        slot = ring_find(&stream.ring, sequence)
        if slot == NULL:
            return False
        if slot.timestamp != timestamp:
            return True
    return True


cdef inline int64_t mind_sets(
    core_t *core, producer_t *producer, stream_t *stream, int64_t sequence, uint32_t timestamp, const uint8_t *data,
    int length, payload_t *payload, bint late
) noexcept nogil:
    """Keep the parameter sets that a packet of H.264 brings; before a key picture that has none put those kept, in a packet of our
    own. The number that the packet itself has then.

    Where something is missing before it, that may be the sets, and others than those kept: then nobody begins here.
    """
    if payload.sets == SETS_HERE:
        sets_read(stream.sets, data, length)
        return sequence
    if (stream.key_sequence and stream.key_timestamp == timestamp) or late or not misses_none(stream, sequence, timestamp):
        payload.key = False
        return sequence
    if not sets_known(stream.sets) or stream.structure != NULL:  # a packet without descriptor has no place among those with
        return sequence
    payload.key = False
    key_arrived(core, producer, stream, sequence, timestamp)
    add_pending(
        core, producer, stream,
        store_own(core, stream, sequence, stream.sets.bytes, stream.sets.length, timestamp), False,
    )
    return stream_insert(stream, sequence)


cdef inline void store(
    core_t *core, producer_t *producer, stream_t *stream, int64_t sequence, const rtp_t *rtp, const uint8_t
    *data, bint late
) noexcept nogil:
    """Keep a packet that belongs to a stream and is new there, and let it be forwarded."""
    cdef payload_t payload
    cdef red_t red
    cdef slot_t *slot
    cdef bint speaks
    cdef int spatial
    cdef int end = rtp.payload_at + rtp.payload_length
    red.count = -1
    if rtp.payload_length == 0:
        memset(&payload, 0, sizeof(payload_t))
        core.drops[<int>DROP_PADDING_ONLY] += 1  # kept all the same, for its number
    elif producer.has_red and rtp.payload_type == producer.red_payload_type:
        if not parse_red(&red, data + rtp.payload_at, rtp.payload_length, producer.payload_type):
            core.drops[<int>DROP_MALFORMED_PAYLOAD] += 1
            return
        memset(&payload, 0, sizeof(payload_t))
        payload.key = True
        payload.first = True
        if not late:
            recover(core, producer, stream, sequence, rtp.timestamp, &red, data + rtp.payload_at)
    elif not parse_payload(&payload, producer.codec, data + rtp.payload_at, rtp.payload_length):
        core.drops[<int>DROP_MALFORMED_PAYLOAD] += 1
        return
    if payload.sets != SETS_NOT:
        sequence = mind_sets(
            core, producer, stream, sequence, rtp.timestamp, data + rtp.payload_at, rtp.payload_length, &payload, late
        )
    slot = ring_store(&stream.ring, sequence, data, end, core.now)
    slot.arrival_us = core.now
    slot.timestamp = rtp.timestamp
    slot.payload_at = <uint16_t>rtp.payload_at
    slot.payload_length = <uint16_t>rtp.payload_length
    if red.count >= 0:
        slot.payload_at += <uint16_t>red.own_at
        slot.payload_length = <uint16_t>red.own_length
    slot.marker = rtp.marker
    slot.payload = payload
    slot.picture = 0
    if payload.picture_bits:
        slot.picture = stream_picture(stream, payload.picture, payload.picture_bits)
    speaks = find_passed(core, producer, rtp, data, slot.passed, &slot.dependency)
    if stream.frame_log != NULL:
        note_layers(core, producer, stream, slot, data)
    if slot.payload.has_layer and slot.payload.temporal > stream.top_temporal:
        stream.top_temporal = slot.payload.temporal
    if producer.video and payload.key:
        key_arrived(core, producer, stream, sequence, rtp.timestamp)
    if producer.video:
        spatial = spatial_layer(producer, stream, slot)
        meter_add(
            &producer.meters[spatial * TEMPORAL_MOST + slot.payload.temporal], end,
            stream.key_sequence != 0 and rtp.timestamp == stream.key_timestamp,
            stream.key_asked and spatial == 0,
        )
    if not is_heard(producer) and not late:
        floor_ask(core, producer, speaks)
    if not is_heard(producer):
        core.drops[<int>DROP_NOT_LOUDEST] += 1
        if producer.tap_count == 0:
            return
    add_pending(core, producer, stream, slot, late)


cdef inline void note_heard(core_t *core, producer_t *producer, stream_t *stream, int length) noexcept nogil:
    stream.bytes += length
    stream.last_packet_us = core.now
    stream.active = True
    producer.last_packet_us = core.now
    if not producer.heard:
        producer.heard = True
        core_tell(core, EVENT_STARTED, producer.handle, -1, -1)
    if producer.silent:
        producer.silent = False
        core_tell(core, EVENT_ACTIVE, producer.handle, -1, -1)


cdef inline void accept_rtp(core_t *core, transport_t *transport, const uint8_t *data, int length) noexcept nogil:
    """One decrypted RTP packet of an admitted transport."""
    cdef rtp_t rtp
    cdef route_t *route
    cdef producer_t *producer
    cdef stream_t *stream
    cdef int64_t sequence = 0
    cdef int64_t rtt = 0
    cdef bint outage = False
    cdef bint rtx
    cdef int arrival, missing
    if not parse_rtp(&rtp, data, length):
        core.drops[<int>DROP_MALFORMED_RTP] += 1
        return
    note_transport_cc(core, transport, &rtp, data)
    route = route_find(transport, rtp.ssrc)
    if route == NULL:
        route = learn(core, transport, &rtp, data)
        if route == NULL:
            stranger_note(core, transport, rtp.ssrc)
            return
    producer = route.producer
    stream = &producer.streams[route.encoding]
    rtx = route.rtx
    if not has_type(producer, rtp.payload_type, rtx):
        core.drops[<int>DROP_PAYLOAD_TYPE] += 1
        return
    if producer.paused:
        core.drops[<int>DROP_PRODUCER_PAUSED] += 1
        return
    if rtx:
        if rtp.payload_length < 2 or not stream.started:  # probing
            core.drops[<int>DROP_PADDING_ONLY] += 1
            return
        rtp.sequence = get16(data + rtp.payload_at)
        rtp.payload_at += 2
        rtp.payload_length -= 2
    else:
        note_heard(core, producer, stream, length)
        stream_jitter(stream, rtp.timestamp, producer.clock_rate, core.now)
    missing = stream.missing.count
    arrival = stream_arrival(stream, rtp.sequence, core.now, producer.nack, rtx, &sequence, &rtt, &outage)
    if arrival == ARRIVAL_BAD:
        core.drops[<int>DROP_BAD_SEQUENCE] += 1
        return
    if arrival == ARRIVAL_DUPLICATE or (arrival == ARRIVAL_LATE and ring_seen(&stream.ring, sequence)):
        core.drops[<int>DROP_DUPLICATE] += 1
        return
    if arrival == ARRIVAL_LATE and stream.highest - sequence >= stream.ring.slot_count:
        core.drops[<int>DROP_TOO_LATE] += 1
        return
    stream.received += 1
    stream.frames += rtp.marker != 0
    if rtx:
        stream.repaired += 1
        stream.recovered += 1
        core.recovered += 1
        if rtt > 0:
            producer.rtt_us = <uint32_t>((7 * producer.rtt_us + rtt) // 8 if producer.rtt_us else rtt)
    if outage and stream_needed(producer, stream.index):
        want_key(core, producer, stream)
    if stream.missing.count > missing:
        timer_hasten(&core.waiting, &stream.waits, core.now + NACK_WAIT_US)
    store(core, producer, stream, sequence, &rtp, data, arrival == ARRIVAL_LATE)
