"""Transport-wide congestion control, draft-holmer-rmcat-transport-wide-cc-extensions-01, both ways.

Towards publishers: note when each transport-wide sequence number arrived, and report. From subscribers: read such a
report against what was sent, for the bandwidth estimator.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from media.plane.bits cimport get16, get24, put16, put24, put32, unwrap16, unwrap_bits
from media.plane.rtcp cimport RTCP_RTPFB, RTPFB_TRANSPORT_CC, write_header

cdef enum:
    ARRIVALS = 2048  # a power of two; 100 ms at 20,000 packets a second
    REORDER_MOST = 400  # how far behind the last report a packet may still come and be reported after all
    STATUSES_MOST = 800  # in one message of ours: 800 * 2/7 + 800 * 2 bytes at worst stays below ROOM
    READ_MOST = 8191  # in one message of theirs: after an outage receivers report a long run of losses
    # Powers of two. As many as two seconds of one picture and its sound at first; at most 0.4 s of the highest rate the
    # estimator allows.
    SENT_FIRST = 256
    SENT = 2048
    SENT_KEEPS_US = 4_000_000  # for a report of it; after that whoever reports has other troubles
    REPORTED_LOST = 0x8000  # in `size`
    DELTA_US = 250
    REFERENCE_US = 64_000

ctypedef struct arrivals_t:
    int64_t times[<int>ARRIVALS]  # 0: not received
    int64_t first  # where this run of numbers began
    int64_t next  # first extended number to report
    int64_t highest
    bint started
    uint8_t count
    uint32_t media_ssrc

# What each packet that is sent leaves behind: eight bytes, eight packets a cache line.
ctypedef struct sent_packet_t:
    uint32_t sent_us  # low bits
    uint16_t sequence
    uint16_t size  # 0: answered for, or never sent

ctypedef struct sent_t:
    uint16_t next
    int64_t bytes
    uint16_t reported  # the number behind the last that a report covered
    int64_t reference  # newest reference time of their reports, extended; 0: none yet
    uint16_t room  # for so many
    sent_packet_t *packets  # by number

# One packet's fate.
ctypedef struct result_t:
    int64_t sent_us
    int64_t arrival_us  # on the receiver's clock; -1 lost
    uint16_t sequence
    uint16_t size
    bint late  # it was reported lost before

ctypedef struct results_t:
    int64_t unreported_bytes  # sent between the last report and this one: the report of them was lost
    int count
    result_t items[<int>SENT]


cdef inline void arrivals_note(arrivals_t *arrivals, uint16_t sequence, uint32_t ssrc, int64_t now) noexcept nogil:
    cdef int64_t number, gap
    arrivals.media_ssrc = ssrc
    if not arrivals.started:
        arrivals.started = True
        arrivals.next = 65536 + sequence
        arrivals.first = arrivals.next
        arrivals.highest = arrivals.next - 1
    number = unwrap16(arrivals.highest, sequence)
    if number < arrivals.next:
        # Reported as lost already, or a copy. What was only reordered is reported again from here on, as libwebrtc's
        # receivers do, or its sender would take reordering for loss.
        if arrivals.next - number > REORDER_MOST or number < arrivals.first:
            return
        if arrivals.times[number & (ARRIVALS - 1)] != 0:
            return
        arrivals.next = number
    if number > arrivals.highest:
        if number - arrivals.next >= ARRIVALS:  # feedback fell behind, or a leap: begin anew here
            memset(arrivals.times, 0, sizeof(arrivals.times))
            arrivals.next = number
            arrivals.first = number
        else:
            for gap in range(arrivals.highest + 1, number):
                arrivals.times[gap & (ARRIVALS - 1)] = 0
        arrivals.highest = number
    elif arrivals.times[number & (ARRIVALS - 1)] != 0:
        return  # a copy: the first arrival is the true one
    arrivals.times[number & (ARRIVALS - 1)] = now


cdef inline int write_chunks(uint8_t *out, const uint8_t *symbols, int count) noexcept nogil:
    """Packet status chunks for `count` symbols (0 lost, 1 small delta, 2 large delta)."""
    cdef int at = 0
    cdef int i = 0
    cdef int run, k
    cdef uint32_t chunk
    while i < count:
        run = 1
        while i + run < count and symbols[i + run] == symbols[i]:
            run += 1
        if run >= 7 or i + run == count:
            put16(out + at, (<uint32_t>symbols[i] << 13) | <uint32_t>run)
            i += run
        else:
            chunk = 0xC000  # a vector of seven two-bit symbols
            for k in range(7):
                if i + k < count:
                    chunk |= <uint32_t>symbols[i + k] << (12 - 2 * k)
            put16(out + at, chunk)
            i += 7
        at += 2
    return at


cdef inline int write_transport_cc(arrivals_t *arrivals, uint8_t *out, uint32_t sender) noexcept nogil:
    """One feedback message for what is not reported yet; its length, 0 when there is nothing."""
    cdef uint8_t symbols[<int>STATUSES_MOST]
    cdef int16_t deltas[<int>STATUSES_MOST]
    cdef int count = 0
    cdef int received = 0
    cdef int kept = 0  # statuses up to and with the last received one
    cdef int lead = 0  # losses before the first received one, in a chunk of their own: an outage may leave many
    cdef int at, i, delta_count
    cdef int64_t reference = 0
    cdef int64_t clock = 0
    cdef int64_t time, delta
    if not arrivals.started or arrivals.next > arrivals.highest:
        return 0
    while arrivals.times[(arrivals.next + lead) & (ARRIVALS - 1)] == 0:
        lead += 1
        if arrivals.next + lead > arrivals.highest:
            return 0
    while count < STATUSES_MOST and arrivals.next + lead + count <= arrivals.highest:
        time = arrivals.times[(arrivals.next + lead + count) & (ARRIVALS - 1)]
        if time == 0:
            symbols[count] = 0
            count += 1
            continue
        if received == 0:
            reference = time // REFERENCE_US
            clock = reference * REFERENCE_US
        delta = (time - clock) // DELTA_US if time >= clock else -((clock - time) // DELTA_US)
        if delta > 32767 or delta < -32768:
            break  # the next message has its own reference time
        symbols[count] = 1 if 0 <= delta <= 255 else 2
        deltas[received] = <int16_t>delta
        clock += delta * DELTA_US
        received += 1
        count += 1
        kept = count
    put32(out + 4, sender)
    put32(out + 8, arrivals.media_ssrc)
    put16(out + 12, <uint16_t>arrivals.next)
    put16(out + 14, <uint32_t>(lead + kept))
    put24(out + 16, <uint32_t>reference)
    out[19] = arrivals.count
    arrivals.count += 1
    at = 20
    if lead:
        put16(out + at, <uint32_t>lead)
        at += 2
    at += write_chunks(out + at, symbols, kept)
    delta_count = 0
    for i in range(kept):
        if symbols[i] == 1:
            out[at] = <uint8_t>deltas[delta_count]
            at += 1
            delta_count += 1
        elif symbols[i] == 2:
            put16(out + at, <uint16_t>deltas[delta_count])
            at += 2
            delta_count += 1
    while at & 3:
        out[at] = 0
        at += 1
    arrivals.next += lead + kept
    return write_header(out, RTPFB_TRANSPORT_CC, RTCP_RTPFB, at)


cdef inline bint sent_open(sent_t *sent) noexcept nogil:
    sent.packets = <sent_packet_t *>calloc(SENT_FIRST, sizeof(sent_packet_t))
    sent.room = SENT_FIRST
    return sent.packets != NULL


cdef inline void sent_close(sent_t *sent) noexcept nogil:
    free(sent.packets)


cdef inline void sent_forget(sent_t *sent) noexcept nogil:
    """What is reported from now on of anything sent before counts nothing."""
    memset(sent.packets, 0, sent.room * sizeof(sent_packet_t))
    sent.bytes = 0
    sent.reported = sent.next


cdef inline sent_packet_t *sent_slot(sent_t *sent, uint16_t sequence) noexcept nogil:
    return &sent.packets[sequence & (sent.room - 1)]


cdef inline void sent_grow(sent_t *sent) noexcept nogil:
    """Twice as much room; where there is no memory it stays as it is."""
    cdef uint16_t room = <uint16_t>(2 * sent.room)
    cdef sent_packet_t *packets = <sent_packet_t *>calloc(room, sizeof(sent_packet_t))
    cdef int i
    if packets == NULL:
        return
    for i in range(sent.room):
        packets[sent.packets[i].sequence & (room - 1)] = sent.packets[i]
    free(sent.packets)
    sent.packets = packets
    sent.room = room


cdef inline uint16_t sent_note(sent_t *sent, int size, int64_t now) noexcept nogil:
    """Give the next transport-wide sequence number to a packet."""
    cdef uint16_t sequence = sent.next
    cdef sent_packet_t *packet = sent_slot(sent, sequence)
    if (
        0 < packet.size < REPORTED_LOST and sent.room < SENT
        and <uint32_t>now - packet.sent_us < <uint32_t>SENT_KEEPS_US
    ):
        sent_grow(sent)
        packet = sent_slot(sent, sequence)
    packet.sequence = sequence
    packet.sent_us = <uint32_t>now
    packet.size = <uint16_t>size
    sent.bytes += size
    sent.next = <uint16_t>(sequence + 1)
    return sequence


cdef inline void sent_result(
    sent_t *sent, results_t *results, uint16_t sequence, int64_t arrival_us, int64_t now
) noexcept nogil:
    """Each packet counts once, or twice when its loss was reported too early. What was never sent counts nothing."""
    cdef sent_packet_t *packet = sent_slot(sent, sequence)
    cdef result_t *result = &results.items[results.count]
    if packet.size == 0 or packet.sequence != sequence or results.count == SENT:
        return
    if packet.size & REPORTED_LOST and arrival_us < 0:
        return
    result.sent_us = now - <uint32_t>(<uint32_t>now - packet.sent_us)
    result.arrival_us = arrival_us
    result.sequence = sequence
    result.size = packet.size & ~REPORTED_LOST
    result.late = packet.size & REPORTED_LOST != 0
    results.count += 1
    packet.size = packet.size | REPORTED_LOST if arrival_us < 0 else 0


cdef inline int64_t unreported(sent_t *sent, uint16_t base) noexcept nogil:
    """Bytes that reports, in order, leave out before `base`."""
    cdef int64_t bytes = 0
    cdef uint16_t missed = <uint16_t>(base - sent.reported)
    cdef const sent_packet_t *packet
    cdef int i
    if missed > SENT // 2:
        return 0
    for i in range(missed):
        packet = sent_slot(sent, <uint16_t>(sent.reported + i))
        if packet.sequence == <uint16_t>(sent.reported + i) and not packet.size & REPORTED_LOST:
            bytes += packet.size
    return bytes


cdef inline bint read_transport_cc(
    sent_t *sent, results_t *results, const uint8_t *data, int at, int end, int64_t now
) noexcept nogil:
    """Read a report's body (from the sender's SSRC on) into `results`; false when it is malformed, `sent`
    untouched."""
    cdef uint8_t symbols[<int>READ_MOST]
    cdef int count, chunks_at, filled, run, k, symbol, i, size
    cdef uint16_t base, chunk
    cdef int64_t clock
    if end - at < 16:
        return False
    results.count = 0
    base = get16(data + at + 8)
    count = get16(data + at + 10)
    if count == 0 or count > READ_MOST:
        return False
    chunks_at = at + 16
    filled = 0
    while filled < count:
        if chunks_at + 2 > end:
            return False
        chunk = get16(data + chunks_at)
        chunks_at += 2
        if not chunk & 0x8000:
            run = chunk & 0x1FFF
            if run == 0:
                return False
            for k in range(run):
                if filled < count:
                    symbols[filled] = (chunk >> 13) & 3
                    filled += 1
        elif chunk & 0x4000:
            for k in range(7):
                if filled < count:
                    symbols[filled] = (chunk >> (12 - 2 * k)) & 3
                    filled += 1
        else:
            for k in range(14):
                if filled < count:
                    symbols[filled] = (chunk >> (13 - k)) & 1
                    filled += 1
    size = 0
    for i in range(count):
        if symbols[i] == 3:
            return False
        size += symbols[i]
    if chunks_at + size > end:
        return False
    sent.reference = unwrap_bits(sent.reference if sent.reference else 1 << 24, get24(data + at + 12), 24)
    clock = sent.reference * REFERENCE_US
    results.unreported_bytes = unreported(sent, base)
    if <uint16_t>(base + count - sent.reported) < 0x8000:
        sent.reported = <uint16_t>(base + count)
    for i in range(count):
        symbol = symbols[i]
        if symbol == 0:
            sent_result(sent, results, <uint16_t>(base + i), -1, now)
            continue
        if symbol == 1:
            clock += data[chunks_at] * DELTA_US
        else:
            clock += <int32_t><int16_t>get16(data + chunks_at) * DELTA_US
        chunks_at += symbol
        sent_result(sent, results, <uint16_t>(base + i), clock, now)
    return True
