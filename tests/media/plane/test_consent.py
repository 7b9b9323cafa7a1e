"""Checks that change nothing are answered in the plane, to the letter as `media.ice` answers; all others are its."""

import hmac
import struct
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.ice import IceAgent
from media.plane import Address, Core, Profile, host_and_port
from media.stun import StunError, parse_binding_request
from tests.media.plane.world import START, Client, World, address

UFRAG, PASSWORD = "abcdefghijkl", "a password of thirty-two letters"
IPV6 = bytes.fromhex("20010db8000000000000000000000099") + bytes(4) + (4_711).to_bytes(2, "big") + b"\1\0"

USERNAME, PRIORITY, INTEGRITY = 0x0006, 0x0024, 0x0008
USE_CANDIDATE, FINGERPRINT, CONTROLLED, CONTROLLING = 0x0025, 0x8028, 0x8029, 0x802A
NAME = (USERNAME, f"{UFRAG}:theirs".encode())
HEAD = struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(range(12))

Attribute = tuple[int, bytes]


def check(*attributes: Attribute, password: str = PASSWORD) -> bytes:
    """A binding request; an empty INTEGRITY or FINGERPRINT is reckoned where it stands."""
    message = HEAD
    for kind, given_value in attributes:
        value = given_value
        if kind == INTEGRITY and not value:
            signed = message[:2] + struct.pack("!H", len(message) - 20 + 24) + message[4:]
            value = hmac.digest(password.encode(), signed, "sha1")
        if kind == FINGERPRINT and not value:
            message = message[:2] + struct.pack("!H", len(message) - 20 + 8) + message[4:]
            value = struct.pack("!I", zlib.crc32(message) ^ 0x5354554E)
        message += struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
    return message[:2] + struct.pack("!H", len(message) - 20) + message[4:]


RIGHT = check(
    NAME,
    (CONTROLLING, bytes(8)),
    (PRIORITY, bytes(4)),
    (USE_CANDIDATE, b""),
    (INTEGRITY, b""),
    (FINGERPRINT, b""),
)


def consenting(at: Address | None = None) -> tuple[World, Client]:
    """A client whose checks the plane may answer."""
    world = World()
    client = Client(world, 7, Profile.AEAD_AES_128_GCM, at)
    world.core.set_consent(client.transport, UFRAG, PASSWORD)
    return world, client


def answers(core: Core, datagram: bytes, source: Address) -> list[bytes]:
    """What goes back; a datagram goes one way or the other, never both."""
    core.receive(datagram, source, START)
    sent = [data for to, data in core.sent() if to == source]
    assert bool(sent) != bool(core.drain_control())
    return sent


def answer_of_python(datagram: bytes, source: Address) -> bytes | None:
    """What `media.ice` answers to a check that it accepts."""
    agent: IceAgent[Address] = IceAgent()
    agent.valid[0] = agent.valid[0]._replace(ufrag=UFRAG, password=PASSWORD)
    try:
        verdict = agent.check(parse_binding_request(datagram), source, host_and_port(source), 0.0)
    except StunError:
        return None
    return verdict.response if verdict.accepted else None


@pytest.mark.parametrize("source", [address(7), IPV6])
def test_a_repeated_check_gets_the_answer_that_python_would_give(source: Address) -> None:
    world, client = consenting(source)
    assert answers(world.core, RIGHT, source) == [answer_of_python(RIGHT, source)]
    assert world.core.consented_us(client.transport) == START
    assert world.core.statistics().consents == 1


def test_before_python_said_so_nothing_is_answered_and_neither_is_it_afterwards() -> None:
    world, client = consenting()
    world.core.set_consent(client.transport, "", "")
    assert answers(world.core, RIGHT, client.address) == []
    assert world.core.consented_us(client.transport) == 0
    assert answers(*_newcomer(), address(9)) == []


def _newcomer() -> tuple[Core, bytes]:
    world = World()
    Client(world, 9, Profile.AEAD_AES_128_GCM)
    return world.core, RIGHT


def test_another_address_is_python_to_judge_even_one_that_the_transport_has() -> None:
    world, client = consenting()
    world.core.add_address(client.transport, address(8))
    assert answers(world.core, RIGHT, address(8)) == []
    assert answers(world.core, RIGHT, address(9)) == []
    world.core.set_remote_address(client.transport, address(8))
    assert answers(world.core, RIGHT, address(8)) != []


def test_new_credentials_take_the_place_of_the_old() -> None:
    world, client = consenting()
    world.core.set_consent(client.transport, "lkjihgfedcba", PASSWORD)
    assert answers(world.core, RIGHT, client.address) == []
    renewed = check((USERNAME, b"lkjihgfedcba:theirs"), (INTEGRITY, b""), (FINGERPRINT, b""))
    assert answers(world.core, renewed, client.address) != []


@pytest.mark.parametrize("text", [("x" * 17, PASSWORD), (UFRAG, "x" * 33), (b"bytes", PASSWORD)])
def test_longer_credentials_than_there_is_room_for_are_refused(text: tuple[str, str]) -> None:
    world, client = consenting()
    with pytest.raises(ValueError, match="must be text of at most"):
        world.core.set_consent(client.transport, *text)


def same_judgement(datagram: bytes) -> None:
    """The plane answers exactly what Python accepts, and with the same bytes."""
    world, client = consenting()
    expected = answer_of_python(datagram, client.address)
    assert answers(world.core, datagram, client.address) == ([] if expected is None else [expected])


VALUES: dict[int, st.SearchStrategy[bytes]] = {
    USERNAME: st.sampled_from(
        [
            NAME[1],
            UFRAG.encode(),
            b":",
            b"",
            UFRAG.encode() + b":",
            b"x" + NAME[1],
            UFRAG[:-1].encode() + b":x",
        ]
    ),
    INTEGRITY: st.sampled_from([b"", b"", b"", bytes(20), bytes(19), bytes(17), bytes(24)]),
    FINGERPRINT: st.sampled_from([b"", b"", b"", bytes(4), bytes(2)]),
    CONTROLLED: st.just(bytes(8)),
    CONTROLLING: st.just(bytes(8)),
    USE_CANDIDATE: st.sampled_from([b"", b"xyz"]),
    0x7FFF: st.binary(max_size=9),
}


def attributes() -> st.SearchStrategy[Attribute]:
    """Any attribute a check may have, right or wrong."""
    return st.one_of(*(st.tuples(st.just(kind), value) for kind, value in VALUES.items()))


@settings(deadline=None)
@given(
    st.lists(attributes(), max_size=4), st.lists(attributes(), max_size=2), st.lists(attributes(), max_size=1)
)
def test_checks_of_any_parts_are_judged_as_python_judges_them(
    first: list[Attribute], then: list[Attribute], last: list[Attribute]
) -> None:
    same_judgement(check(*first, NAME, *then, (INTEGRITY, b""), *last, (FINGERPRINT, b"")))
    same_judgement(check(*first, *then, *last))
    same_judgement(check(NAME, (INTEGRITY, b""), (FINGERPRINT, b""), *last))


def damaged() -> Iterator[bytes]:
    """The right check with each of its bits turned, cut at each of its bytes, and with too much."""
    for bit in range(len(RIGHT) * 8):
        copy = bytearray(RIGHT)
        copy[bit // 8] ^= 1 << bit % 8
        yield bytes(copy)
    for length in range(1, len(RIGHT)):
        yield RIGHT[:length]
    yield RIGHT + bytes(4)
    yield check(NAME, (0x7FFF, bytes(1_280)), (INTEGRITY, b""), (FINGERPRINT, b""))
    yield check(NAME, (INTEGRITY, b""), (FINGERPRINT, b""), password="another password of many letters")


def test_a_damaged_check_is_judged_as_python_judges_it() -> None:
    world, client = consenting()
    for datagram in damaged():
        expected = answer_of_python(datagram, client.address)
        if datagram[0] > 3:
            continue  # another protocol's by its first byte
        assert answers(world.core, datagram, client.address) == ([] if expected is None else [expected]), (
            datagram
        )
    assert answers(world.core, RIGHT, client.address) != []
