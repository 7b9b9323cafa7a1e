"""RTCP that the plane writes and reads: clocks, loss, round trips, transport-wide feedback."""

import struct

import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket, RtcpSdesPacket, RtcpSrPacket

from tests.media.plane import probe
from tests.media.plane.world import ABS_SEND_TIME, AUDIO, TRANSPORT_CC, Camera, Client, World, rtp, steps, vp8

NTP = 1 << 32


def sender_report(ssrc: int, ntp: int, timestamp: int) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp, timestamp & 0xFFFFFFFF, 0, 0)


def reports(client: Client) -> dict[int, RtcpSrPacket]:
    """The newest sender report by SSRC."""
    return {packet.ssrc: packet for packet in client.rtcp if isinstance(packet, RtcpSrPacket)}


@pytest.mark.parametrize("timestamp", [9_000, 0xFFFFFFFF - 50_000])
def test_sender_reports_keep_sound_and_picture_in_time(timestamp: int) -> None:
    """What the publisher captured at one moment has one NTP time for the subscriber, in both streams."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    world.listen(subscriber, world.audio(publisher))
    camera = Camera(publisher, timestamp=timestamp)
    camera.frame(key=True)
    publisher.send(rtp(1, timestamp, 3000, b"x", payload_type=AUDIO))
    moment = 3_900_000_000 * NTP
    publisher.send_rtcp(sender_report(1000, moment, timestamp + 90_000))  # one second after the first frame
    publisher.send_rtcp(sender_report(3000, moment, timestamp + 48_000))  # and after the first sound
    world.advance(2_500_000)
    got = reports(subscriber)
    for ssrc, first, clock in ((10, subscriber.rtp[0], 90_000), (20, subscriber.rtp[3], 48_000)):
        report = got[ssrc].sender_info
        since_first = ((report.rtp_timestamp - first.timestamp) & 0xFFFFFFFF) / clock
        since_moment = (report.ntp_timestamp - moment) / NTP
        assert abs(since_first - 1 - since_moment) < 0.001
    assert got[10].sender_info.packet_count == 3
    assert got[10].sender_info.octet_count == sum(len(packet.payload) for packet in subscriber.rtp[:3])


def test_all_tracks_of_a_participant_share_the_cname() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher, cname="wang"))
    world.listen(subscriber, world.audio(publisher, cname="wang"))
    Camera(publisher).frame(key=True)
    publisher.send(rtp(1, 1, 3000, b"x", payload_type=AUDIO))
    for ssrc in (1000, 3000):
        publisher.send_rtcp(sender_report(ssrc, NTP, 1))
    world.advance(100_000)
    chunks = [c for packet in subscriber.rtcp if isinstance(packet, RtcpSdesPacket) for c in packet.chunks]
    assert {chunk.ssrc for chunk in chunks} == {10, 20}
    assert {item for chunk in chunks for item in chunk.items} == {(1, b"wang")}


def test_the_first_report_comes_with_the_publishers_first() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    Camera(publisher).frame(key=True)
    world.advance(300_000)
    assert reports(subscriber) == {}, "no clock is invented"
    publisher.send_rtcp(sender_report(1000, NTP, 1))
    world.advance(60_000)
    assert set(reports(subscriber)) == {10}


def test_a_voice_is_reported_thrice_at_once_and_then_every_five_seconds() -> None:
    """A picture every second: of twelve voices to twelve people that would be a twentieth of a line of 2 Mbit/s."""
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    world.listen(subscriber, world.audio(publisher))
    Camera(publisher).frame(key=True)
    publisher.send(rtp(1, 1, 3000, b"x", payload_type=AUDIO))
    for ssrc in (1000, 3000):
        publisher.send_rtcp(sender_report(ssrc, NTP, 1))
    began = world.now
    at: dict[int, list[int]] = {10: [], 20: []}
    for _ in range(210):
        subscriber.rtcp.clear()
        world.advance(100_000)
        for ssrc in reports(subscriber):
            at[ssrc].append(round((world.now - began) / 1e6))
    assert at[20] == [0, 1, 2, 7, 12, 17]
    assert len(at[10]) >= 20


def test_the_round_trip_comes_from_receiver_reports() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    consumer = world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    publisher.send_rtcp(sender_report(1000, 7 * NTP + 12345, 1))
    world.advance(50_000)
    report = reports(subscriber)[10]
    sent_at = world.now
    world.advance(130_000)
    assert not world.core.consumer_statistics(consumer).reported
    info = RtcpReceiverInfo(
        ssrc=10,
        fraction_lost=64,
        packets_lost=-3,
        highest_sequence=500,
        jitter=900,
        lsr=(report.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF,
        dlsr=65536 * 100 // 1000,
    )
    subscriber.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=[info])))
    counted = world.core.consumer_statistics(consumer)
    assert counted.reported
    assert abs(counted.rtt_us - (world.now - sent_at - 100_000)) < 60_000
    assert counted.rtt_us > 0
    assert (counted.fraction_lost, counted.packets_lost, counted.jitter_us) == (0.25, -3, 10_000)
    assert world.core.transport_statistics(subscriber.transport).rtt_us == counted.rtt_us


def test_loss_towards_a_subscriber_is_weighted_by_packets() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    world.listen(subscriber, world.audio(publisher))
    for highest in (1000, 2000, 3000, 4000, 5000):
        infos = [
            RtcpReceiverInfo(
                ssrc=10, fraction_lost=128, packets_lost=0, highest_sequence=highest, jitter=0, lsr=0, dlsr=0
            ),
            RtcpReceiverInfo(
                ssrc=20,
                fraction_lost=0,
                packets_lost=0,
                highest_sequence=highest // 1000,
                jitter=0,
                lsr=0,
                dlsr=0,
            ),
        ]
        subscriber.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=infos)))
    counted = world.core.transport_statistics(subscriber.transport)
    assert 0.4 < counted.fraction_lost_down < 0.5
    assert world.core.reception(subscriber.transport)[:4] == (0, counted.fraction_lost_down, 0.0, 0)


@pytest.mark.parametrize("sequence", [10, 65_500, 65_535])
def test_publishers_get_receiver_reports(sequence: int) -> None:
    world = World()
    publisher = world.client()
    producer = world.video(publisher, nack=False)
    camera = Camera(publisher, sequence=sequence, packets=1)
    publisher.send_rtcp(sender_report(1000, 5 * NTP + (0xABCD << 16), 1))
    for index in range(90):
        if index % 10 == 5:
            camera.packetize()  # one in ten is lost
            world.advance(33_333)
        else:
            camera.frame(key=index == 0)
            world.advance(index % 3 * 5_000)  # jitter
    infos = [info for packet in publisher.rtcp if isinstance(packet, RtcpRrPacket) for info in packet.reports]
    last = infos[-1]
    assert last.ssrc == 1000
    assert last.lsr == 0x5ABCD
    assert abs(last.dlsr / 65536 - (world.now - 1_000_000) / 1e6) < 1.1
    assert 6 <= last.packets_lost <= 9
    assert 15 <= last.fraction_lost <= 40
    assert last.highest_sequence >> 16 == (sequence + 80) >> 16
    counted = world.core.transport_statistics(publisher.transport)
    assert 0 < counted.fraction_lost_up < 0.15
    jitter_us = world.core.producer_statistics(producer).jitter_us
    assert world.core.reception(publisher.transport)[:4] == (0, 0.0, counted.fraction_lost_up, jitter_us)
    assert jitter_us > 1000
    gaps = {p.ssrc for p in publisher.rtcp if isinstance(p, RtcpRrPacket)}
    assert len(gaps) == 1


def test_even_arrival_has_no_jitter_and_uneven_has() -> None:
    measured = []
    for unevenness in (0, 15_000):
        world = World()
        publisher = world.client()
        producer = world.audio(publisher)
        for number in range(50):
            publisher.send(rtp(number, 960 * number, 3000, b"x", payload_type=AUDIO))
            world.advance(20_000 + (unevenness if number % 2 else -unevenness))
        measured.append(world.core.producer_statistics(producer).jitter_us)
    assert measured[0] < 100
    assert 10_000 < measured[1] < 35_000


def decode(message: bytes) -> tuple[int, dict[int, int]]:
    """A transport-cc message by the letter of the draft: feedback count, and arrival in us by sequence number."""
    base, count = struct.unpack_from("!HH", message, 12)
    clock = int.from_bytes(message[16:19], "big") * 64_000
    at, symbols = 20, list[int]()
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", message, at)
        at += 2
        if not chunk >> 15:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk >> 14 & 1:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    arrivals = {}
    for index, symbol in enumerate(symbols[:count]):
        if symbol == 1:
            clock += message[at] * 250
        elif symbol == 2:
            clock += struct.unpack_from("!h", message, at)[0] * 250
        at += symbol
        if symbol:
            arrivals[(base + index) & 0xFFFF] = clock
    assert at <= len(message) < at + 4, "nothing is left but padding"
    assert len(message) == 4 + 4 * struct.unpack_from("!H", message, 2)[0]
    return message[19], arrivals


@pytest.mark.parametrize("leap", [5 * 90_000, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 5 * 90_000])
def test_a_leap_of_the_publishers_clock_is_not_jitter(leap: int) -> None:
    world = World()
    publisher = world.client()
    producer = world.video(publisher)
    for sequence, timestamp in enumerate((1_000, 1_000 + leap, 1_000 + leap)):
        publisher.send(rtp(sequence + 1, timestamp, 1000, vp8(sequence, key=True)))
    assert world.core.producer_statistics(producer).jitter_us == 0


@pytest.mark.parametrize("base", [0, 65_500, 65_535])
def test_publishers_get_transport_wide_feedback_every_100_ms(base: int) -> None:
    world = World()
    publisher = world.client()
    world.audio(publisher, header_extensions={TRANSPORT_CC: 5})
    sent: dict[int, int] = {}
    for number in range(200):
        if number % 7 == 3:
            continue
        wide = (base + number) & 0xFFFF
        sent[wide] = world.now
        extensions = ((5, wide.to_bytes(2, "big")),)
        publisher.send(rtp(number, 960 * number, 3000, b"x", payload_type=AUDIO, extensions=extensions))
        world.advance(10_000)
    world.advance(200_000)
    counts, arrivals = [], dict[int, int]()
    for message in publisher.feedback:
        count, some = decode(message)
        counts.append(count)
        arrivals.update(some)
    assert steps(counts, 8) == {1}
    assert 15 <= len(counts) <= 25, "some hundred milliseconds apart"
    assert arrivals.keys() == sent.keys()
    assert all(abs(arrivals[wide] - at % (1 << 24) * 1) <= 500 for wide, at in sent.items())


def test_subscribers_feedback_is_kept_for_the_estimator() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher), header_extensions={TRANSPORT_CC: 6, ABS_SEND_TIME: 4})
    Camera(publisher).frame(key=True)
    arrivals = probe.Arrivals()
    arrivals.note(0, 5_000_000)
    arrivals.note(2, 5_004_000)
    subscriber.send_rtcp(arrivals.message())
    assert world.core.transport_statistics(subscriber.transport).transport_cc_feedbacks == 1
    subscriber.send_rtcp(arrivals.message()[:16] or struct.pack("!BBHIIHHI", 0x8F, 205, 4, 1, 10, 0, 9, 0))
    assert world.drops() == {"malformed_rtcp": 1}
    assert world.core.transport_statistics(subscriber.transport).transport_cc_feedbacks == 1


@pytest.mark.parametrize(
    ("mantissa", "exponent", "expected"),
    [(250_000, 1, 500_000), (0, 0, 0), (1, 31, 1 << 31), (0x3FFFF, 0, 262_143), (0x3FFFF, 63, 0xFFFFFFFF)],
)
def test_remb_is_read(mantissa: int, exponent: int, expected: int) -> None:
    world = World()
    client = world.client()
    head = struct.pack("!BBHII", 0x8F, 206, 5, 1, 0) + b"REMB"
    client.send_rtcp(head + (1 << 24 | exponent << 18 | mantissa).to_bytes(4, "big") + bytes(4))
    counted = world.core.transport_statistics(client.transport)
    assert counted.remb_bps == expected
    assert counted.budget_bps == max(expected, 30_000), "a voice goes out whatever is said"


@pytest.mark.parametrize(
    "packet",
    [
        struct.pack("!BBHI", 0x81, 201, 1, 5),  # a report block promised and not there
        struct.pack("!BBHI", 0x80, 200, 1, 5),
        struct.pack("!BBHI", 0x80, 201, 9, 5),  # longer than the datagram
        struct.pack("!BBHII", 0x81, 205, 2, 1, 1),
        struct.pack("!BBHI", 0x40, 201, 1, 5),
        struct.pack("!BBHI", 0xA0, 201, 1, 0xFF),  # more padding than packet
    ],
)
def test_malformed_rtcp_is_counted(packet: bytes) -> None:
    world = World()
    client = world.client()
    client.world.core.receive_clear(client.transport, packet, world.now)
    assert world.drops() == {"malformed_rtcp": 1}


def test_a_compound_is_read_to_its_end() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    camera.frame(key=True)
    world.advance(600_000)
    publisher.rtcp.clear()
    empty = bytes(RtcpRrPacket(ssrc=1))
    bye = struct.pack("!BBHI", 0x81, 203, 1, 1)
    pli = struct.pack("!BBHII", 0x81, 206, 2, 1, 10)
    nack = bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=10, lost=[subscriber.sequences()[0]]))
    subscriber.send_rtcp(empty + bye + nack + pli)
    assert len(subscriber.sequences(101)) == 1
    assert len(publisher.rtcp) == 1
