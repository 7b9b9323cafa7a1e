"""What strangers may send to the media port, and what they get for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aioice import stun
from pylibsrtp import Policy, Session

from media import MediaEngine, MediaSettings, Router
from media.dtls import SETTLED_AFTER, DtlsSession, DtlsState
from media.events import TransportQuality, TransportState, TransportStateChanged
from media.ice import DISCONNECTED_AFTER, FAILED_AFTER, MAX_ADDRESSES, MAX_CREDENTIALS
from media.identity import DtlsIdentity, Fingerprint
from media.pump import REFUSALS_PER_SECOND
from media.quality import Trouble
from media.transport import PATH_SECONDS, Transport
from tests.media.peers import Listener, until
from tests.media.test_stun import check
from tests.patience import PATIENCE_SECONDS

DTLS = b"\x16\xfe\xff" + bytes(50)
FINGERPRINT = {"algorithm": "sha-256", "value": "AB:" * 31 + "CD"}
RECEIVER_REPORT = bytes.fromhex("80c90001 00000007")


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

    def close(self) -> None:
        assert self.transport is not None
        self.transport.close()

    async def more_than(self, count: int) -> list[bytes]:
        """Wait for more than so many datagrams; those beyond."""
        await until(lambda: len(self.received) > count, self.arrived)
        return self.received[count:]

    async def answer(self, datagram: bytes) -> stun.Message:
        """Send, and wait for one more datagram."""
        before = len(self.received)
        self.send(datagram)
        return stun.parse_message((await self.more_than(before))[-1])


async def meet(engine: MediaEngine, host: str) -> Stranger:
    """Somebody who comes from the network to that address of ours."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(Stranger, remote_addr=(host, engine.port))
    return protocol


@pytest.fixture
async def stranger(engine: MediaEngine) -> AsyncIterator[Stranger]:
    one = await meet(engine, "127.0.0.1")
    yield one
    one.close()


def waiting(engine: MediaEngine) -> int:
    """DTLS so far for transports that were told of no handshake yet."""
    counted: int = engine.statistics()["counters"].get("dtls_before_connect", 0)
    return counted


def check_for(transport: Transport) -> bytes:
    """With the credentials that a client of the transport is told now."""
    ice = transport.parameters()["iceParameters"]
    return check(f"{ice['usernameFragment']}:x", ice["password"])


def credentials(router: Router) -> tuple[str, str]:
    parameters = router.create_transport("send").parameters()["iceParameters"]
    return parameters["usernameFragment"], parameters["password"]


def most_refusals(begun: float) -> float:
    """Since then: those of a second at once, and as many for each second that passes, on a busy machine several."""
    return (1 + time.monotonic() - begun) * REFUSALS_PER_SECOND


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_right_check_is_answered_with_the_senders_address(
    router: Router, engine: MediaEngine, host: str
) -> None:
    stranger = await meet(engine, host)
    ufrag, password = credentials(router)
    answer = await stranger.answer(check(f"{ufrag}:x", password))
    assert stranger.transport is not None
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == stranger.transport.get_extra_info("sockname")[:2]
    assert answer.check_message_integrity(password.encode())
    stranger.close()


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
        DTLS,  # from an address without a check
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
    assert counters["stun_without_username"] >= 1


async def test_guessing_is_answered_in_bounded_fashion(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    ufrag, password = credentials(router)
    begun = time.monotonic()
    for _ in range(4 * REFUSALS_PER_SECOND):
        stranger.send(check(f"{ufrag}:x", "guess"))
    while (await stranger.answer(check(f"{ufrag}:x", password))).error_code is not None:
        pass
    assert len(stranger.received) - 1 <= most_refusals(begun)
    assert engine.statistics()["counters"]["stun_unauthenticated"] > REFUSALS_PER_SECOND


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_strangers_are_sent_no_more_than_they_send(
    router: Router, engine: MediaEngine, host: str
) -> None:
    """Whoever borrows another's address to flood it gains nothing by us, in bytes or in packets."""
    stranger = await meet(engine, host)
    ufrag, password = credentials(router)
    unsigned = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    unsigned.attributes["USERNAME"] = f"{ufrag}:x"
    bare = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    kinds = [
        check(f"{ufrag}:x", "guess"),
        check(f"{ufrag}:{'x' * 400}", "guess", controlled=True),
        check("nobody:x", "guess"),
        bytes(unsigned),
        bytes(bare),
        DTLS,
        b"\x80\x60" + bytes(1_000),
        b"\x81\xc9\0\1\0\0\0\1",
        b"",
    ]
    begun = time.monotonic()
    for datagram in kinds * 20:
        stranger.send(datagram)
    last = await stranger.answer(check(f"{ufrag}:x", password))
    while last.error_code is not None:
        last = await stranger.answer(check(f"{ufrag}:x", password))
    refusals = stranger.received[:-1]
    assert 0 < len(refusals) <= most_refusals(begun)
    assert max(map(len, refusals)) <= min(len(datagram) for datagram in kinds[:2])
    assert sum(map(len, refusals)) < sum(map(len, kinds)) * 20
    stranger.close()


class Broken:
    """A transport whose every packet goes wrong."""

    handle = -1

    def on_check(self, request: object, source: object, now: float, *, held: bool) -> None:
        raise RuntimeError(request, source, now, held)

    def on_dtls(self, datagram: bytes, source: object) -> None:
        raise RuntimeError(datagram, source)


async def test_one_packet_that_goes_wrong_stops_nobody_elses(listener: Listener) -> None:
    engine = MediaEngine(MediaSettings(port=0))
    await engine.start()
    router = engine.create_router(listener)
    ufrag, password = credentials(router)
    engine._pumps[0].by_ufrag["broken"] = Broken()
    stranger = await meet(engine, "127.0.0.1")
    stranger.send(check("broken:x", password))
    assert (await stranger.answer(check(f"{ufrag}:x", password))).error_code is None
    assert engine.statistics()["counters"]["control_errors"] == 1
    stranger.close()
    await engine.stop()


async def test_dtls_before_connect_waits_for_it(
    router: Router, stranger: Stranger, engine: MediaEngine, listener: Listener
) -> None:
    transport = router.create_transport("send")
    parameters = transport.parameters()["iceParameters"]
    name, password = f"{parameters['usernameFragment']}:x", parameters["password"]
    await stranger.answer(check(name, password))
    stranger.send(DTLS)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "dtls_before_connect" not in engine.statistics()["counters"]:
            await stranger.answer(check(name, password))  # the plane answers by itself, and may be first
    assert engine.statistics()["counters"]["dtls_before_connect"] == 1
    assert transport.state is TransportState.CONNECTING
    assert listener.events == [TransportStateChanged(transport.id, TransportState.CONNECTING)]
    await transport.connect({"role": "server", "fingerprints": [FINGERPRINT]})
    before = len(stranger.received)
    assert (await stranger.more_than(before))[-1][0] == 22  # our ClientHello: the peer chose to be the server


async def test_credentials_in_use_are_answered_through_restarts_whose_own_are_never_used(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    transport = router.create_transport("send")
    old = check_for(transport)
    for _ in range(5):
        new = transport.restart_ice()
        assert (await stranger.answer(old)).error_code is None
    assert len(engine._pumps[0].by_ufrag) == MAX_CREDENTIALS
    assert (await stranger.answer(check(f"{new['usernameFragment']}:x", new["password"]))).error_code is None
    assert list(engine._pumps[0].by_ufrag) == [new["usernameFragment"]]


async def test_an_address_given_up_for_others_is_taken_up_again_by_its_next_check(
    router: Router, engine: MediaEngine
) -> None:
    ufrag, password = credentials(router)
    strangers = [await meet(engine, "127.0.0.1") for _ in range(MAX_ADDRESSES + 2)]

    async def heard(stranger: Stranger) -> bool:
        """Whether what is not STUN is taken from there; a check afterwards shows that it has come."""
        before = waiting(engine)
        stranger.send(DTLS)
        await strangers[0].answer(check(f"{ufrag}:x", password))
        return waiting(engine) > before

    for stranger in strangers:
        await stranger.answer(check(f"{ufrag}:x", password))
    assert [await heard(stranger) for stranger in strangers] == [True, False, False] + [True] * 7
    await strangers[1].answer(check(f"{ufrag}:x", password))
    assert await heard(strangers[1])
    for stranger in strangers:
        stranger.close()


async def test_an_address_that_another_transport_took_comes_back_with_its_next_check(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    transport = router.create_transport("send")
    ice = transport.parameters()["iceParameters"]
    mine, password = f"{ice['usernameFragment']}:x", ice["password"]
    ufrag, other = credentials(router)
    await transport.connect({"role": "client", "fingerprints": [FINGERPRINT]})

    async def strays() -> int:
        """How many datagrams have gone to the other transport, which waits for no handshake yet."""
        stranger.send(DTLS)
        await stranger.answer(check(mine, password))
        return waiting(engine)

    await stranger.answer(check(mine, password))
    assert await strays() == 0
    await stranger.answer(check(f"{ufrag}:x", other))
    assert await strays() == 1
    assert await strays() == 1


async def test_silence_disconnects_then_fails_and_a_check_revives(
    router: Router, stranger: Stranger, listener: Listener
) -> None:
    transport = router.create_transport("send")
    parameters = transport.parameters()["iceParameters"]
    name, password = f"{parameters['usernameFragment']}:x", parameters["password"]
    await stranger.answer(check(name, password))
    now = time.monotonic()
    for seconds in (5, DISCONNECTED_AFTER + 1, FAILED_AFTER + 1):
        router.tick(now + seconds)
    await stranger.answer(check(name, password))
    states = [event.state for event in listener.of(TransportStateChanged)]
    assert states == [
        TransportState.CONNECTING,
        TransportState.DISCONNECTED,
        TransportState.FAILED,
        TransportState.CONNECTING,
    ]
    lost = TransportQuality(transport.id, 0, frozenset({Trouble.NO_PATH}), rtt_ms=None, loss=1.0)
    assert lost in listener.events


async def test_a_path_that_was_asked_for_and_does_not_come_is_told(
    router: Router, listener: Listener
) -> None:
    asked, resting = router.create_transport("send"), router.create_transport("recv")
    await asked.connect({"role": "client", "fingerprints": [FINGERPRINT]})
    for second in range(PATH_SECONDS):
        router.tick(float(second))
    assert not listener.of(TransportQuality)
    assert not resting.idle, "it may still be asked for"
    for second in range(3):
        router.tick(PATH_SECONDS + second)
    assert (asked.idle, resting.idle) == (False, True)
    assert [event.transport_id for event in listener.of(TransportQuality)] == [asked.id], resting.id
    assert listener.of(TransportQuality)[0].troubles == {Trouble.NO_PATH}


async def test_checks_that_the_plane_answers_keep_a_transport_alive(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    transport = router.create_transport("send")
    repeated = check_for(transport)
    await stranger.answer(repeated)
    while not engine.statistics()["counters"]["stun_consented"]:
        heard_of = engine.statistics()["counters"]["stun_answered"], time.monotonic()
        await stranger.answer(repeated)
    # Python has heard of none since.
    assert engine.statistics()["counters"]["stun_answered"] == heard_of[0]
    states = []
    for now in (heard_of[1], time.monotonic()):
        router.tick(now + DISCONNECTED_AFTER)
        states.append(transport.state)
    assert states == [TransportState.CONNECTING, TransportState.DISCONNECTED]


async def shake_hands(transport: Transport, stranger: Stranger) -> DtlsSession:
    """The stranger becomes the transport's client; answers his side, from whom our last flight is withheld."""
    theirs = DtlsIdentity.generate(["SRTP_AEAD_AES_128_GCM"])
    ours = transport.parameters()["dtlsParameters"]["fingerprints"][0]
    one = theirs.fingerprints[0]
    await transport.connect(
        {"role": "client", "fingerprints": [{"algorithm": one.algorithm, "value": one.value}]}
    )
    await stranger.answer(check_for(transport))
    session = DtlsSession(theirs, "client", [Fingerprint("sha-256", ours["value"])])
    session.start()
    while True:
        before = len(stranger.received)
        for datagram in session.take_outgoing():
            stranger.send(datagram)
        came = await stranger.more_than(before)
        if transport.state is TransportState.CONNECTED:
            break
        for datagram in came:
            session.receive(datagram)
    assert session.state is DtlsState.CONNECTING
    return session


async def test_the_end_of_a_handshake_is_kept_for_who_lost_it_until_his_line_is_back(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    """Let go, it could never be sent again: ICE would find a way for ever, and nothing would come through."""
    transport = router.create_transport("send")
    session = await shake_hands(transport, stranger)
    now = time.monotonic()
    for seconds in range(0, int(2 * SETTLED_AFTER), 5):  # and no check comes
        router.tick(now + seconds)
    assert transport.state is TransportState.FAILED
    await stranger.answer(check_for(transport))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while session.state is not DtlsState.CONNECTED:
            await asyncio.sleep(session.timeout() or 0)
            session.handle_timeout()
            before = len(stranger.received)
            for datagram in session.take_outgoing():
                stranger.send(datagram)
            for datagram in await stranger.more_than(before):
                session.receive(datagram)
    assert engine.statistics()["counters"].get("dtls_settled", 0) == 0


async def test_media_keeps_a_transport_whose_client_sends_no_more_checks(
    router: Router, stranger: Stranger, engine: MediaEngine
) -> None:
    """As libnice up to 0.1.21: after it has nominated there are Binding indications alone, which prove nothing."""
    transport = router.create_transport("send")
    transport.set_admitted(True)
    session = await shake_hands(transport, stranger)
    for datagram in stranger.received:
        session.receive(datagram)
    assert session.keys is not None
    checked = time.monotonic()
    policy = Policy(
        key=session.keys.send,
        ssrc_type=Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    )
    stranger.send(bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION)))
    stranger.send(Session(policy).protect_rtcp(RECEIVER_REPORT))
    name = f"{transport.parameters()['iceParameters']['usernameFragment']}:x"
    refused = await stranger.answer(check(name, "guess"))  # and by then what was sent before has come
    assert refused.error_code == 401
    states = []
    for now in (checked, time.monotonic()):
        router.tick(now + DISCONNECTED_AFTER)
        states.append(transport.state)
    assert states == [TransportState.CONNECTED, TransportState.DISCONNECTED]
    assert engine.statistics()["counters"]["stun_answered"] == 1


async def test_a_wrong_certificate_fails_the_transport_for_good(
    router: Router, stranger: Stranger, engine: MediaEngine, listener: Listener
) -> None:
    transport = router.create_transport("send")
    ours = transport.parameters()
    ice, expected = ours["iceParameters"], ours["dtlsParameters"]["fingerprints"][0]
    await transport.connect({"role": "client", "fingerprints": [FINGERPRINT]})
    name, password = f"{ice['usernameFragment']}:x", ice["password"]
    await stranger.answer(check(name, password))
    impostor = DtlsSession(
        DtlsIdentity.generate(["SRTP_AEAD_AES_128_GCM"]),
        "client",
        [Fingerprint("sha-256", expected["value"])],
    )
    impostor.start()
    while transport.state is not TransportState.FAILED:
        before = len(stranger.received)
        for datagram in impostor.take_outgoing():
            stranger.send(datagram)
        for datagram in await stranger.more_than(before):
            impostor.receive(datagram)
    assert engine.statistics()["counters"]["dtls_fingerprint_mismatch"] == 1
    await stranger.answer(check(name, password))
    assert listener.of(TransportStateChanged)[-1].state is TransportState.FAILED
