"""When a player looks through the room, what it asks there, and that nothing it should follow escapes it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from media import MediaEngine, MediaSettings, Router
from media.capabilities import router_capabilities
from rooms.live.commands import Role
from rooms.live.events import Source
from signaling.rooms.capture import Capture
from signaling.rooms.hall import Hall
from signaling.rooms.media_news import MediaNews
from signaling.rooms.session import Publication, Session
from signaling.streams.negotiation import watching
from signaling.streams.sdp import parse_offer
from signaling.streams.stream import PICTURE_SECONDS, Stream
from tests.media.samples import camera, microphone
from tests.streams.test_sdp import OFFER

H264: dict[str, str | int] = {"packetization-mode": 1, "profile-level-id": "42e01f"}


class Looked(dict[str, Publication]):
    """A hall's producers, with a count of how often they were gone through."""

    times = 0

    def values(self) -> Any:
        self.times += 1
        return super().values()


def person(peer_id: str, role: Role = Role.PARTICIPANT) -> Session:
    return Session(
        peer_id=peer_id,
        room_id="room",
        person_key=peer_id,
        member_id=None,
        display_name=peer_id,
        role=role,
        admitted=True,
        resume_token="",
        connection=1,
        sid=None,
        meeting={},
    )


@dataclass
class Room:
    """A hall with a player in it."""

    router: Router
    looked: Looked = field(default_factory=Looked)
    ssrc: int = 1

    def __post_init__(self) -> None:
        self.hall = Hall("room", self.router, Capture(self.router), lambda *_: None)
        self.hall.publications = self.looked
        offer = parse_offer(OFFER.replace("sendonly", "recvonly"))
        watcher = self.enter("watcher", Role.OBSERVER)
        self.player = Stream(
            id="player",
            key_id="key",
            hall=self.hall,
            session=watcher,
            transport=self.router.create_transport("recv"),
            ice=offer.ice,
            first=offer.sections[0],
            began=0.0,
            wanted=watching(offer, router_capabilities()),
        )

    def enter(self, peer_id: str, role: Role = Role.PARTICIPANT) -> Session:
        session = self.hall.sessions[peer_id] = person(peer_id, role)
        return session

    def publish(self, peer_id: str, source: Source, rtp: Callable[..., dict[str, Any]] = camera) -> None:
        session = self.hall.sessions.get(peer_id) or self.enter(peer_id)
        transport = self.router.create_transport("send")
        self.hall.add_transport(session, transport)
        self.ssrc += 2
        self.hall.publish(session, transport, source, rtp=rtp(ssrc=self.ssrc), paused=False)

    def publication(self, peer_id: str, source: Source = Source.CAMERA) -> Publication:
        return self.hall.sessions[peer_id].of_sources((source,))[0]

    def follow(self, now: float) -> set[str]:
        """Let the player follow; who is seen or heard then, and by what."""
        self.player.follow(now)
        producers = {item.producer.id: item for item in self.hall.publications.values()}
        seen = [producers[one.producer_id] for one in self.player.session.consumers.values()]
        return {f"{item.peer_id} {item.source.value}" for item in seen}


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    """Li's camera and microphone, and Chen's camera."""
    engine = MediaEngine(MediaSettings(port=0, bind_addresses=("127.0.0.1",)))
    await engine.start()
    news = MediaNews()
    room = Room(engine.create_router(news))
    news.hall = room.hall
    room.publish("li", Source.CAMERA)
    room.publish("li", Source.MICROPHONE, microphone)
    room.publish("chen", Source.CAMERA)
    yield room
    await engine.stop()


async def test_a_player_looks_through_the_room_only_after_something_changed(room: Room) -> None:
    room.player.follow(0.0)
    before = room.looked.times
    for step in range(1, 1_000):
        room.player.follow(step / 2)
    assert room.looked.times == before
    room.hall.pause(room.publication("li", Source.MICROPHONE))
    room.player.follow(500.0)
    assert room.looked.times == before + 1


async def test_each_codec_is_judged_once_however_many_send_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        room.publish(f"vp8 {number}", Source.CAMERA)
        room.publish(f"h264 {number}", Source.CAMERA, lambda ssrc: camera("video/H264", H264, ssrc=ssrc))
        room.publish(f"sound {number}", Source.MICROPHONE, microphone)
    judged: list[str] = []
    judge = room.router.can_consume

    def counted(producer_id: str, rtp_capabilities: Any) -> bool:
        judged.append(room.router.find_producer(producer_id).stream.consumable.codecs[0].name)
        return judge(producer_id, rtp_capabilities)

    monkeypatch.setattr(room.router, "can_consume", counted)
    assert room.follow(0.0) == {"li camera", "li microphone"}
    assert sorted(judged) == ["audio/opus", "video/h264", "video/vp8"]


async def test_a_codec_that_the_player_lacks_is_never_shown(room: Room) -> None:
    room.publish("vp9", Source.SCREEN, lambda ssrc: camera("video/VP9", {"profile-id": 0}, ssrc=ssrc))
    assert room.follow(0.0) == {"li camera", "li microphone"}


@pytest.mark.parametrize(
    ("change", "then"),
    [
        (lambda room: room.publish("wang", Source.SCREEN), {"wang screen", "li microphone"}),
        (lambda room: room.hall.pause(room.publication("li")), {"chen camera", "li microphone"}),
        (
            lambda room: room.hall.unpublish(room.hall.sessions["li"], room.publication("li")),
            {"chen camera", "li microphone"},
        ),
        (lambda room: room.hall.close_session(room.hall.sessions["li"]), {"chen camera"}),
        (lambda room: room.hall.set_speaker("chen"), {"chen camera", "li microphone"}),
    ],
)
async def test_a_player_follows_every_change(
    room: Room, change: Callable[[Room], None], then: set[str]
) -> None:
    assert room.follow(0.0) == {"li camera", "li microphone"}
    change(room)
    assert room.follow(PICTURE_SECONDS) == then


async def test_a_player_follows_who_is_on_again(room: Room) -> None:
    for one in ("li", "chen"):
        room.hall.pause(room.publication(one))
    assert room.follow(0.0) == {"li microphone"}
    room.hall.resume(room.publication("chen"))
    assert room.follow(0.5) == {"chen camera", "li microphone"}


async def test_who_became_host_comes_first_once_something_is_to_be_chosen(room: Room) -> None:
    for one in ("li", "chen"):
        room.hall.pause(room.publication(one))
    assert room.follow(0.0) == {"li microphone"}
    room.hall.sessions["chen"].role = Role.HOST
    for one in ("li", "chen"):
        room.hall.resume(room.publication(one))
    assert room.follow(1.0) == {"chen camera", "li microphone"}


async def test_a_picture_that_came_too_soon_is_shown_later_though_nothing_changes_any_more(
    room: Room,
) -> None:
    room.follow(0.0)
    room.hall.set_speaker("chen")
    assert room.follow(PICTURE_SECONDS - 0.5) == {"li camera", "li microphone"}
    assert room.follow(PICTURE_SECONDS) == {"chen camera", "li microphone"}
