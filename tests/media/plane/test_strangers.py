"""SSRCs that belong to nothing: there may be many of them in a long meeting, but they cost no memory without end."""

from media.plane import Encoding
from tests.media.plane.world import MID, REPAIRED_RID, RID, RTX, VIDEO, Client, World, rtp, vp8

BURST, A_SECOND, KEPT = 512, 16, 1024


def from_ssrc(ssrc: int) -> bytes:
    """An empty receiver report of whoever that is."""
    return bytes.fromhex("80c90001") + ssrc.to_bytes(4, "big")


def shoot(client: Client, ssrc: int) -> None:
    """A key frame in each size and a repair of each, the SSRCs known by their RIDs alone, as browsers send them."""
    for rid in "qhf":
        size = ((1, b"0"), (2, rid.encode()))
        repair = ((1, b"0"), (3, rid.encode()))
        client.send(rtp(100, 9000, ssrc, vp8(1, key=True), payload_type=VIDEO, marker=True, extensions=size))
        client.send(rtp(7, 9000, ssrc + 1, bytes(2) + vp8(1), payload_type=RTX, extensions=repair))
        ssrc += 2


def test_a_camera_that_goes_off_and_on_all_evening_is_seen_each_time() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    for evening in range(400):
        producer = world.core.add_producer(
            publisher.transport, "video", codec="vp8", clock_rate=90_000, payload_type=VIDEO, rtx_payload_type=RTX,
            encodings=[Encoding(rid=rid) for rid in "qhf"], cname="camera", mid="0",
            header_extensions={MID: 1, RID: 2, REPAIRED_RID: 3},
        )  # fmt: skip
        world.watch(subscriber, producer, ssrc=100 + 2 * evening, rtx_ssrc=101 + 2 * evening)
        shoot(publisher, 5000 + 6 * evening)
        assert subscriber.rtp, f"the {evening}th time"
        subscriber.rtp.clear()
        world.core.remove_producer(producer)
        world.advance(1_000_000)
    assert "too_many_ssrcs" not in world.drops()


def test_what_was_sent_on_a_route_that_has_gone_is_known_when_it_is_replayed() -> None:
    world = World()
    publisher = world.client()
    producer = world.audio(publisher)
    packet = publisher.outbound.protect(rtp(1, 960, 3000, b"x"))
    world.core.receive(packet, publisher.address, world.now)
    world.core.remove_producer(producer)
    world.core.receive(packet, publisher.address, world.now)
    assert world.drops()["replayed"] == 1


def test_new_ones_come_at_a_rate() -> None:
    world = World()
    client = world.client()
    for ssrc in range(BURST + 100):
        client.send(rtp(1, 1, 50_000 + ssrc, b"x"))
    assert world.drops() == {"unknown_stream": BURST, "too_many_ssrcs": 100}
    client.send(rtp(2, 1, 50_000, b"x"))
    assert world.drops()["unknown_stream"] == BURST + 1, "who is known already is none of them"
    world.advance(1_000_000)
    for ssrc in range(100):
        client.send(rtp(1, 1, 90_000 + ssrc, b"x"))
    assert world.drops()["unknown_stream"] == BURST + 1 + A_SECOND


def test_those_who_send_rtcp_alone_are_counted_too() -> None:
    world = World()
    client = world.client()
    for ssrc in range(BURST + 100):
        client.send_rtcp(from_ssrc(50_000 + ssrc))
    assert world.drops() == {"too_many_ssrcs": 100}


def test_all_are_forgotten_when_they_are_too_many_with_what_was_kept_of_them() -> None:
    world = World()
    client = world.client()
    packets = [client.outbound.protect(rtp(1, 1, 50_000 + number, b"x")) for number in range(KEPT + 1)]
    for packet in packets:
        world.core.receive(packet, client.address, world.now)
        world.advance(1_000_000 // A_SECOND)
    before = world.drops()
    assert before == {"unknown_stream": KEPT + 1}
    world.core.receive(packets[-1], client.address, world.now)
    assert world.drops()["replayed"] == 1
    world.core.receive(packets[0], client.address, world.now)
    assert world.drops() == {"unknown_stream": KEPT + 2, "replayed": 1}, (
        "as if it were heard for the first time"
    )
