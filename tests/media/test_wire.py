"""What strangers may send to the media port, and what they get for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aioice import stun

from media import MediaEngine, Router
from media.events import TransportState, TransportStateChanged
from media.pump import REFUSALS_PER_SECOND
from tests.media.peers import Listener, until
from tests.media.test_stun import check


class Stranger(asyncio.DatagramProtocol):
    """A UDP socket that keeps what it gets."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.arrived = asyncio.Event()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        self.received.append(data)
        self.arrived.set()

    def send(self, datagram: bytes) -> None:
        assert self.transport is not None
        self.transport.sendto(datagram)

    async def answer(self, datagram: bytes) -> stun.Message:
        """Send, and wait for one more datagram."""
        before = len(self.received)
        self.send(datagram)
        await until(lambda: len(self.received) > before, self.arrived)
        return stun.parse_message(self.received[-1])


@pytest.fixture
async def stranger(engine: MediaEngine) -> AsyncIterator[Stranger]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        Stranger, remote_addr=("127.0.0.1", engine.port)
    )
    yield protocol
    transport.close()


def credentials(router: Router) -> tuple[str, str]:
    parameters = router.create_transport("send").parameters()["iceParameters"]
    return parameters["usernameFragment"], parameters["password"]


async def test_a_right_check_is_answered_with_the_senders_address(router: Router, stranger: Stranger) -> None:
    ufrag, password = credentials(router)
    answer = await stranger.answer(check(f"{ufrag}:x", password))
    assert stranger.transport is not None
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == stranger.transport.get_extra_info("sockname")
    assert answer.check_message_integrity(password.encode())


async def test_a_wrong_password_is_refused_by_name(router: Router, stranger: Stranger) -> None:
    ufrag, _ = credentials(router)
    assert (await stranger.answer(check(f"{ufrag}:x", "guess"))).error_code == 401


async def test_strangers_and_noise_get_silence_and_a_counter(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    ufrag, password = credentials(router)
    noise = [
        check("nobody:x", password),
        b"\x00\x01\x00\x00",
        b"\x16\xfe\xff" + bytes(50),  # DTLS from an address without a check
        b"\x80\x60" + bytes(40),  # RTP likewise
        bytes(100),
        b"\xff" * 100,
    ]
    for datagram in noise:
        stranger.send(datagram)
    await stranger.answer(check(f"{ufrag}:x", password))
    assert len(stranger.received) == 1
    counters = engine.statistics()["counters"]
    assert counters["stun_unknown_ufrag"] == 1
    assert counters["stun_malformed"] >= 1


async def test_guessing_is_answered_in_bounded_fashion(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    ufrag, password = credentials(router)
    for _ in range(4 * REFUSALS_PER_SECOND):
        stranger.send(check(f"{ufrag}:x", "guess"))
    while (await stranger.answer(check(f"{ufrag}:x", password))).error_code is not None:
        pass
    assert len(stranger.received) <= 3 * REFUSALS_PER_SECOND
    assert engine.statistics()["counters"]["stun_unauthenticated"] > REFUSALS_PER_SECOND


async def test_dtls_before_connect_waits_for_it(
    router: Router, stranger: Stranger, engine: MediaEngine, listener: Listener
) -> None:
    transport = router.create_transport("send")
    parameters = transport.parameters()["iceParameters"]
    name, password = f"{parameters['usernameFragment']}:x", parameters["password"]
    await stranger.answer(check(name, password))
    stranger.send(b"\x16\xfe\xff" + bytes(50))
    await stranger.answer(check(name, password))
    assert engine.statistics()["counters"]["dtls_before_connect"] == 1
    assert transport.state is TransportState.CONNECTING
    assert listener.events == [TransportStateChanged(transport.id, TransportState.CONNECTING)]
    fingerprint = {"algorithm": "sha-256", "value": "AB:" * 31 + "CD"}
    await transport.connect({"role": "server", "fingerprints": [fingerprint]})
    before = len(stranger.received)
    await until(lambda: len(stranger.received) > before, stranger.arrived)
    assert stranger.received[-1][0] == 22  # our ClientHello: the peer chose to be the server
