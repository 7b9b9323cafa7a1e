"""RTCP that goes out at its time: receiver reports and transport-cc to publishers, sender reports to subscribers."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from media.plane.feedback cimport write_transport_cc
from media.plane.floor cimport is_heard
from media.plane.objects cimport SR_MEMORY, consumer_t, core_t, producer_t, transport_t
from media.plane.rtcp cimport (
    REPORT_BLOCK, REPORT_BLOCKS_MOST, RTCP_RR, SR_AND_SDES_MOST, middle_ntp, report_block_t, write_header,
    write_report_block, write_sdes, write_sr,
)
from media.plane.bits cimport put32
from media.plane.sending cimport send_room, send_rtcp
from media.plane.spans cimport span_t, spans_current
from media.plane.stream cimport stream_came, stream_expected, stream_t

cdef enum:
    REPORT_US = 1_000_000
    # Of voices, of which many go to each, as libwebrtc's: RFC 3550 section 6.2 allows RTCP a twentieth of the bandwidth. The first ones
    # come sooner, because a receiver needs two before it knows the clock.
    SOUND_REPORT_US = 5_000_000
    SOON = 3
    LOSS_FORGOTTEN_US = 2 * SOUND_REPORT_US  # receivers of sound tell of it as seldom
    FEEDBACK_US = 100_000  # libwebrtc's own default for transport-cc
    FEEDBACK_MESSAGES = 4  # of one round: 3,200 packets
    RTCP_ROOM = 1200  # stays below every usual MTU with SRTCP's trailer


cdef inline void fill_report_block(
    core_t *core, stream_t *stream, report_block_t *block, uint64_t *expected, uint64_t *lost
) noexcept nogil:
    """RFC 3550 appendix A.3, and remember the interval's beginning. What came as RTX was lost: that is how the line is."""
    cdef uint64_t all_expected = stream_expected(stream)
    cdef int64_t all_lost = <int64_t>(all_expected + stream.lost_before) - stream_came(stream)
    cdef int64_t interval = <int64_t>(all_expected - stream.expected_prior)
    cdef int64_t interval_lost = interval - (stream_came(stream) - stream.came_prior)
    stream.expected_prior = all_expected
    stream.came_prior = stream_came(stream)
    block.ssrc = stream.ssrc
    block.fraction = 0
    if interval > 0 and interval_lost > 0:
        block.fraction = <uint8_t>(255 if interval_lost >= interval else (interval_lost << 8) // interval)
        expected[0] += interval
        lost[0] += interval_lost
    elif interval > 0:
        expected[0] += interval
    block.lost = <uint32_t>(0 if all_lost < 0 else (0x7FFFFF if all_lost > 0x7FFFFF else all_lost))
    block.highest = <uint32_t>(stream.highest - stream.inserted) - 65536
    block.jitter = stream.jitter >> 4
    block.last_sr = 0
    block.delay = 0
    if stream.report.arrival_us:
        block.last_sr = middle_ntp(stream.report.ntp)
        block.delay = <uint32_t>((core.now - stream.report.arrival_us) * 65_536 // 1_000_000)


cdef inline void report_to_publisher(core_t *core, transport_t *transport) noexcept nogil:
    """One receiver report with a block for each stream heard lately."""
    cdef report_block_t block
    cdef producer_t *producer
    cdef stream_t *stream
    cdef uint8_t *out
    cdef int i, k
    cdef int blocks = 0
    cdef uint64_t expected = 0
    cdef uint64_t lost = 0
    transport.loss_up = 0
    if transport.producers.count == 0:
        return
    out = send_room(core, transport)
    for i in range(transport.producers.count):
        producer = <producer_t *>transport.producers.items[i]
        for k in range(producer.stream_count):
            stream = &producer.streams[k]
            if not stream.started or blocks == REPORT_BLOCKS_MOST or core.now - stream.last_packet_us > 5 * REPORT_US:
                continue
            fill_report_block(core, stream, &block, &expected, &lost)
            write_report_block(out + 8 + blocks * REPORT_BLOCK, &block)
            blocks += 1
    if blocks == 0:
        return
    put32(out + 4, transport.ssrc)
    transport.loss_up = <uint32_t>(lost * 65_536 // expected) if expected else 0
    send_rtcp(core, transport, out, write_header(out, blocks, RTCP_RR, 8 + blocks * REPORT_BLOCK))


cdef inline void forget_loss(const core_t *core, transport_t *transport) noexcept nogil:
    """What a line lost that has carried nothing for a while says nothing of it now."""
    if core.now - transport.loss_told_us > LOSS_FORGOTTEN_US:
        transport.loss_down = 0


cdef inline int write_sender_report(core_t *core, consumer_t *consumer, uint8_t *out) noexcept nogil:
    """SR + SDES of one consumer: the publisher's own clock, carried on to now; 0 while it is unknown."""
    cdef producer_t *producer = consumer.producer
    cdef span_t *span = spans_current(&consumer.spans)
    cdef stream_t *stream
    cdef int64_t elapsed
    cdef uint64_t ntp
    cdef uint32_t rtp
    cdef int length
    if (
        span == NULL or consumer.paused or consumer.starved or consumer.packets == 0 or not is_heard(producer)
        or core.now < consumer.report_at
    ):
        return 0
    stream = &producer.streams[span.stream]
    if stream.epoch != span.epoch or stream.report.arrival_us == 0:
        return 0
    elapsed = core.now - stream.report.arrival_us
    ntp = stream.report.ntp + ((<uint64_t>elapsed // 1_000_000) << 32)
    ntp += ((<uint64_t>elapsed % 1_000_000) << 32) // 1_000_000
    rtp = stream.report.rtp + <uint32_t>(elapsed * producer.clock_rate // 1_000_000)
    rtp -= consumer.replay_shift if consumer.replay_frames else span.timestamp_shift
    length = write_sr(out, consumer.ssrc, ntp, rtp, <uint32_t>consumer.packets, <uint32_t>consumer.octets)
    length += write_sdes(out + length, consumer.ssrc, producer.cname, producer.cname_length)
    consumer.reports[consumer.report_count % SR_MEMORY].middle = middle_ntp(ntp)
    consumer.reports[consumer.report_count % SR_MEMORY].sent_us = core.now
    consumer.report_count += 1
    consumer.report_at = core.now + (REPORT_US if producer.video or consumer.report_count < SOON else SOUND_REPORT_US)
    return length


cdef inline void report_to_subscriber(core_t *core, transport_t *transport) noexcept nogil:
    """Sender reports of all consumers, as many in one compound as fit."""
    cdef uint8_t *out = NULL
    cdef int at = 0
    cdef int i
    for i in range(transport.consumers.count):
        if out == NULL:
            out = send_room(core, transport)
        at += write_sender_report(core, <consumer_t *>transport.consumers.items[i], out + at)
        if at + SR_AND_SDES_MOST > RTCP_ROOM:
            send_rtcp(core, transport, out, at)
            out = NULL
            at = 0
    if at:
        send_rtcp(core, transport, out, at)


cdef inline void feed_back(core_t *core, transport_t *transport) noexcept nogil:
    """Transport-cc to a publisher: what its bandwidth estimator climbs on."""
    cdef uint8_t *out
    cdef int i, length
    for i in range(FEEDBACK_MESSAGES):
        out = send_room(core, transport)
        length = write_transport_cc(transport.arrivals, out, transport.ssrc)
        if length == 0:
            return
        send_rtcp(core, transport, out, length)


cdef inline void report(core_t *core, transport_t *transport) noexcept nogil:
    """What is due for one transport."""
    if not (transport.admitted and transport.tx != NULL and transport.has_remote):
        return
    if transport.arrivals != NULL and core.now >= transport.feedback_at:
        transport.feedback_at = core.now + FEEDBACK_US
        feed_back(core, transport)
    if core.now >= transport.report_at:
        transport.report_at = core.now + REPORT_US
        forget_loss(core, transport)
        report_to_publisher(core, transport)
        report_to_subscriber(core, transport)
