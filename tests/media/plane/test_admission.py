"""Nothing from or to a transport that is not admitted; nothing but STUN from strangers."""

import pytest

from media.plane import Core
from tests.media.plane.world import AUDIO, START, Camera, World, address, rtp, vp8

STUN = bytes.fromhex("000100002112a442") + bytes(12)
DTLS = bytes([22, 254, 253]) + bytes(20)
MEDIA = rtp(1, 1, 1, b"x" * 40)
REPORT = bytes.fromhex("80c90001") + bytes(4)  # a receiver's, about nothing


@pytest.mark.parametrize(
    ("datagram", "drop"),
    [
        (STUN, None),
        (DTLS, "unknown_address"),
        (MEDIA, "unknown_address"),
        (bytes([0x80, 200]) + bytes(26), "unknown_address"),
        (bytes([64]) + bytes(20), "unknown_address"),
        (b"", "unknown_protocol"),
        (bytes(1601), "too_long"),
    ],
)
def test_a_stranger_is_heard_only_with_stun(datagram: bytes, drop: str | None) -> None:
    core = Core(seed=1)
    core.receive(datagram, address(9), START)
    drops = {reason: count for reason, count in core.statistics().drops.items() if count}
    assert drops == ({drop: 1} if drop else {})
    assert [d.data for d in core.drain_control()] == ([] if drop else [datagram])


@pytest.mark.parametrize("datagram", [STUN, DTLS])
def test_control_datagrams_of_a_known_address_carry_its_transport(datagram: bytes) -> None:
    world = World()
    client = world.client()
    world.core.receive(datagram, client.address, START)
    (received,) = world.core.drain_control()
    assert received == (client.address, datagram, client.transport)
    assert world.core.drain_control() == []


def test_a_flood_of_strangers_does_not_push_out_the_known() -> None:
    world = World()
    client = world.client()
    for port in range(5000):
        world.core.receive(STUN + bytes(80), address(port + 100), START)
    world.core.receive(STUN, client.address, START)
    assert world.core.drain_control()[0].transport == client.transport
    assert world.drops()["control_queue_full"] > 1000


def test_a_publisher_that_is_not_admitted_is_not_heard() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    camera = Camera(publisher)
    world.core.set_admitted(publisher.transport, False)
    camera.frame(key=True)
    assert subscriber.rtp == []
    assert world.drops() == {"not_admitted": 3}
    world.core.set_admitted(publisher.transport, True)
    camera.frame(key=True)
    assert len(subscriber.rtp) == 3


def test_a_subscriber_that_is_not_admitted_gets_nothing() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.core.set_admitted(subscriber.transport, False)
    world.watch(subscriber, producer)
    camera = Camera(publisher)
    camera.frame(key=True)
    assert world.drops() == {"not_admitted": 3}
    world.advance(3_000_000)
    assert (subscriber.rtp, subscriber.rtcp) == ([], [])
    world.core.set_admitted(subscriber.transport, True)
    camera.frame(key=True)
    assert len(subscriber.rtp) == 3
    world.core.set_admitted(subscriber.transport, False)
    camera.frame()
    assert len(subscriber.rtp) == 3


def test_feedback_of_one_not_admitted_has_no_effect() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    Camera(publisher).frame(key=True)
    world.core.set_admitted(subscriber.transport, False)
    publisher.rtcp.clear()
    subscriber.send_rtcp(bytes.fromhex("81ce00020000000100000000")[:8] + (10).to_bytes(4, "big"))
    world.advance(400_000)
    assert publisher.rtcp == []


def test_without_keys_or_address_nothing_goes() -> None:
    world = World()
    publisher = world.client()
    producer = world.audio(publisher)
    bare = world.core.add_transport()
    world.core.set_admitted(bare, True)
    world.core.add_consumer(bare, producer, ssrc=1, payload_type=1, nack=False, paused=False)
    publisher.send(rtp(1, 1, 3000, b"x", payload_type=AUDIO))
    assert world.drops() == {"no_keys": 1}
    world.core.add_address(bare, address(77))
    world.core.receive(MEDIA, address(77), world.now)
    assert world.drops() == {"no_keys": 2}


def test_a_client_may_move_to_another_address() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.audio(publisher)
    world.listen(subscriber, producer)
    moved = address(60_000)
    world.core.add_address(subscriber.transport, moved)
    publisher.send(rtp(1, 1, 3000, b"x", payload_type=AUDIO))
    assert len(subscriber.rtp) == 1, "a known address is not yet the selected one"
    world.core.set_remote_address(subscriber.transport, moved)
    world.core.receive(
        publisher.outbound.protect(rtp(2, 2, 3000, b"y", payload_type=AUDIO)), publisher.address, world.now
    )
    assert [to for to, _ in world.core.sent()] == [moved]


def owners(world: World, *sources: bytes) -> list[int | None]:
    """Whose the addresses are, as the plane sees it."""
    for source in sources:
        world.core.receive(STUN, source, world.now)
    found = {datagram.address: datagram.transport for datagram in world.core.drain_control()}
    return [found[source] for source in sources]


def test_a_transport_has_eight_addresses_and_is_refused_a_ninth() -> None:
    world = World()
    client = world.client()
    more = [address(port) for port in range(100, 107)]
    for one in more:
        world.core.add_address(client.transport, one)
    for call in (world.core.add_address, world.core.set_remote_address):
        with pytest.raises(ValueError, match="at most 8 addresses"):
            call(client.transport, address(107))
        call(client.transport, more[0])
    world.core.forget_address(client.transport, more[3])
    world.core.add_address(client.transport, address(107))
    assert owners(world, client.address, *more, address(107)) == [
        client.transport if one != more[3] else None for one in (client.address, *more, address(107))
    ]


def test_what_is_not_its_own_a_transport_forgets_without_effect() -> None:
    world = World()
    one, other = world.client(), world.client()
    world.core.forget_address(one.transport, address(99))
    world.core.forget_address(one.transport, other.address)
    assert owners(world, one.address, other.address) == [one.transport, other.transport]


def test_an_address_is_whose_check_came_last_and_given_up_by_him_alone() -> None:
    world = World()
    one, other = world.client(), world.client()
    world.core.add_address(other.transport, one.address)
    assert owners(world, one.address) == [other.transport]
    world.core.add_address(one.transport, one.address)
    world.core.forget_address(other.transport, one.address)
    assert owners(world, one.address) == [one.transport]
    world.core.remove_transport(other.transport)
    assert owners(world, one.address) == [one.transport]


def test_a_removed_transport_is_a_stranger_again() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.watch(subscriber, producer)
    world.core.remove_transport(subscriber.transport)
    Camera(publisher).frame(key=True)
    world.core.receive(DTLS, subscriber.address, world.now)
    assert world.drops() == {"unknown_address": 1}
    world.core.remove_transport(publisher.transport)
    world.core.receive(publisher.outbound.protect(rtp(600, 9, 1000, vp8(1))), publisher.address, world.now)
    assert world.drops() == {"unknown_address": 2}


def test_only_an_authentic_packet_shows_that_its_sender_lives() -> None:
    """Forged, repeated and undecryptable ones do not, nor what anybody could send: or a dead client would be kept."""
    world = World()
    client = world.client()
    packet, report = client.outbound.protect(MEDIA), client.outbound.protect_rtcp(REPORT)

    def alive_after(datagram: bytes) -> int:
        world.now += 1_000_000
        world.core.receive(datagram, client.address, world.now)
        return world.core.authentic_us(client.transport) - START

    forged = [data[:-1] + bytes([data[-1] ^ 1]) for data in (packet, report)]
    came = [alive_after(data) for data in (STUN, DTLS, *forged, packet, packet, report, report, STUN)]
    assert came == [-START] * 4 + [5_000_000] * 2 + [7_000_000] * 3
    assert world.core.transport_statistics(client.transport).last_received_us == START + 9_000_000
