"""The engine without peers: limits, refusals, statistics, starting and stopping."""

import asyncio
import socket
from dataclasses import replace

import pytest

from media import MediaEngine, MediaSettings, Router
from media.errors import InvalidMedia, MediaLimitReached, MediaStartFailed, UnknownMedia, WrongMediaState
from media.plane import DROP_REASONS, StaleHandleError
from media.settings import MediaLimits
from tests.media.peers import Listener
from tests.media.samples import camera, everything, microphone, only, simulcast_camera

FINGERPRINT = {"algorithm": "sha-256", "value": "AB:" * 31 + "CD"}


@pytest.fixture
def settings() -> MediaSettings:
    limits = MediaLimits(
        transports_per_router=6,
        transports_per_owner=2,
        producers_per_transport=2,
        consumers_per_transport=3,
        taps_per_producer=1,
    )
    return MediaSettings(port=0, limits=limits)


async def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        engine = MediaEngine(MediaSettings(port=port, bind_addresses=("127.0.0.1",)))
        with pytest.raises(MediaStartFailed, match=f"UDP port {port} is in use: .*HUITANG_MEDIA__PORT"):
            await engine.start()
        await engine.stop()


async def test_a_tcp_port_in_use_is_said_with_what_to_do() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = MediaSettings(port=port, bind_addresses=("127.0.0.1",))
        with pytest.raises(MediaStartFailed, match=f"TCP port {port} is in use: .*HUITANG_MEDIA__TCP=false"):
            await MediaEngine(settings).start()
        engine = MediaEngine(replace(settings, tcp=False))
        await engine.start()
        await engine.stop()


async def test_without_tcp_there_is_no_candidate_for_it(listener: Listener) -> None:
    engine = MediaEngine(MediaSettings(port=0, tcp=False))
    await engine.start()
    parameters = engine.create_router(listener).create_transport("recv").parameters()
    assert {candidate["protocol"] for candidate in parameters["iceCandidates"]} == {"udp"}
    await engine.stop()


@pytest.mark.parametrize("address", ["example.org", "", "1.2.3"])
async def test_a_wrong_announced_address_is_said(address: str) -> None:
    engine = MediaEngine(MediaSettings(port=0, announced_addresses=(address,)))
    with pytest.raises(MediaStartFailed, match="ANNOUNCED_ADDRESSES"):
        await engine.start()


async def test_a_stopped_engine_makes_no_routers(engine: MediaEngine, listener: Listener) -> None:
    router = engine.create_router(listener)
    await engine.stop()
    await engine.stop()
    assert router.closed
    with pytest.raises(WrongMediaState, match="engine_stopped"):
        engine.create_router(listener)


async def test_stopping_leaves_no_task_behind(engine: MediaEngine) -> None:
    await engine.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_transport_parameters_are_what_mediasoup_client_takes(
    router: Router, engine: MediaEngine
) -> None:
    parameters = router.create_transport("send").parameters()
    assert set(parameters) == {"id", "iceParameters", "iceCandidates", "dtlsParameters"}
    assert parameters["iceParameters"]["iceLite"] is True
    assert {candidate["port"] for candidate in parameters["iceCandidates"]} == {engine.port}
    assert parameters["iceCandidates"][-1]["ip"] in {"127.0.0.1", "::1"}
    assert [f["algorithm"] for f in parameters["dtlsParameters"]["fingerprints"]] == ["sha-256"]


async def test_announced_addresses_replace_the_machines_own(listener: Listener) -> None:
    engine = MediaEngine(MediaSettings(port=0, announced_addresses=("203.0.113.9",)))
    await engine.start()
    parameters = engine.create_router(listener).create_transport("recv").parameters()
    assert [(c["ip"], c["protocol"]) for c in parameters["iceCandidates"]] == [
        ("203.0.113.9", "udp"),
        ("203.0.113.9", "tcp"),
    ]
    await engine.stop()


async def test_connecting_twice_must_say_the_same(router: Router) -> None:
    transport = router.create_transport("send")
    await transport.connect({"role": "client", "fingerprints": [FINGERPRINT]})
    await transport.connect({"role": "client", "fingerprints": [FINGERPRINT]})
    with pytest.raises(WrongMediaState, match="already_connected"):
        await transport.connect({"role": "server", "fingerprints": [FINGERPRINT]})


async def test_ice_restart_gives_new_credentials(router: Router) -> None:
    transport = router.create_transport("send")
    before = transport.parameters()["iceParameters"]
    after = transport.restart_ice()
    assert after != before
    assert transport.parameters()["iceParameters"] == after


async def test_transports_are_bounded_per_owner_and_router(router: Router) -> None:
    for owner in ("ann", "ann", "bob", "bob"):
        router.create_transport("send", owner=owner)
    with pytest.raises(MediaLimitReached, match="too_many_transports"):
        router.create_transport("recv", owner="ann")
    free = router.create_transport("recv")
    router.create_transport("recv")
    with pytest.raises(MediaLimitReached, match="too_many_transports"):
        router.create_transport("recv")
    free.close()
    router.create_transport("recv", owner="cid")


async def test_producers_consumers_and_taps_are_bounded(router: Router) -> None:
    send, recv = router.create_transport("send"), router.create_transport("recv")
    first = send.produce("audio", microphone())
    send.produce("video", camera())
    with pytest.raises(MediaLimitReached, match="too_many_producers"):
        send.produce("video", {**camera(ssrc=9), "mid": "5"})
    for _ in range(3):
        recv.consume(first.id, everything())
    with pytest.raises(MediaLimitReached, match="too_many_consumers"):
        recv.consume(first.id, everything())
    tap = router.tap(first.id, 10)
    with pytest.raises(MediaLimitReached, match="too_many_taps"):
        router.tap(first.id, 10)
    tap.close()
    router.tap(first.id, 10)


async def test_directions_are_kept(router: Router) -> None:
    send, recv = router.create_transport("send"), router.create_transport("recv")
    with pytest.raises(WrongMediaState, match="wrong_direction"):
        recv.produce("audio", microphone())
    producer = send.produce("audio", microphone())
    with pytest.raises(WrongMediaState, match="wrong_direction"):
        send.consume(producer.id, everything())
    with pytest.raises(InvalidMedia, match="invalid_direction"):
        router.create_transport("up")  # type: ignore[arg-type]


async def test_two_producers_of_one_stream_are_refused(router: Router) -> None:
    send = router.create_transport("send")
    send.produce("video", camera())
    with pytest.raises(WrongMediaState, match="duplicate_stream"):
        send.produce("video", camera(ssrc=77))
    with pytest.raises(WrongMediaState, match="duplicate_stream"):
        send.produce("video", {**camera(ssrc=2_223), "mid": "9"})


async def test_a_closed_producer_frees_its_stream(router: Router) -> None:
    send = router.create_transport("send")
    send.produce("video", camera()).close()
    assert send.produce("video", camera()).type == "simple"


async def test_tracks_of_one_client_share_a_clock_that_nobody_can_forge(router: Router) -> None:
    one, other = router.create_transport("send"), router.create_transport("send")
    recv = router.create_transport("recv")
    producers = [
        one.produce("audio", microphone()),
        one.produce("video", camera()),
        other.produce("video", camera()),
    ]
    names = [
        recv.consume(producer.id, everything()).rtp_parameters["rtcp"]["cname"] for producer in producers
    ]
    assert names[0] == names[1] != names[2]
    assert "abc" not in names


async def test_unknown_producers_cannot_be_consumed(
    router: Router, engine: MediaEngine, listener: Listener
) -> None:
    recv = router.create_transport("recv")
    elsewhere = engine.create_router(listener).create_transport("send").produce("audio", microphone())
    for producer_id in ("nobody", elsewhere.id):
        assert not router.can_consume(producer_id, everything())
        with pytest.raises(UnknownMedia, match="producer_not_found"):
            recv.consume(producer_id, everything())
        with pytest.raises(UnknownMedia, match="producer_not_found"):
            router.tap(producer_id)


async def test_clients_of_one_kind_share_what_was_negotiated(router: Router) -> None:
    producer = router.create_transport("send").produce("video", camera())
    first, second, other = (
        router.create_transport("recv").consume(producer.id, wanted).parameters
        for wanted in (everything(), everything(), only("video/VP8"))
    )
    assert first.codecs is second.codecs
    assert first.header_extensions is second.header_extensions
    assert other.codecs is not first.codecs
    assert first.encodings != second.encodings


async def test_can_consume_asks_the_codecs(router: Router) -> None:
    producer = router.create_transport("send").produce("video", camera())
    assert router.can_consume(producer.id, everything())
    assert not router.can_consume(producer.id, only("video/H264"))
    assert not router.can_consume(producer.id, "nonsense")


async def test_a_consumer_starts_paused_with_a_mid_of_its_own(router: Router) -> None:
    producer = router.create_transport("send").produce("video", simulcast_camera())
    recv = router.create_transport("recv")
    consumers = [recv.consume(producer.id, everything()) for _ in range(2)]
    assert [c.rtp_parameters["mid"] for c in consumers] == ["0", "1"]
    assert all(c.paused and c.type == "simulcast" for c in consumers)
    assert len({c.rtp_parameters["encodings"][0]["ssrc"] for c in consumers}) == 2


@pytest.mark.parametrize(
    "layers", [(-1, None), (99, None), (True, None), ("1", None), (0, -1), (0, 1.5), (None, 0)]
)
async def test_nonsense_layers_are_refused(router: Router, layers: tuple[int, int | None]) -> None:
    producer = router.create_transport("send").produce("video", simulcast_camera())
    consumer = router.create_transport("recv").consume(producer.id, everything())
    with pytest.raises(InvalidMedia, match="invalid_layers"):
        consumer.set_preferred_layers(*layers)
    consumer.set_preferred_layers(2, 2)
    consumer.set_preferred_layers(0)


@pytest.mark.parametrize("priority", [0, 256, -1, True, "9", None])
async def test_nonsense_priorities_are_refused(router: Router, priority: int) -> None:
    producer = router.create_transport("send").produce("audio", microphone())
    consumer = router.create_transport("recv").consume(producer.id, everything())
    with pytest.raises(InvalidMedia, match="invalid_priority"):
        consumer.set_priority(priority)
    consumer.set_priority(255)


async def test_a_camera_that_rested_is_not_silent_at_the_moment_somebody_looks(router: Router) -> None:
    producer = router.create_transport("send").produce("video", simulcast_camera())
    producer.on_sending(sending=True)
    producer.on_layers_wanted(-1)
    producer.on_sending(sending=False)
    seen = []
    producer.on_layers_wanted(1)
    for _ in range(7):
        seen.append(producer.silent)
        producer.tick(now=0.0, checked=0.0)
    assert seen == [False] * 6 + [True], "but when it does not come, that is told"
    producer.on_sending(sending=True)
    assert not producer.silent


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        ([99.0, 99.0, 99.0], [False, False, False]),  # with the line everything is gone
        ([99.0, 101.0, 103.5], [False, True, True]),
        ([98.0, 98.0, 103.5], [False, False, True]),  # of those who check seldom it is known later
    ],
)
async def test_what_falls_silent_is_to_blame_where_the_line_was_there_after_it(
    router: Router, checks: list[float], told: list[bool]
) -> None:
    producer = router.create_transport("send").produce("audio", microphone())
    producer.on_sending(sending=True)
    producer.on_sending(sending=False)  # the last packet came at 99
    seen = []
    for second, checked in enumerate(checks):
        producer.tick(104.0 + second, checked)
        seen.append(producer.silent)
    assert seen == told
    producer.on_sending(sending=True)
    assert not producer.silent


async def test_statistics_use_the_standards_names(router: Router, engine: MediaEngine) -> None:
    send = router.create_transport("send")
    producer = send.produce("audio", microphone())
    consumer = router.create_transport("recv").consume(producer.id, everything())
    assert {"packetsReceived", "bytesReceived", "jitter", "packetsLost"} <= set(producer.statistics())
    assert producer.statistics()["audioLevel"] == 0.0
    assert {"packetsSent", "retransmittedPacketsSent", "nackCount"} <= set(consumer.statistics())
    assert consumer.remote_statistics() is None, "nothing was reported"
    assert {"dtlsState", "iceState", "bytesSent", "srtpCipher"} <= set(send.statistics())
    assert send.statistics()["availableOutgoingBitrate"] is None
    counted = engine.statistics()
    assert [counted[n] for n in ("routers", "transports", "producers", "consumers")] == [1, 2, 1, 1]
    assert counted["transport_states"] == {"new": 2}
    assert counted["traffic"]["packets_received"] == 0
    assert set(counted["drops"]) == set(DROP_REASONS)


async def test_an_hour_of_coming_and_going_leaves_nothing(router: Router, engine: MediaEngine) -> None:
    recv = router.create_transport("recv")
    for _ in range(200):
        send = router.create_transport("send")
        consumer = recv.consume(send.produce("video", camera()).id, everything())
        recv.restart_ice()
        send.close()
        assert consumer.closed
    counted = engine.statistics()
    assert [counted[n] for n in ("transports", "producers", "consumers")] == [1, 0, 0]
    router.close()
    pump = engine._pumps[0]
    assert (pump.by_ufrag, pump.by_handle, pump.consumers) == ({}, {}, {})


@pytest.mark.parametrize("settings", [MediaSettings(port=0)])
async def test_microphones_that_tell_their_level_compete_and_nothing_else(
    router: Router, settings: MediaSettings
) -> None:
    assert settings.loudest_microphones > 0
    transport = router.create_transport("send")
    plane, floor = router._context.plane, router._context.floor
    assert floor is not None
    silent = microphone(ssrc=2)
    silent["headerExtensions"] = silent["headerExtensions"][:1]
    produced = {
        "microphone": transport.produce("audio", microphone() | {"mid": "m"}, microphone=True),
        "without level": transport.produce("audio", silent | {"mid": "s"}, microphone=True),
        "screen's sound": transport.produce("audio", microphone(ssrc=3) | {"mid": "a"}),
        "camera": transport.produce("video", camera(), microphone=True),
    }
    plane.remove_floor(floor)  # and those who compete for it go along
    router._context.floor = None
    gone = []
    for name, producer in produced.items():
        try:
            plane.producer_statistics(producer.handle)
        except StaleHandleError:
            gone.append(name)
    assert gone == ["microphone"]


@pytest.mark.parametrize("settings", [MediaSettings(port=0, loudest_microphones=0)])
async def test_all_microphones_are_forwarded_where_it_is_set_so(
    router: Router, settings: MediaSettings
) -> None:
    assert settings.loudest_microphones == 0
    assert router._context.floor is None
