"""STUN: right checks are understood, everything else is refused by name."""

import contextlib

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from media.stun import StunError, error_response, parse_binding_request, peek_local_ufrag, success_response

PASSWORD = "a password of thirty characters"
FINGERPRINT_BYTES = 8
TRANSACTION = bytes(range(12))


def check(
    username: str = "local:remote",
    password: str = PASSWORD,
    *,
    use_candidate: bool = False,
    controlled: bool = False,
) -> bytes:
    """A connectivity check as a browser sends it."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, TRANSACTION)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1_853_824_767
    message.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = 77
    if use_candidate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    return bytes(message)


def test_a_check_is_understood() -> None:
    request = parse_binding_request(check(use_candidate=True))
    assert (request.local_ufrag, request.remote_ufrag) == ("local", "remote")
    assert request.use_candidate
    assert not request.peer_is_controlled
    assert request.verified_by(PASSWORD)
    assert not request.verified_by(PASSWORD + "!")


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "stun_malformed"),
        (b"\x00\x01\x00\x00", "stun_malformed"),
        (check()[:-1], "stun_malformed"),
        (check()[:4] + b"\0\0\0\0" + check()[8:], "stun_malformed"),
        (check()[:-1] + bytes([check()[-1] ^ 1]), "stun_malformed"),  # fingerprint
        (
            check()[:-5] + b"\2" + check()[-4:],
            "stun_malformed",
        ),  # a fingerprint of two bytes and two of padding
        (
            bytes(stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST, TRANSACTION)),
            "stun_not_a_binding_request",
        ),
        (
            bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, TRANSACTION)),
            "stun_not_a_binding_request",
        ),
        (bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST, TRANSACTION)), "stun_without_username"),
        (check(username="local"), "stun_without_username"),
        (check(username=":remote"), "stun_without_username"),
        (check() + bytes(1_300), "stun_too_long"),
    ],
)
def test_everything_else_has_a_name(datagram: bytes, reason: str) -> None:
    with pytest.raises(StunError) as caught:
        parse_binding_request(datagram)
    assert caught.value.reason == reason


@given(st.binary(max_size=200))
def test_any_bytes_are_a_check_or_a_stun_error(datagram: bytes) -> None:
    with contextlib.suppress(StunError):
        parse_binding_request(datagram)


@given(st.binary(max_size=200))
def test_peeking_reads_any_bytes_and_agrees_with_parsing(datagram: bytes) -> None:
    peeked = peek_local_ufrag(datagram)
    with contextlib.suppress(StunError):
        assert parse_binding_request(datagram).local_ufrag == peeked


@pytest.mark.parametrize(
    ("datagram", "ufrag"),
    [(check(), "local"), (check(username="a:b:c"), "a"), (check(username="x"), None), (b"", None)],
)
def test_peeking_finds_our_half_of_the_name(datagram: bytes, ufrag: str | None) -> None:
    assert peek_local_ufrag(datagram) == ufrag


@given(st.data())
def test_damaged_checks_are_never_verified(data: st.DataObject) -> None:
    original = bytearray(check())
    index = data.draw(st.integers(0, len(original) - FINGERPRINT_BYTES - 1))
    damaged = bytearray(original)
    damaged[index] ^= data.draw(st.integers(1, 255))
    try:
        request = parse_binding_request(bytes(damaged))
    except StunError:
        return
    assert not request.verified_by(PASSWORD)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=24)), max_size=6))
def test_any_attributes_are_read_or_refused(attributes: list[tuple[int, bytes]]) -> None:
    body = b"".join(
        kind.to_bytes(2) + len(value).to_bytes(2) + value + bytes(-len(value) % 4)
        for kind, value in attributes
    )
    datagram = b"\x00\x01" + len(body).to_bytes(2) + b"\x21\x12\xa4\x42" + bytes(12) + body
    with contextlib.suppress(StunError):
        parse_binding_request(datagram)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.7", 40_000), ("2001:db8::7", 1)])
def test_answers_tell_the_address_and_are_signed(host: str, port: int) -> None:
    request = parse_binding_request(check())
    answer = stun.parse_message(success_response(request, host, port, PASSWORD))
    assert answer.message_class is stun.Class.RESPONSE
    assert answer.transaction_id == request.transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (host, port)
    assert answer.check_message_integrity(PASSWORD.encode())


@pytest.mark.parametrize(("code", "password"), [(400, None), (401, None), (487, PASSWORD)])
def test_refusals_are_no_longer_than_requests(code: int, password: str | None) -> None:
    request = parse_binding_request(check())
    refusal = error_response(request, code, password)
    assert stun.parse_message(refusal).error_code == code
    assert len(refusal) <= request.length
