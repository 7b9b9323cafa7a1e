"""What a lossy publisher costs the thread: looks at his own streams, and at nobody else's; by counting, not by time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.plane import Encoding
from tests.media.plane import stores
from tests.media.plane.world import FRAME_US, Camera, World, rtp, vp8

TICKS_A_SECOND = 20
FRAMES = 60
SECONDS = FRAMES * FRAME_US / 1_000_000


def watched(others: int) -> tuple[World, Camera]:
    """A camera with a viewer; on the same thread are others, each with a camera whose picture he has as well."""
    world = World()
    publisher, viewer = world.client(), world.client()
    world.watch(viewer, world.video(publisher))
    for number in range(others):
        other = world.client()
        producer = world.video(other, encodings=[Encoding(10_000 + number, 20_000 + number)])
        world.watch(viewer, producer, ssrc=30_000 + number, rtx_ssrc=50_000 + number)
        for packet in Camera(other, ssrc=10_000 + number, packets=1).packetize(key=True):
            other.send(packet)
    world.advance(1_000_000)
    return world, Camera(publisher)


def work_under_loss(others: int) -> dict[str, int]:
    """One packet in ten of the one camera is lost for good, and all else is silent."""
    world, camera = watched(others)
    before = world.core.statistics().work
    for frame in range(FRAMES):
        for packet in camera.packetize(key=frame == 0):
            if camera.sequence % 10 or frame == 0:
                camera.client.send(packet)
        world.advance(FRAME_US)
    after = world.core.statistics().work
    assert world.core.statistics().repair["nacks_sent"] > 10
    return {name: after[name] - before[name] for name in after}


def test_a_tenth_lost_costs_the_same_however_many_others_there_are() -> None:
    alone, among_many = work_under_loss(0), work_under_loss(300)
    assert among_many == alone
    assert alone["ticks"] <= TICKS_A_SECOND * SECONDS + 1
    assert alone["repairs"] < 400


def test_a_publisher_whose_every_packet_leaves_a_gap_brings_no_tick_forward() -> None:
    world, camera = watched(3)
    camera.frame(key=True)
    before = world.core.statistics().work
    for number in range(1_000):
        camera.client.send(rtp(600 + 2 * number, 20_000 + 30 * number, 1000, vp8(200 + number)))
        world.advance(1_000)
    after = world.core.statistics().work
    assert after["ticks"] - before["ticks"] <= TICKS_A_SECOND + 1
    assert after["repairs"] - before["repairs"] <= 1_001


def test_who_is_removed_while_packets_are_missing_is_not_looked_at_again() -> None:
    world, camera = watched(2)
    camera.frame(key=True)
    camera.packetize()
    camera.client.send(camera.packetize()[0])
    world.core.remove_transport(camera.client.transport)
    before = world.core.statistics().work["repairs"]
    world.advance(2_000_000)
    assert world.core.statistics().work["repairs"] == before


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("set", "hasten", "cancel", "take")), st.integers(0, 39), st.integers(0, 100)
        ),
        max_size=200,
    )
)
def test_timers_come_in_the_order_in_which_they_are_due(script: list[tuple[str, int, int]]) -> None:
    timers, due = stores.Timers(40), dict[int, int]()
    for what, number, when in script:
        if what == "set":
            timers.set(number, when)
            due[number] = when
        elif what == "hasten":
            timers.hasten(number, when)
            due[number] = min(when, due.get(number, when))
        elif what == "cancel":
            timers.cancel(number)
            due.pop(number, None)
        else:
            taken = timers.take(when)
            if taken is None:
                assert all(at > when for at in due.values())
            else:
                assert due.pop(taken) <= min([when, *due.values()])
        assert timers.next() == min(due.values(), default=None)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60))))
def test_ssrcs_are_found_while_they_are_there(script: list[tuple[bool, int]]) -> None:
    ssrcs, there = stores.Ssrcs(), dict[int, int]()
    for adds, number in script:
        ssrc = number * 65_536  # the low bits alike
        if adds and ssrc not in there:
            there[ssrc] = number + 1
            ssrcs.put(ssrc, number + 1)
        elif not adds:
            ssrcs.remove(ssrc)
            there.pop(ssrc, None)
        for one in range(61):
            assert ssrcs.find(one * 65_536) == there.get(one * 65_536, 0)


@pytest.mark.parametrize("step", [1, 2, 65_536, 2_654_435_761])
def test_a_search_among_a_thousand_ssrcs_is_short(step: int) -> None:
    ssrcs = stores.Ssrcs()
    for number in range(1_000):
        ssrcs.put(number * step & 0xFFFFFFFF, number + 1)
    assert ssrcs.longest() < 40
