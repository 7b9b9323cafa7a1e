"""Control calls: wrong arguments and dead handles are refused and change nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.plane import Core, Encoding, Profile, StaleHandleError, host_and_port
from tests.media.plane.world import MID, Camera, World, address

Call = Callable[[Core, int], object]
CALLS: dict[str, Call] = {
    "remove_transport": lambda core, handle: core.remove_transport(handle),
    "add_address": lambda core, handle: core.add_address(handle, address(1)),
    "forget_address": lambda core, handle: core.forget_address(handle, address(1)),
    "set_remote_address": lambda core, handle: core.set_remote_address(handle, address(1)),
    "set_srtp": lambda core, handle: core.set_srtp(handle, Profile.AEAD_AES_128_GCM, bytes(28), bytes(28)),
    "set_admitted": lambda core, handle: core.set_admitted(handle, True),
    "transport_statistics": lambda core, handle: core.transport_statistics(handle),
    "reception": lambda core, handle: core.reception(handle),
    "add_producer": lambda core, handle: core.add_producer(
        handle, "audio", codec="opus", clock_rate=48_000, payload_type=1, encodings=[Encoding()]
    ),
    "remove_producer": lambda core, handle: core.remove_producer(handle),
    "set_producer_paused": lambda core, handle: core.set_producer_paused(handle, True),
    "request_key_frame": lambda core, handle: core.request_key_frame(handle),
    "producer_statistics": lambda core, handle: core.producer_statistics(handle),
    "remove_consumer": lambda core, handle: core.remove_consumer(handle),
    "set_consumer_paused": lambda core, handle: core.set_consumer_paused(handle, True),
    "set_preferred_layers": lambda core, handle: core.set_preferred_layers(handle, 0),
    "set_priority": lambda core, handle: core.set_priority(handle, 1),
    "consumer_statistics": lambda core, handle: core.consumer_statistics(handle),
    "add_tap": lambda core, handle: core.add_tap(handle, 10),
    "remove_tap": lambda core, handle: core.remove_tap(handle),
    "drain_tap": lambda core, handle: core.drain_tap(handle),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("handle", [0, -1, 1, 99, 1 << 70, None, "1", 1.5])
def test_a_handle_that_never_was_is_refused(name: str, handle: Any) -> None:
    with pytest.raises(StaleHandleError):
        CALLS[name](Core(seed=1), handle)


def everything() -> tuple[World, dict[str, int]]:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    return world, {
        "publisher": publisher.transport,
        "subscriber": subscriber.transport,
        "producer": producer,
        "consumer": world.watch(subscriber, producer),
        "tap": world.core.add_tap(producer, 10),
    }


@pytest.mark.parametrize(
    ("removed", "dead"),
    [
        ("publisher", {"publisher", "producer", "consumer", "tap"}),
        ("subscriber", {"subscriber", "consumer"}),
        ("producer", {"producer", "consumer", "tap"}),
        ("consumer", {"consumer"}),
        ("tap", {"tap"}),
    ],
)
def test_removing_takes_along_what_hangs_on_it(removed: str, dead: set[str]) -> None:
    world, handles = everything()
    remove = {
        "publisher": world.core.remove_transport,
        "subscriber": world.core.remove_transport,
        "producer": world.core.remove_producer,
        "consumer": world.core.remove_consumer,
        "tap": world.core.remove_tap,
    }
    look: dict[str, Callable[[int], object]] = {
        "publisher": world.core.transport_statistics,
        "subscriber": world.core.transport_statistics,
        "producer": world.core.producer_statistics,
        "consumer": world.core.consumer_statistics,
        "tap": world.core.drain_tap,
    }
    remove[removed](handles[removed])
    for name, handle in handles.items():
        if name in dead:
            with pytest.raises(StaleHandleError):
                look[name](handle)
        else:
            look[name](handle)
    with pytest.raises(StaleHandleError):
        remove[removed](handles[removed])


def test_a_handle_of_one_kind_is_no_handle_of_another() -> None:
    world, handles = everything()
    with pytest.raises(StaleHandleError):
        world.core.remove_transport(handles["producer"])
    with pytest.raises(StaleHandleError):
        world.core.drain_tap(handles["consumer"])
    with pytest.raises(StaleHandleError):
        world.core.request_key_frame(handles["publisher"])


def test_handles_are_never_used_twice() -> None:
    core = Core(seed=1)
    seen = set()
    for _ in range(1000):
        handle = core.add_transport()
        assert handle not in seen
        seen.add(handle)
        core.remove_transport(handle)


GOOD: dict[str, Any] = {"codec": "vp8", "clock_rate": 90_000, "payload_type": 96, "encodings": [Encoding(1)]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"codec": "h265"},
        {"clock_rate": 0},
        {"clock_rate": "90000"},
        {"payload_type": 128},
        {"payload_type": True},
        {"rtx_payload_type": -1},
        {"encodings": []},
        {"encodings": [Encoding(n) for n in range(5)]},
        {"encodings": [Encoding(1), Encoding(1)]},
        {"encodings": [Encoding(rid="a"), Encoding(rid="a")]},
        {"encodings": [Encoding(1), Encoding()]},
        {"encodings": [Encoding(1 << 32)]},
        {"encodings": [Encoding(rid="")]},
        {"encodings": [Encoding(rid="x" * 17)]},
        {"header_extensions": {MID: 0}},
        {"header_extensions": {MID: 15}},
        {"header_extensions": {MID: 256}},
        {"mid": "m" * 17},
        {"cname": "c" * 65},
        {"key_frames_by": "letter"},
        {"spatial_layers": 0},
        {"spatial_layers": 5},
    ],
)
def test_a_wrong_producer_is_refused(wrong: dict[str, Any]) -> None:
    core = Core(seed=1)
    transport = core.add_transport()
    with pytest.raises(ValueError, match=r".+"):
        core.add_producer(transport, "video", **{**GOOD, **wrong})
    core.add_producer(transport, "video", **GOOD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ssrc": 10},
        {"ssrc": 11},
        {"rtx_ssrc": 10},
        {"ssrc": 50, "rtx_ssrc": 50},
        {"ssrc": -1},
        {"rtx_payload_type": None},
        {"payload_type": 200},
        {"mid": "m" * 17},
    ],
)
def test_a_wrong_consumer_is_refused(wrong: dict[str, Any]) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    world.watch(subscriber, producer)
    with pytest.raises(ValueError, match=r".+"):
        world.watch(subscriber, producer, **{"ssrc": 50, "rtx_ssrc": 51, **wrong})
    world.watch(subscriber, producer, ssrc=50, rtx_ssrc=51)


def test_an_ssrc_is_free_again_after_removal() -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    producer = world.video(publisher)
    consumer = world.watch(subscriber, producer)
    world.core.remove_consumer(consumer)
    world.watch(subscriber, producer)
    with pytest.raises(ValueError, match="ssrc"):
        world.video(publisher)
    world.core.remove_producer(producer)
    again = world.video(publisher)
    world.watch(subscriber, again)
    Camera(publisher).frame(key=True)
    assert len(subscriber.rtp) == 3


@pytest.mark.parametrize("wrong", [b"", bytes(23), bytes(25), "x" * 24, None, bytes(22) + b"\2\0"])
def test_a_wrong_address_is_refused(wrong: Any) -> None:
    core = Core(seed=1)
    transport = core.add_transport()
    with pytest.raises(ValueError, match="address"):
        core.set_remote_address(transport, wrong)
    with pytest.raises(ValueError, match="address"):
        host_and_port(wrong)


def test_an_address_of_another_socket_is_refused() -> None:
    core = Core(seed=1)
    with pytest.raises(ValueError, match="another plane"):
        core.set_remote_address(core.add_transport(), address(1, socket=3))


@pytest.mark.parametrize(("profile", "length"), [(99, 28), (7, 30), (1, 28), (8, 28)])
def test_wrong_keys_are_refused(profile: int, length: int) -> None:
    core = Core(seed=1)
    with pytest.raises(ValueError, match="SRTP"):
        core.set_srtp(core.add_transport(), profile, bytes(length), bytes(length))  # type: ignore[arg-type]


def test_addresses_are_shown_as_people_write_them() -> None:
    assert host_and_port(address(40_000)) == ("127.0.0.1", 40_000)
    six = bytes(15) + b"\1" + bytes(4) + (9).to_bytes(2, "big") + b"\1\0"
    assert host_and_port(six) == ("::1", 9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("tpcxTPCX"), st.integers(0, 20)), max_size=60))
def test_any_order_of_adding_and_removing_is_survived(script: list[tuple[str, int]]) -> None:
    """Lower case adds a transport, producer, consumer or tap; upper case removes one; media flows in between."""
    world = World()
    anchor = world.client()
    world.video(anchor)
    camera = Camera(anchor, packets=1)
    handles: dict[str, list[int]] = {"t": [anchor.transport], "p": [], "c": [], "x": []}
    for index, (action, choice) in enumerate(script):
        kind = action.lower()
        pool = handles[kind]
        try:
            if action == "t":
                pool.append(world.client().transport)
            elif action == "p":
                transport = handles["t"][choice % len(handles["t"])]
                pool.append(
                    world.core.add_producer(
                        transport, "video", **{**GOOD, "encodings": [Encoding(5000 + index)]}
                    )
                )
            elif action in "cx" and handles["p"]:
                producer = handles["p"][choice % len(handles["p"])]
                transport = handles["t"][choice % len(handles["t"])]
                pool.append(
                    world.core.add_tap(producer, 5)
                    if action == "x"
                    else world.core.add_consumer(
                        transport, producer, ssrc=9000 + index, payload_type=1, paused=False
                    )
                )
            elif action == "T" and len(pool) > 1:
                world.core.remove_transport(pool[1 + choice % (len(pool) - 1)])
            elif action == "P" and pool:
                world.core.remove_producer(pool[choice % len(pool)])
            elif action == "C" and pool:
                world.core.remove_consumer(pool[choice % len(pool)])
            elif action == "X" and pool:
                world.core.remove_tap(pool[choice % len(pool)])
        except StaleHandleError:
            assert action != "t"
        camera.frame(key=index % 5 == 0)
    world.core.drain_events()
    world.core.remove_transport(anchor.transport)
