"""A large room's frame leaves in slices, so that what is more urgent goes in between; nobody misses anything by it."""

from aiortc.rtp import RtcpPsfbPacket, pack_remb_fci

from tests.media.plane.world import AUDIO, SUB_AUDIO, Camera, Client, World, rtp, steps, vp8

PEOPLE = 100
SIZE = 1_000
PACKETS = 3  # of a frame; a batch holds it for some thirty people


class Hall:
    """Many people who watch and hear one speaker, whose picture is there already."""

    def __init__(self, people: int = PEOPLE) -> None:
        self.world = World()
        self.speaker = self.world.client()
        self.camera = Camera(self.speaker, packets=PACKETS)
        self.picture = self.world.video(self.speaker)
        self.voice = self.world.audio(self.speaker)
        self.people = [self.world.client() for _ in range(people)]
        self.consumers = [self.world.watch(each, self.picture) for each in self.people]
        for each in self.people:
            self.world.listen(each, self.voice)
        self.camera.frame(key=True, size=SIZE)
        for each in self.people:
            each.rtp.clear()

    def show(self) -> None:
        """A frame comes, of which one slice leaves at once."""
        for packet in self.camera.packetize(size=SIZE):
            self.speaker.send(packet)

    def speak(self, sequence: int = 1) -> None:
        packet = rtp(sequence, 960 * sequence, 3000, b"voice", payload_type=AUDIO)
        self.speaker.send(packet)

    def who_have(self, packets: int) -> int:
        """How many have got so many packets of the picture, and nobody a part of it."""
        got = [len(each.sequences()) for each in self.people]
        assert set(got) <= {packets - PACKETS, packets}
        return got.count(packets)


def hears(client: Client) -> int:
    return len(client.sequences(SUB_AUDIO))


def test_a_frame_to_many_leaves_in_slices() -> None:
    hall = Hall()
    hall.show()
    assert 20 < hall.who_have(PACKETS) < 40
    for _ in range(PEOPLE // 20):
        hall.world.advance(0)
    assert hall.who_have(PACKETS) == PEOPLE
    assert all(steps(each.sequences()) == {1} for each in hall.people)


def test_a_voice_goes_before_the_rest_of_a_frame() -> None:
    hall = Hall()
    hall.show()
    before = hall.who_have(PACKETS)
    hall.speak()
    assert hall.who_have(PACKETS) == before
    hall.world.advance(0)
    assert all(hears(each) == 1 for each in hall.people)
    assert hall.who_have(PACKETS) < PEOPLE
    hall.world.advance(10)
    assert hall.who_have(PACKETS) == PEOPLE


def test_a_small_rooms_frame_goes_before_the_rest_of_a_large_ones() -> None:
    hall = Hall()
    other, friend = hall.world.client(), hall.world.client()
    hall.world.watch(friend, hall.world.video(other))
    hall.show()
    other.send(rtp(1, 1, 1000, vp8(1, key=True, size=SIZE), marker=True))
    assert len(friend.sequences()) == 1
    assert hall.who_have(PACKETS) < PEOPLE


def test_of_equals_the_first_to_come_is_the_first_to_end() -> None:
    halls = Hall()
    world, second = halls.world, halls.world.client()
    camera = Camera(second, packets=PACKETS)
    picture = world.video(second)
    friends = [world.client() for _ in range(PEOPLE)]
    for each in friends:
        world.watch(each, picture)
    halls.show()
    for packet in camera.packetize(key=True, size=SIZE):
        second.send(packet)
    while halls.who_have(PACKETS) < PEOPLE:
        assert not any(each.sequences() for each in friends[-20:])
        world.advance(0)
    world.advance(10)
    assert all(len(each.sequences()) == PACKETS for each in friends)


def test_the_next_frame_waits_until_all_have_the_one_before() -> None:
    hall = Hall()
    hall.show()
    hall.show()
    hall.world.advance(10)
    assert hall.who_have(2 * PACKETS) == PEOPLE
    assert all(steps(each.sequences()) == {1} for each in hall.people)


def test_more_than_can_wait_is_sent_to_the_end() -> None:
    hall = Hall()
    for _ in range(30):  # 90 packets at one moment, while 64 can wait
        for packet in hall.camera.packetize(size=200):
            hall.world.core.receive_clear(hall.speaker.transport, packet, hall.world.now)
    hall.world.collect()
    hall.world.advance(10)
    assert all(steps(each.sequences()) == {1} and len(each.sequences()) == 90 for each in hall.people)


def test_who_leaves_meanwhile_takes_nothing_from_the_others() -> None:
    hall = Hall()
    hall.show()
    hall.world.core.remove_consumer(hall.consumers[0])
    hall.world.collect()
    hall.world.advance(10)
    assert hall.who_have(PACKETS) == PEOPLE


def test_a_publisher_who_begins_anew_in_the_middle_goes_on_with_a_key_frame() -> None:
    hall = Hall()
    hall.show()
    reached = hall.who_have(PACKETS)
    anew = Camera(hall.speaker, sequence=40_000, timestamp=5, picture=9, packets=PACKETS)
    for packet in anew.packetize(
        key=True, size=SIZE
    ):  # the first of a leap is only believed when a second follows
        hall.world.core.receive_clear(hall.speaker.transport, packet, hall.world.now)
    hall.world.collect()
    hall.world.advance(10)
    assert reached < PEOPLE
    assert hall.world.drops()["restarted"] == PACKETS
    anew.frame(key=True, size=SIZE)
    assert all(each.rtp[-1].payload[:1] == b"\x80" for each in hall.people)
    assert all(steps(each.sequences()) == {1} for each in hall.people)


def test_who_is_behind_gets_the_rest_though_the_frame_is_still_on_its_way_to_others() -> None:
    hall = Hall()
    narrow = hall.people[0]
    fci = pack_remb_fci(400_000, [10])
    narrow.send_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)))
    hall.world.advance(200_000)
    for _ in range(2):
        for packet in hall.camera.packetize(size=SIZE):
            hall.world.core.receive_clear(hall.speaker.transport, packet, hall.world.now)
        hall.world.core.advance(hall.world.now)
    hall.world.collect()
    before = len(narrow.sequences())
    assert before < 2 * PACKETS
    hall.world.now += 30_000
    hall.world.core.advance(hall.world.now)
    hall.world.collect()
    assert len(narrow.sequences()) > before
    assert len(hall.people[-1].sequences()) == PACKETS, "the second frame is still on its way"
    hall.world.advance(300_000)
    assert all(len(each.sequences()) == 2 * PACKETS for each in hall.people)
    assert steps(narrow.sequences()) == {1}
