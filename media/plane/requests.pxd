"""RTCP that arrives: a publisher's sender reports, a subscriber's reports and wishes."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.plane.bits cimport get16, get24, get32, get64, largest, ones, smallest
from media.plane.budget cimport take_loss, take_remb, take_transport_cc
from media.plane.drops cimport DROP_MALFORMED_RTCP, DROP_NACK_UNKNOWN_SSRC, DROP_RTCP_ITEMS
from media.plane.estimator cimport estimator_loss_cause
from media.plane.feedback cimport READ_MOST, read_transport_cc
from media.plane.forward cimport TAP_RECORD_REPORT, tap_record_t
from media.plane.keyframes cimport want_key
from media.plane.layers cimport wanted_stream
from media.plane.losses cimport CAUSE_PATH, CAUSE_RATE, loss_cause_t
from media.plane.objects cimport SR_MEMORY, consumer_t, core_t, producer_t, route_t, transport_t
from media.plane.pacing cimport key_rests
from media.plane.queue cimport queue_push
from media.plane.rates cimport RTCP_ITEMS_A_SECOND, RTCP_ITEMS_BURST_US, rate_allows, rate_use
from media.plane.red cimport note_line
from media.plane.remb cimport is_congested, is_remb, names_of
from media.plane.replay cimport replay_again
from media.plane.resend cimport resend
from media.plane.routes cimport route_find
from media.plane.rtcp cimport (
    PSFB_AFB, PSFB_FIR, PSFB_PLI, REPORT_BLOCK, RTCP_PSFB, RTCP_RR, RTCP_RTPFB, RTCP_SR, RTPFB_NACK,
    RTPFB_TRANSPORT_CC, next_rtcp, rtcp_t,
)
from media.plane.spans cimport span_t, spans_current
from media.plane.ssrcs cimport ssrcs_find
from media.plane.standing cimport standing_add
from media.plane.stream cimport stream_t
from media.plane.wishes cimport key_is_coming, put_off

cdef enum:
    NACK_ITEMS_MOST = 32  # of one message: 544 packets, more than any honest receiver asks for at once
    FIR_ITEMS_MOST = 16
    TRANSPORT_CC_ITEMS = 10  # what each report of it takes, and how many statuses in it are one item more
    STATUSES_AN_ITEM = 16
    RTT_MOST_US = 10_000_000
    REPORT_FRESH_US = 2_000_000  # an older one tells how long the way was when it went
    CONGESTION_US = 1_000_000  # a queue that was full before a report began still loses in its time


cdef inline consumer_t *consumer_find(transport_t *transport, uint32_t ssrc) noexcept nogil:
    """By its media SSRC."""
    return <consumer_t *>ssrcs_find(&transport.by_ssrc, ssrc)


cdef inline void tell_taps(producer_t *producer, stream_t *stream) noexcept nogil:
    """Pass the publisher's clock on to the taps that have this stream now."""
    cdef int i
    cdef consumer_t *tap
    cdef span_t *span
    cdef tap_record_t record
    cdef uint64_t report[2]
    for i in range(producer.tap_count):
        tap = <consumer_t *>producer.consumers.items[i]
        span = spans_current(&tap.spans)
        if span == NULL or tap.stream != stream.index or span.epoch != stream.epoch:
            continue
        record.arrival_us = stream.report.arrival_us
        record.kind = TAP_RECORD_REPORT
        report[0] = stream.report.ntp
        report[1] = <uint32_t>(stream.report.rtp - span.timestamp_shift)
        queue_push(tap.tap, &record, sizeof(tap_record_t), report, sizeof(report))


cdef inline void read_sender_report(core_t *core, transport_t *transport, const uint8_t *data) noexcept nogil:
    """`data` is at the sender's SSRC, 24 bytes."""
    cdef route_t *route = route_find(transport, get32(data))
    cdef stream_t *stream
    cdef consumer_t *consumer
    cdef bint first
    cdef int i
    if route == NULL or route.rtx:
        return
    stream = &route.producer.streams[route.encoding]
    first = stream.report.arrival_us == 0
    stream.report.ntp = get64(data + 4)
    stream.report.rtp = get32(data + 12)
    stream.report.arrival_us = core.now
    tell_taps(route.producer, stream)
    if first:
        for i in range(route.producer.consumers.count):
            consumer = <consumer_t *>route.producer.consumers.items[i]
            if consumer.transport != NULL:
                consumer.transport.report_at = core.now


cdef inline loss_cause_t loss_cause(const transport_t *transport, int64_t since_us) noexcept nogil:
    if transport.estimator == NULL:
        return CAUSE_RATE if is_congested(transport, largest(since_us - <int64_t>CONGESTION_US, 0)) else CAUSE_PATH
    return estimator_loss_cause(transport.estimator, since_us - CONGESTION_US)


cdef inline void read_report_block(
    core_t *core, transport_t *transport, const uint8_t *data, uint64_t *expected, uint64_t *lost
) noexcept nogil:
    cdef consumer_t *consumer = consumer_find(transport, get32(data))
    cdef uint32_t highest, last_sr, delay, covered
    cdef int64_t rtt
    cdef int i
    if consumer == NULL:
        return
    highest = get32(data + 8)
    covered = highest - consumer.reported_highest if consumer.reported_highest else 0
    consumer.reported_highest = highest
    consumer.fraction = data[4]
    consumer.lost = get24(data + 5)
    consumer.jitter = get32(data + 12)
    if consumer.has_red:
        note_line(consumer, data[4], loss_cause(transport, consumer.reported_us), core.now)
    consumer.reported_us = core.now
    if 0 < covered < 100_000:
        expected[0] += covered
        lost[0] += <uint64_t>covered * data[4] // 256
    last_sr = get32(data + 16)
    delay = get32(data + 20)
    if last_sr == 0:
        return
    for i in range(SR_MEMORY):
        if consumer.reports[i].middle == last_sr and consumer.reports[i].sent_us:
            rtt = core.now - consumer.reports[i].sent_us - <int64_t>delay * 1_000_000 // 65_536
            if 0 < rtt < RTT_MOST_US:
                consumer.rtt_us = <uint32_t>rtt
                if transport.promised_remb and core.now - consumer.reports[i].sent_us < REPORT_FRESH_US:
                    standing_add(&transport.waiting, rtt, core.now)
                    transport.waited_us = core.now
                transport.rtt_us = <uint32_t>((7 * <int64_t>transport.rtt_us + rtt) // 8 if transport.rtt_us else rtt)
            return


cdef inline void read_nack(core_t *core, transport_t *transport, const uint8_t *data, int at, int end) noexcept nogil:
    cdef consumer_t *consumer = consumer_find(transport, get32(data + at + 4))
    cdef int items = 0
    cdef int k
    cdef uint16_t pid, mask
    if consumer == NULL or consumer.paused or consumer.starved:
        core.drops[<int>DROP_NACK_UNKNOWN_SSRC] += 1
        return
    consumer.nacks += 1
    core.nacks_received += 1
    at += 8
    while at + 4 <= end and items < NACK_ITEMS_MOST:
        pid = get16(data + at)
        mask = get16(data + at + 2)
        resend(core, consumer, pid)
        for k in range(16):
            if mask >> k & 1:
                resend(core, consumer, <uint16_t>(pid + k + 1))
        at += 4
        items += 1


cdef inline void read_key_request(core_t *core, transport_t *transport, uint32_t ssrc, bint fir) noexcept nogil:
    cdef consumer_t *consumer = consumer_find(transport, ssrc)
    cdef stream_t *stream
    if consumer == NULL or consumer.paused or consumer.starved or not consumer.producer.video:
        return
    consumer.key_requests += 1
    core.key_requests_received += 1
    consumer.firs += fir
    stream = &consumer.producer.streams[consumer.stream if consumer.stream >= 0 else wanted_stream(consumer)]
    if key_is_coming(core, consumer):
        put_off(core, consumer)
        return
    if not key_rests(core, consumer, stream):
        want_key(core, consumer.producer, stream)
    elif not consumer.waits_key:
        replay_again(core, consumer, stream)


cdef inline bint read_feedback(
    core_t *core, transport_t *transport, const rtcp_t *packet, const uint8_t *data
) noexcept nogil:
    """RTPFB and PSFB; false when malformed. The kinds the plane has no use for are passed over."""
    cdef int at = packet.at
    cdef int items = 0
    if packet.end - at < 8:
        return False
    if packet.type == RTCP_RTPFB:
        if packet.count == RTPFB_NACK:
            if packet.end - at < 12:
                return False
            read_nack(core, transport, data, at, packet.end)
        elif packet.count == RTPFB_TRANSPORT_CC:
            if transport.sent == NULL:
                return True
            if not read_transport_cc(transport.sent, &core.results, data, at, packet.end, core.now):
                return False
            transport.feedbacks += 1
            take_transport_cc(core, transport)
        return True
    if packet.count == PSFB_PLI:
        read_key_request(core, transport, get32(data + at + 4), False)
    elif packet.count == PSFB_FIR:
        at += 8
        while at + 8 <= packet.end and items < FIR_ITEMS_MOST:
            read_key_request(core, transport, get32(data + at), True)
            at += 8
            items += 1
    elif packet.count == PSFB_AFB and is_remb(data, at, packet.end):
        take_remb(core, transport, data, at, packet.end)
    return True


cdef inline int items_of(const rtcp_t *packet, const uint8_t *data) noexcept nogil:
    """What reading a packet takes: one, and one for each block, request or number in it that will be looked at."""
    cdef int items = 1
    cdef int at
    if packet.type == RTCP_SR or packet.type == RTCP_RR:
        return 1 + packet.count
    if packet.type == RTCP_PSFB and packet.count == PSFB_FIR:
        return 1 + <int>smallest((packet.end - packet.at) // 8, FIR_ITEMS_MOST)
    if packet.type == RTCP_PSFB and packet.count == PSFB_AFB and is_remb(data, packet.at, packet.end):
        return 1 + names_of(data, packet.at, packet.end)
    if packet.type != RTCP_RTPFB or packet.end - packet.at < 12:
        return 1
    if packet.count == RTPFB_TRANSPORT_CC:
        return TRANSPORT_CC_ITEMS + <int>smallest(get16(data + packet.at + 10), READ_MOST) // STATUSES_AN_ITEM
    if packet.count == RTPFB_NACK:
        for at in range(packet.at + 8, <int>smallest(packet.end - 3, packet.at + 8 + 4 * NACK_ITEMS_MOST), 4):
            items += 1 + ones(get16(data + at + 2))
    return items


cdef inline bint within_items(core_t *core, transport_t *transport, int items) noexcept nogil:
    """A datagram holds some hundreds of blocks, or thousands of numbers: what is in it counts, as it does itself (demux)."""
    if not rate_allows(transport.items_rate, core.now, items, RTCP_ITEMS_A_SECOND, RTCP_ITEMS_BURST_US):
        core.drops[<int>DROP_RTCP_ITEMS] += 1
        return False
    rate_use(&transport.items_rate, core.now, items, RTCP_ITEMS_A_SECOND)
    core.rtcp_items += items
    return True


cdef inline void accept_rtcp(core_t *core, transport_t *transport, const uint8_t *data, int length) noexcept nogil:
    """One decrypted compound (or reduced-size, RFC 5506) packet of an admitted transport."""
    cdef rtcp_t packet
    cdef int cursor = 0
    cdef int status, blocks_at, i
    cdef uint64_t expected = 0
    cdef uint64_t lost = 0
    while True:
        status = next_rtcp(data, length, &cursor, &packet)
        if status == 0:
            break
        if status < 0:
            core.drops[<int>DROP_MALFORMED_RTCP] += 1
            break
        if not within_items(core, transport, items_of(&packet, data)):
            continue
        if packet.type == RTCP_SR or packet.type == RTCP_RR:
            blocks_at = packet.at + (24 if packet.type == RTCP_SR else 4)
            if blocks_at + packet.count * REPORT_BLOCK > packet.end:
                core.drops[<int>DROP_MALFORMED_RTCP] += 1
                continue
            if packet.type == RTCP_SR:
                read_sender_report(core, transport, data + packet.at)
            for i in range(packet.count):
                read_report_block(core, transport, data + blocks_at + i * REPORT_BLOCK, &expected, &lost)
        elif packet.type == RTCP_RTPFB or packet.type == RTCP_PSFB:
            if not read_feedback(core, transport, &packet, data):
                core.drops[<int>DROP_MALFORMED_RTCP] += 1
    if expected:
        transport.loss_told_us = core.now
        transport.loss_down = <uint32_t>((transport.loss_down + lost * 65_536 // expected) // 2)
        take_loss(core, transport)
