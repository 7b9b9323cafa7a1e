"""The receive state of one SSRC of a publisher: order, loss, jitter, sender reports (RFC 3550 appendix A)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from media.plane.bits cimport ahead32, largest, unwrap16, unwrap_bits
from media.plane.dependency cimport structure_t
from media.plane.frames cimport frames_t
from media.plane.nack cimport missing_add, missing_arrived, missing_list_t
from media.plane.parameters cimport sets_t
from media.plane.ring cimport ring_clear, ring_t
from media.plane.timers cimport timer_t

cdef enum:
    DROPOUT_MOST = 3000  # RFC 3550: a larger jump ahead is a restart, once the next packet confirms it
    MISORDER_MOST = 1000  # a retransmission may be this late; older ones are a restart too
    FIRST_CYCLE = 65536  # extended numbers start here, so that nothing before the first is negative or 0
    PENDING_MOST = 64
    BEGINNING_US = 100_000  # for so long the first to come may turn out not to be the first that was sent
    BEGINNING_MOST = 16
    INSERTED_KEPT = 16  # a power of two; of each a packet can be that late

cdef enum arrival_t:
    ARRIVAL_NEW
    ARRIVAL_LATE  # fills a gap
    ARRIVAL_DUPLICATE
    ARRIVAL_BAD
    ARRIVAL_RESTART  # the first of a new sequence

ctypedef struct sender_report_t:
    uint64_t ntp
    uint32_t rtp
    int64_t arrival_us  # 0: none yet

ctypedef struct stream_t:
    uint32_t ssrc
    uint32_t rtx_ssrc
    bint has_ssrc
    bint has_rtx_ssrc
    uint8_t rid[16]
    uint8_t rid_length
    uint8_t index
    uint32_t epoch  # grows whenever sequence and timestamps start anew

    bint started
    bint active  # sending lately: a simulcast publisher leaves out layers it cannot afford
    int64_t highest
    int64_t base
    int64_t inserted  # packets of our own among the numbers of this epoch, which are so much ahead of the publisher's
    int64_t insertions[<int>INSERTED_KEPT]  # the newest, each by the publisher's number that comes right behind it
    int32_t bad_next  # the sequence number that would confirm a restart; -1 none
    uint64_t received
    uint64_t recovered
    uint64_t repaired  # of those received: they came as RTX, which is a stream of its own (RFC 4588 section 4)
    uint64_t lost_before  # of earlier epochs
    int64_t ended  # the newest of the last one
    uint64_t expected_prior
    int64_t came_prior
    uint32_t jitter  # in 1/16 timestamp units
    uint32_t transit
    bint has_transit
    sender_report_t report
    missing_list_t missing
    timer_t waits  # for missing packets or a key frame, see repairs

    int64_t begun_us  # of this epoch
    int64_t changed_us  # when its SSRC was learned; 0: as signalled
    int64_t last_packet_us
    uint64_t bytes
    uint64_t bytes_prior
    uint32_t frames  # of video: whole ones, by their last packet
    uint32_t frames_prior
    uint32_t frame_rate
    uint32_t bitrate
    int64_t picture  # newest extended picture id
    uint16_t picture_ahead  # how far that is beyond the publisher's own of 15 bits
    uint8_t picture_bits  # of the publisher's last
    uint8_t top_temporal  # the highest temporal layer seen

    int64_t key_sequence  # the newest key frame's first packet; 0 none
    int64_t key_arrival_us
    uint32_t key_timestamp
    bint key_wanted
    bint key_asked  # whether the newest came because it was asked for
    int64_t key_asked_us
    uint8_t key_tries
    uint8_t fir_sequence

    ring_t ring
    frames_t *frame_log  # NULL unless its frames are chosen by layer one by one
    sets_t *sets  # of H.264, else NULL
    structure_t *structure  # NULL unless those frames are told by the dependency descriptor
    int64_t structure_number  # of the frame that brought it
    # What is not sent to all consumers yet, see turns: the first `sending` are on their way, and what is said of the time is
    # of the others.
    int64_t pending[<int>PENDING_MOST]
    int pending_count
    int64_t pending_since_us
    bint pending_due
    bint listed  # among those who have something pending
    int sending
    uint32_t turn  # grows whenever others set out
    int64_t sending_since_us
    int sent_to  # consumers who have had it
    int send_to  # who are to
    int forsaken  # pending when the order began anew; to be counted


cdef inline void stream_restart(stream_t *stream) noexcept nogil:
    """Forget the order seen so far: the next packet begins a new epoch."""
    if stream.started:
        stream.ended = stream.highest
        stream.lost_before += <uint64_t>(stream.highest - stream.base + 1)
    stream.epoch += 1
    stream.started = False
    stream.inserted = 0
    stream.missing.count = 0
    stream.forsaken += stream.pending_count
    stream.pending_count = 0
    stream.sending = 0
    stream.bad_next = -1
    stream.has_transit = False
    stream.key_sequence = 0
    stream.key_asked = False
    stream.picture = 0
    stream.picture_ahead = 0
    stream.picture_bits = 0
    if stream.frame_log != NULL:
        memset(stream.frame_log, 0, sizeof(frames_t))
    if stream.structure != NULL:
        stream.structure.known = False
        stream.structure_number = 0
    ring_clear(&stream.ring)


cdef inline int64_t stream_came(const stream_t *stream) noexcept nogil:
    """How many packets came without being asked for again: the others are lost in what is told of the line."""
    return <int64_t>(stream.received - stream.repaired)


cdef inline void stream_begin(stream_t *stream, uint16_t sequence, int64_t now) noexcept nogil:
    stream.started = True
    stream.begun_us = now
    stream.highest = FIRST_CYCLE + sequence
    stream.base = stream.highest
    stream.expected_prior = 0
    stream.came_prior = stream_came(stream)
    stream.bad_next = -1


cdef inline int64_t stream_insert(stream_t *stream, int64_t number) noexcept nogil:
    """Give the number of the newest packet to one of our own, which goes before it; the number that it has itself now."""
    stream.insertions[stream.inserted & (INSERTED_KEPT - 1)] = number - stream.inserted
    stream.inserted += 1
    stream.highest += 1
    stream.base += 1
    return number + 1


cdef inline int64_t own_number(const stream_t *stream, int64_t sent) noexcept nogil:
    """Ours of a publisher's number, which is not newer than the newest; -1 where that is forgotten."""
    cdef int64_t before = stream.inserted
    while before > 0 and sent < stream.insertions[(before - 1) & (INSERTED_KEPT - 1)]:
        before -= 1
        if before and stream.inserted - before == INSERTED_KEPT:
            return -1
    return sent + before


cdef inline int64_t sent_number(const stream_t *stream, int64_t number) noexcept nogil:
    """The publisher's of ours."""
    cdef int64_t before = stream.inserted
    while before > 0 and number < stream.insertions[(before - 1) & (INSERTED_KEPT - 1)] + before:
        before -= 1
        if stream.inserted - before == INSERTED_KEPT:
            break
    return number - before


cdef inline bint overtaken(const stream_t *stream, int64_t number, int64_t now) noexcept nogil:
    """Whether a packet from before the first that came belongs to the stream all the same: a key frame begins with it, often."""
    return (
        stream.inserted == 0 and number >= stream.base - BEGINNING_MOST and now - stream.begun_us < BEGINNING_US
    )


cdef inline int stream_arrival(
    stream_t *stream, uint16_t sequence, int64_t now, bint wants_missing, bint rtx, int64_t *extended, int64_t
    *rtt, bint *outage
) noexcept nogil:
    """Place a sequence number; `extended` is valid for NEW, LATE and RESTART. `outage`: too much is missing to ask
    for."""
    cdef int64_t number, step
    rtt[0] = 0
    outage[0] = False
    if not stream.started:
        stream_begin(stream, sequence, now)
        extended[0] = stream.highest
        return ARRIVAL_NEW
    number = unwrap16(stream.highest, <uint16_t>(sequence + stream.inserted))
    step = number - stream.highest
    extended[0] = number
    if step > DROPOUT_MOST or step < -MISORDER_MOST:
        if rtx:
            return ARRIVAL_BAD
        if stream.bad_next == sequence:
            stream_restart(stream)
            stream.report.arrival_us = 0  # of another clock
            stream_begin(stream, sequence, now)
            extended[0] = stream.highest
            return ARRIVAL_RESTART
        stream.bad_next = (sequence + 1) & 0xFFFF
        return ARRIVAL_BAD
    if step > 0:
        if step > 1 and wants_missing:
            outage[0] = not missing_add(&stream.missing, stream.highest + 1, number - 1, now)
        stream.highest = number
        return ARRIVAL_NEW
    if number < stream.base:
        if rtx or not overtaken(stream, number, now):
            return ARRIVAL_BAD  # from before we began to listen
        stream.base = number
        return ARRIVAL_LATE
    if step == 0:
        return ARRIVAL_DUPLICATE
    if stream.inserted:
        number = own_number(stream, number - stream.inserted)
        if number < 0:
            return ARRIVAL_BAD
        extended[0] = number
    rtt[0] = missing_arrived(&stream.missing, number, now)
    return ARRIVAL_LATE


cdef inline int64_t stream_picture(stream_t *stream, uint16_t picture, uint8_t bits) noexcept nogil:
    """Extend a picture id of 7 or 15 bits. Their number may change (RFC 7741 section 4.2): after some of 7 bits, one of 15 tells no more
    than those of how far the stream has come."""
    cdef int64_t number
    if stream.picture == 0:
        stream.picture = 65536 + picture
    if bits > stream.picture_bits and stream.picture_bits:
        number = unwrap_bits(stream.picture, picture & 0x7F, 7)
        stream.picture_ahead = <uint16_t>(number - picture)
    number = unwrap_bits(stream.picture, picture + (stream.picture_ahead if bits > 7 else 0), bits)
    stream.picture_bits = bits
    stream.picture = largest(stream.picture, number)
    return number


cdef inline void stream_jitter(stream_t *stream, uint32_t timestamp, uint32_t clock_rate, int64_t now) noexcept nogil:
    """RFC 3550 appendix A.8, for packets that were not retransmitted."""
    cdef uint32_t transit = <uint32_t>(<uint64_t>now * clock_rate / 1_000_000) - timestamp
    cdef int64_t difference
    if stream.has_transit:
        difference = ahead32(transit, stream.transit)
        if difference < 0:
            difference = -difference
        if difference < <int64_t>clock_rate * 5:  # a leap of the clock is not jitter
            stream.jitter += <uint32_t>difference - ((stream.jitter + 8) >> 4)
    stream.transit = transit
    stream.has_transit = True


cdef inline uint64_t stream_expected(const stream_t *stream) noexcept nogil:
    return <uint64_t>(stream.highest - stream.base + 1) if stream.started else 0
