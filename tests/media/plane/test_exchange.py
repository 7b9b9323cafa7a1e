"""Two planes on one port: what comes to the wrong one reaches the right one, whatever strangers send."""

import gc
import socket
import struct

import pytest

from media.plane import Core, Exchange, Plane
from tests.media.plane.test_tcp import Wire, frame
from tests.media.plane.world import AUDIO, START, Client, World, address, rtp

FLOOD = 2_000  # fill a quarter of what one plane gives another, with some to spare
MOVES = 8_000  # fill all of it with what is told of addresses


def stun(user: str, *, before: bytes = b"") -> bytes:
    """A binding request whose attributes are `before` and a user name."""
    name = user.encode()
    attributes = before + struct.pack("!HH", 6, len(name)) + name + bytes(-len(name) % 4)
    return struct.pack("!HHI", 1, len(attributes), 0x2112A442) + bytes(12) + attributes


SOFTWARE = struct.pack("!HH", 0x8022, 5) + b"hello" + bytes(3)
FIRST, SECOND = stun("afirst:peer", before=SOFTWARE), stun("bsecond:peer", before=SOFTWARE)


@pytest.fixture
def worlds() -> list[World]:
    exchange = Exchange(2)
    return [World(exchange=exchange), World(exchange=exchange)]


def turn(*worlds: World) -> None:
    """Let everybody take what was given, and what is given then."""
    for world in [*worlds, *worlds]:
        world.core.advance(world.now)
        world.collect()


def drops(world: World) -> dict[str, int]:
    return {reason: count for reason, count in world.core.statistics().drops.items() if count}


def speak(worlds: list[World], client: Client, at: World, sequence: int = 1) -> None:
    """A voice packet of the client comes to the plane of `at`."""
    packet = rtp(sequence, 960 * sequence, 3000, b"voice", payload_type=AUDIO)
    at.core.receive(client.outbound.protect(packet), client.address, at.now)
    turn(*worlds)


def room(world: World) -> tuple[Client, Client]:
    """Somebody who speaks and somebody who listens."""
    speaker, listener = world.client(), world.client()
    world.listen(listener, world.audio(speaker))
    return speaker, listener


def test_planes_have_different_letters(worlds: list[World]) -> None:
    assert [world.core.letter for world in worlds] == ["a", "b"]
    assert Core().letter == "a"
    with pytest.raises(ValueError, match="2 places"):
        World(exchange=_full())
    with pytest.raises(ValueError, match="places"):
        Exchange(65)


def _full() -> Exchange:
    exchange = Exchange(2)
    Core(exchange=exchange), Core(exchange=exchange)
    return exchange


@pytest.mark.parametrize(
    ("message", "taker"),
    [
        (FIRST, 0),
        (SECOND, 1),
        (stun("b"), 1),
        (stun("cthird:peer"), 0),  # nobody's letter: it stays where it came
        (stun(":peer"), 0),
        (stun(""), 0),
        (SECOND[:20], 0),
        (SECOND[:36], 0),
        (b"\0", 0),
        (SECOND[:2] + b"\xff\xff" + SECOND[4:22] + b"\xff\xff" + SECOND[24:], 0),
    ],
)
def test_a_strangers_check_goes_to_the_plane_its_user_name_begins_with(
    worlds: list[World], message: bytes, taker: int
) -> None:
    worlds[0].core.receive(message, address(7), START)
    turn(*worlds)
    came = [world.core.drain_control() for world in worlds]
    assert came[taker] == [(address(7), message, None)]
    assert came[1 - taker] == []


def test_media_reaches_the_plane_of_its_source(worlds: list[World]) -> None:
    speaker, listener = room(worlds[1])
    turn(*worlds)
    for number, world in enumerate([worlds[0], worlds[1], worlds[0]]):
        speak(worlds, speaker, world, number)
    assert [packet.payload for packet in listener.rtp] == [b"voice"] * 3
    assert [world.core.statistics().passed_on for world in worlds] == [2, 0]
    assert drops(worlds[0]) == {}


def test_dtls_reaches_the_plane_of_its_source(worlds: list[World]) -> None:
    client = worlds[1].client()
    turn(*worlds)
    worlds[0].core.receive(b"\x16hello", client.address, START)
    turn(*worlds)
    assert worlds[1].core.drain_control() == [(client.address, b"\x16hello", client.transport)]


def test_a_strangers_media_goes_nowhere(worlds: list[World]) -> None:
    room(worlds[1])
    turn(*worlds)
    worlds[0].core.receive(b"\x80" + bytes(40), address(999), START)
    turn(*worlds)
    assert worlds[0].core.statistics().passed_on == 0
    assert drops(worlds[0]) == {"unknown_address": 1}


def test_who_has_left_is_a_stranger_to_all(worlds: list[World]) -> None:
    speaker, _ = room(worlds[1])
    turn(*worlds)
    worlds[1].core.remove_transport(speaker.transport)
    turn(*worlds)
    speak(worlds, speaker, worlds[0])
    assert worlds[0].core.statistics().passed_on == 0
    assert drops(worlds[0]) == {"unknown_address": 1}


def test_an_address_that_moves_to_a_room_of_another_plane(worlds: list[World]) -> None:
    old, _ = room(worlds[1])
    turn(*worlds)
    new, heard = room(worlds[0])
    assert new.address == old.address
    turn(*worlds)
    for number, world in enumerate(worlds):
        speak(worlds, new, world, number)
    assert len(heard.rtp) == 2
    # And a check for it finds its way while the old address still is the other's.
    worlds[1].core.receive(FIRST, new.address, START)
    turn(*worlds)
    assert worlds[0].core.drain_control() == [(new.address, FIRST, new.transport)]


def test_a_plane_that_missed_whose_an_address_is_learns_it_with_the_next_check(worlds: list[World]) -> None:
    speaker, listener = room(worlds[1])
    mover = worlds[1].client()
    for port in range(MOVES):  # nobody takes what is told, until no more is
        worlds[1].core.add_address(mover.transport, address(2_000 + port))
        worlds[1].core.forget_address(mover.transport, address(2_000 + port))
    worlds[1].core.add_address(speaker.transport, speaker.address)
    late = worlds[1].client()
    worlds[1].listen(listener, worlds[1].audio(late), ssrc=21)
    turn(*worlds)
    speak(worlds, late, worlds[0])
    assert drops(worlds[0]) == {"unknown_address": 1}
    worlds[0].core.receive(SECOND, late.address, START)
    turn(*worlds)
    speak(worlds, late, worlds[0], 2)
    assert len(listener.rtp) == 1


def test_a_flood_of_strangers_leaves_room_for_those_who_are_known(worlds: list[World]) -> None:
    speaker, listener = room(worlds[1])
    turn(*worlds)
    for port in range(FLOOD):
        worlds[0].core.receive(SECOND, address(2_000 + port), START)
    assert drops(worlds[0])["exchange_full"] > 0
    speak(worlds, speaker, worlds[0])
    assert len(listener.rtp) == 1


def connections(worlds: list[World]) -> list[int]:
    return [world.core.statistics().tcp_connections for world in worlds]


def test_a_connection_goes_whole_to_the_plane_of_its_first_check(worlds: list[World]) -> None:
    wires = [Wire(world, address(70 + number)) for number, world in enumerate(worlds)]
    again = stun("bsecond:again")
    stream = frame(SECOND) + frame(again) + frame(again)
    # A frame cut before its end, then the rest with two more, of which the last is cut too.
    for part in (stream[:10], stream[10:-9], stream[-9:]):
        wires[0].end.send(part)
        turn(*worlds)
    assert connections(worlds) == [0, 2]
    came = worlds[1].core.drain_control()
    assert [data for _, data, _ in came] == [SECOND, again, again]
    assert len({source for source, _, _ in came}) == 1
    assert worlds[0].core.statistics().tcp["passed_on"] == 1
    assert sum(world.core.statistics().tcp["accepted"] for world in worlds) == 2

    transport = worlds[1].core.add_transport()
    worlds[1].core.add_address(transport, came[0][0])
    wires[0].send(b"\x16hello")
    turn(*worlds)
    assert worlds[1].core.drain_control() == [(came[0][0], b"\x16hello", transport)]


def test_a_connection_is_passed_on_once(worlds: list[World]) -> None:
    wires = [Wire(world, address(70 + number)) for number, world in enumerate(worlds)]
    wires[0].end.send(frame(SECOND) + frame(FIRST))
    turn(*worlds)
    assert connections(worlds) == [0, 2]
    wires[0].end.send(frame(FIRST))
    turn(*worlds)
    assert connections(worlds) == [0, 2]
    assert len(worlds[1].core.drain_control()) == 3


def test_a_connection_that_nobody_took_is_closed_in_the_end() -> None:
    exchange = Exchange(2)
    world, other = World(exchange=exchange), World(exchange=exchange)
    wire = Wire(world, address(70))
    wire.send(SECOND)
    assert not wire.closed()
    del exchange, other, world, wire.world
    gc.collect()
    assert wire.closed()


def test_planes_share_a_port_that_no_other_program_gets() -> None:
    exchange = Exchange(2)
    first = Plane(["127.0.0.1", "::1"], 0, exchange=exchange)
    with pytest.raises(RuntimeError, match="all planes"):
        first.start()
    second = Plane(["127.0.0.1", "::1"], first.port, exchange=exchange)
    assert second.port == first.port
    with pytest.raises(OSError, match=f"UDP port {first.port}"):
        Plane(["127.0.0.1"], first.port, exchange=Exchange(2))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", first.port))
    first.stop()
    second.stop()
