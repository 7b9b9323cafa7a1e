"""A subscriber who estimates his line himself (REMB): he allows little more than comes, whatever the line bears."""

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, pack_remb_fci

from media.plane import Encoding
from tests.media.plane.links import SECOND, Link, steady
from tests.media.plane.test_layers import Studio
from tests.media.plane.town import Estimating, EstimatingTogether, Member, Sender, Silent, Town
from tests.media.plane.world import ABS_SEND_TIME, Client, World

CAMERA = (120_000, 500_000, 2_500_000)
LARGE = (120_000, 5_000_000)
OPENING = 300_000
PROMISE = {"header_extensions": {ABS_SEND_TIME: 6}, "remb": True}


def attends(
    line: Link, seed: int, *cameras: tuple[int, ...], kind: type[Member] = Estimating
) -> tuple[Town, Member]:
    """Somebody comes over that line to people with these cameras."""
    town = Town(seed)
    people = [town.sender(*camera) for camera in cameras]
    town.run(2)
    return town, town.member(line, people, kind=kind)


def padded(town: Town, member: Member) -> int:
    """Bytes of padding so far."""
    return town.core.transport_statistics(member.client.transport).probe_bytes_sent


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", [Estimating, EstimatingTogether])
def test_a_free_line_of_ten_megabits_is_climbed_within_ten_seconds(seed: int, kind: type[Member]) -> None:
    line = Link(steady(10e6), seed=seed)
    town, member = attends(line, seed, LARGE, LARGE, kind=kind)
    came = town.now
    assert member.budget == OPENING
    town.run(5)
    assert member.budget > 4e6
    town.run(5)
    assert 5.5e6 < member.budget < 10e6
    assert town.core.consumer_statistics(member.pictures[0]).spatial_layer == 1
    assert member.missed(came, town.now - SECOND) == 0
    assert line.dropped == 0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("cameras", [1, 2])
@pytest.mark.parametrize("bps", [1e6, 3e6])
def test_a_narrower_line_is_not_exceeded_and_no_sound_is_late(bps: float, cameras: int, seed: int) -> None:
    line = Link(steady(bps), seed=seed)
    town, member = attends(line, seed, *[CAMERA] * cameras)
    came = town.now
    town.run(3)
    most = least = member.budget
    for _ in range(70):
        town.run(0.2)
        most, least = max(most, member.budget), min(least, member.budget)
    assert most < bps
    assert least > 0.35 * bps
    assert member.missed(came, town.now - SECOND) == 0
    assert line.dropped == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fall_is_obeyed_at_once(seed: int) -> None:
    narrows = 12
    line = Link(lambda seconds: 3e6 if seconds < narrows else 300e3, seed=seed)
    town, member = attends(line, seed, CAMERA)
    town.run(narrows - 2)
    assert member.budget > 1e6
    town.run(1.2)
    assert member.budget < 300e3
    before = padded(town, member)
    for _ in range(40):
        town.run(0.05)
        assert member.budget < 300e3
    assert padded(town, member) - before < 30_000, "there is peace"
    assert town.core.consumer_statistics(member.pictures[0]).spatial_layer <= 0


def test_nothing_is_padded_when_nothing_more_is_wanted() -> None:
    town, member = attends(Link(steady(10e6)), 1, CAMERA)
    town.run(12)
    sent = padded(town, member)
    assert member.budget > 1.14 * town.core.transport_statistics(member.client.transport).desired_bps
    town.run(10)
    assert padded(town, member) == sent


def test_who_has_promised_a_word_and_never_says_any_is_limited_no_more() -> None:
    town, member = attends(Link(steady(10e6)), 1, CAMERA, kind=Silent)
    town.run(3)
    assert member.budget > sum(CAMERA[-1:])
    town.run(4)
    assert member.budget == 0
    sent = padded(town, member)
    town.run(5)
    assert padded(town, member) == sent
    assert town.core.consumer_statistics(member.pictures[0]).spatial_layer == 2


def test_who_never_says_any_is_limited_by_his_receiver_reports() -> None:
    town, member = attends(Link(steady(500e3), queue_us=100_000), 1, CAMERA, kind=Silent)
    town.run(20)
    assert 0 < member.budget < 1e6
    assert town.core.consumer_statistics(member.pictures[0]).spatial_layer < 2


class Counting(Silent):
    """Notes when padding comes, and how much."""

    def __init__(self, town: Town, line: Link, people: list[Sender], back_us: int) -> None:
        self.padding: list[tuple[int, int]] = []
        super().__init__(town, line, people, back_us)

    def note(self, number: int, ssrc: int, size: int) -> None:
        del number
        if ssrc in self.eyes and ssrc != self.eyes[ssrc].ssrc:
            self.padding.append((self.town.now, size))


def test_padding_is_spread_and_no_burst() -> None:
    town, member = attends(Link(steady(1e9)), 1, LARGE, kind=Counting)
    assert isinstance(member, Counting)
    town.run(2.5)
    assert sum(size for _, size in member.padding) > 500_000
    for since, _ in member.padding:
        assert sum(size for at, size in member.padding if since <= at < since + 1_000) < 2_000


class Seats:
    """One camera, watched twice by one client: with two pictures, each with an estimator of its own."""

    def __init__(self) -> None:
        self.studio = Studio()
        self.world = self.studio.world
        self.client = self.world.client()
        for ssrc in (10, 12):
            self.world.watch(self.client, self.studio.producer, ssrc=ssrc, rtx_ssrc=ssrc + 1, **PROMISE)
        self.studio.film(2)

    def say(self, bps: int, *ssrcs: int) -> None:
        fci = pack_remb_fci(bps, list(ssrcs))
        self.client.send_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)))

    @property
    def said(self) -> int:
        return self.world.core.transport_statistics(self.client.transport).remb_bps

    @property
    def budget(self) -> int:
        return self.world.core.transport_statistics(self.client.transport).budget_bps


def test_the_words_of_several_pictures_are_added_up() -> None:
    seats = Seats()
    seats.say(1_000_000, 10, 11)
    assert seats.said > 1_000_000, "and whose word has not come counts with what is sent to it"
    seats.say(2_000_000, 12, 13)
    assert seats.said == seats.budget == 3_000_000
    seats.studio.film(0.5)
    seats.say(1_500_000, 10, 11)
    assert seats.said == 3_500_000
    seats.say(600_000, 10, 12)
    assert seats.said == 600_000, "one estimator for both speaks of both"
    seats.studio.film(0.5)
    seats.say(700_000)
    assert seats.said == 700_000, "and who names nobody speaks of all"


def test_where_one_has_seen_the_line_full_the_others_have_no_more_than_they_are_sent() -> None:
    seats = Seats()
    seats.say(8_000_000, 10)
    seats.say(8_000_000, 12)
    seats.studio.film(0.6)
    seats.say(400_000, 10)
    sent = seats.said - 400_000
    assert 0 < sent < 2_000_000
    seats.say(3_000_000, 12)
    assert seats.said == 3_400_000, "until they speak themselves"


def test_a_word_counts_no_longer_than_five_seconds() -> None:
    seats = Seats()
    seats.say(3_000_000, 10)
    for _ in range(6):
        seats.studio.film(1)
        seats.say(1_000_000, 12)
    assert seats.said == 1_000_000


@pytest.mark.parametrize("promised", [False, True])
def test_a_word_of_nothing_is_a_limit(promised: bool) -> None:
    studio = Studio()
    client = studio.world.client()
    consumer = studio.world.watch(client, studio.producer, **(PROMISE if promised else {}))
    studio.film(2)
    fci = pack_remb_fci(0, [10])
    client.send_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)))
    studio.film(1)
    counted = studio.world.core.transport_statistics(client.transport)
    assert counted.remb_bps == 0
    assert counted.budget_bps == 30_000
    assert studio.world.core.consumer_statistics(consumer).spatial_layer <= 0


@pytest.mark.parametrize(
    "options",
    [
        {"remb": True},  # without times of sending there is nothing to estimate from
        {"header_extensions": {ABS_SEND_TIME: 6}},
    ],
)
def test_who_has_not_promised_is_not_limited(options: dict[str, object]) -> None:
    studio = Studio()
    client = studio.world.client()
    studio.world.watch(client, studio.producer, **options)
    studio.film(2)
    counted = studio.world.core.transport_statistics(client.transport)
    assert counted.budget_bps == counted.probe_bytes_sent == 0


def lost(client: Client, fraction: float, highest: int) -> None:
    block = RtcpReceiverInfo(
        ssrc=10, fraction_lost=int(fraction * 256), packets_lost=0, highest_sequence=highest, jitter=0, lsr=0, dlsr=0
    )  # fmt: skip
    client.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=[block])))


@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_nothing_is_padded_where_packets_are_lost(loss: float) -> None:
    studio = Studio()
    client = studio.world.client()
    studio.world.watch(client, studio.producer, **PROMISE)
    sent = []
    for second in range(12):
        fci = pack_remb_fci(300_000, [10, 11])
        client.send_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)))
        lost(client, loss, 1_000 * (second + 1))
        studio.film(1)
        sent.append(studio.world.core.transport_statistics(client.transport).probe_bytes_sent)
    assert (sent[-1] > sent[3]) == (loss == 0)


def test_a_picture_that_goes_takes_its_word_and_its_padding_with_it() -> None:
    world = World()
    publisher, client = world.client(), world.client()
    producer = world.video(publisher, encodings=[Encoding(1000, 2000)])
    consumer = world.watch(client, producer, **PROMISE)
    world.advance(1_000_000)
    world.core.remove_consumer(consumer)
    world.advance(1_000_000)
    world.core.remove_transport(client.transport)
    world.advance(1_000_000)
    assert world.drops() == {}


@pytest.mark.parametrize("kind", [Estimating, EstimatingTogether])
def test_the_picture_comes_back_where_nobody_says_a_word(kind: type[Member]) -> None:
    """The last round trip that was measured went through a full queue, and what is sent nothing measures none."""
    line = Link(lambda s: 60e3 if 14 < s < 20 else 2e6, queue_us=1_000_000)
    town = Town()
    person = town.sender(120_000, 500_000)
    town.core.set_producer_paused(person.microphone, True)
    town.run(2)
    member = town.member(line, [person], kind=kind)
    town.run(32)
    seen = town.now
    town.run(6)
    assert member.eye(0).still(seen, town.now) < 1


@pytest.mark.parametrize("when", [20.0, 20.15, 20.3, 20.45, 20.6, 20.75, 20.9])
def test_a_word_of_what_has_just_been_paused_does_not_hold_when_it_goes_on(when: float) -> None:
    town = Town()
    member = town.member(Link(steady(10e6)), [town.sender(120_000, 500_000, 2_500_000)], kind=Estimating)
    town.run(when)
    before = member.budget
    town.core.set_consumer_paused(member.pictures[0], True)
    town.run(2)
    assert member.budget > 0.9 * before


@pytest.mark.parametrize("start", [2, 10 * 86_400])
def test_the_first_report_of_loss_is_not_reckoned_from_when_the_machine_began(start: int) -> None:
    """By receiver reports alone: what was sent in ten days is no rate."""
    world = World()
    world.now = start * SECOND
    world.advance(0)
    studio = Studio(world)
    client = world.client()
    world.watch(client, studio.producer)
    studio.film(1)
    for second, loss in enumerate((0.3, 0.3, 0.05, 0.05), 1):
        lost(client, loss, 1_000 * second)
        studio.film(1)
    assert world.core.transport_statistics(client.transport).budget_bps > 100_000
