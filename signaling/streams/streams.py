"""`Streams`: every device of this process; what the HTTP calls of WHIP and WHEP do."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog

from database import new_id
from errors import Kind, Problem
from media import MediaError
from media.capabilities import router_capabilities
from media.events import TransportState
from media.transport import Direction
from rooms import LiveRooms
from rooms.live.answers import Entered
from rooms.live.commands import Leave, Person, Role
from rooms.live.views import PeerState
from rooms.persons import device_key
from rooms.stream_keys import Device
from signaling.answers import media_refusal
from signaling.ice_servers import IceServers
from signaling.rooms.hall import Hall
from signaling.rooms.halls import Halls
from signaling.rooms.session import Session
from signaling.streams.answer import Line, answer, restart_fragment
from signaling.streams.fragment import parse_fragment
from signaling.streams.negotiation import Accepted, publishing, watching
from signaling.streams.offer import Offer
from signaling.streams.sdp import parse_offer
from signaling.streams.stream import Stream

STEP_SECONDS: Final = 0.5
"""How often watchers follow the room and dead streams are looked for."""

CONNECT_SECONDS: Final = 30.0
"""A device that has not connected by then is not going to."""

MAXIMUM_WATCHERS: Final = 20
"""With one key at once; a publishing key has one device, and a second one takes the first one's place."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session: 201 with this body; `ice_servers` go into Link headers."""

    stream_id: str
    sdp: str
    etag: str
    ice_servers: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Patched:
    """What a PATCH did: `fragment` None after a trickle, else the answer to an ICE restart."""

    fragment: str | None
    etag: str


class Streams:
    """Devices come with a key that rooms has checked; everything here is on the asyncio thread."""

    def __init__(
        self,
        rooms: LiveRooms,
        halls: Halls,
        ice_servers: IceServers,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rooms = rooms
        self._halls = halls
        self._ice_servers = ice_servers
        self._monotonic = monotonic
        self._streams: dict[str, Stream] = {}
        self._draining = False

    def drain(self) -> None:
        """Let no further device in."""
        self._draining = True

    def count(self) -> dict[str, int]:
        """Streams by use, now."""
        watchers = sum(1 for stream in self._streams.values() if stream.wanted)
        return {"publish": len(self._streams) - watchers, "watch": watchers}

    async def publish(self, device: Device, sdp: str, *, screen: bool = False) -> Opened:
        """WHIP. Problems: malformed_sdp, unacceptable_sdp, those of entering, server_draining, media's own."""
        offer = parse_offer(sdp)
        parts = publishing(offer, router_capabilities(), screen=screen)
        async with self._entered(device, Role.PARTICIPANT) as (hall, session):
            stream = await self._open(device, offer, hall, session, "send", parts[0].accepted)
            for part in parts:
                hall.publish(session, stream.transport, part.source, rtp=part.rtp_parameters, paused=False)
        lines = {part.accepted.section.mid: Line(part.accepted, "recvonly", part.rids) for part in parts}
        return self._opened(stream, offer, lines)

    async def watch(self, device: Device, sdp: str, *, peer_id: str | None = None) -> Opened:
        """WHEP; `peer_id` names the participant to watch, else the picture follows the meeting. Problems as above."""
        offer = parse_offer(sdp)
        wanted = watching(offer, router_capabilities())
        if sum(stream.key_id == device.key_id for stream in self._streams.values()) >= MAXIMUM_WATCHERS:
            raise Problem(Kind.CONFLICT, "too_many_devices", {"maximum": MAXIMUM_WATCHERS})
        async with self._entered(device, Role.OBSERVER) as (hall, session):
            stream = await self._open(
                device, offer, hall, session, "recv", next(iter(wanted.values())).accepted
            )
            stream.wanted, stream.peer_id = wanted, peer_id
            stream.follow(self._monotonic())
        # Picture and sound are one stream, and two tracks: Chromium takes no two sections of the same one.
        lines = {
            one.accepted.section.mid: Line(one.accepted, "sendonly", extra=(f"a=msid:huitang {kind}",))
            for kind, one in wanted.items()
        }
        return self._opened(stream, offer, lines)

    def patch(self, device: Device, stream_id: str, etags: Collection[str] | None, fragment: str) -> Patched:
        """Trickle or ICE restart; `etags` are If-Match's, "*" for any.

        Problems: stream_not_found, stream_precondition_missing, stream_precondition_failed, malformed_sdp.
        """
        stream = self._find(device, stream_id)
        if etags is None:
            raise Problem(Kind.CONFLICT, "stream_precondition_missing")
        theirs = parse_fragment(fragment)
        if not {"*", stream.etag}.intersection(etags):
            raise Problem(Kind.CONFLICT, "stream_precondition_failed")
        if theirs == stream.ice:
            return Patched(None, stream.etag)
        stream.ice = theirs
        ice = stream.transport.restart_ice()
        candidates = stream.transport.parameters()["iceCandidates"]
        return Patched(restart_fragment(ice, candidates, stream.first), stream.etag)

    async def end(self, device: Device, stream_id: str) -> None:
        """The device says goodbye. Problem stream_not_found."""
        stream = self._find(device, stream_id)
        await self._leave(stream)

    async def run(self) -> None:
        """For ever: let watchers follow, and let the dead go."""
        while True:
            await asyncio.sleep(STEP_SECONDS)
            for stream in list(self._streams.values()):
                try:
                    await self._step(stream)
                except Exception:
                    log.exception("stream_step_failed", meeting_id=stream.hall.room_id)

    async def _step(self, stream: Stream) -> None:
        now = self._monotonic()
        state = TransportState.CLOSED if stream.gone else stream.transport.state
        late = (
            state in {TransportState.NEW, TransportState.CONNECTING} and now - stream.began > CONNECT_SECONDS
        )
        if late or state in {TransportState.FAILED, TransportState.CLOSED}:
            await self._leave(stream)
        elif stream.wanted:
            stream.follow(now)

    async def _leave(self, stream: Stream) -> None:
        self._streams.pop(stream.id, None)
        await self._leave_room(stream.hall, stream.session)

    async def _leave_room(self, hall: Hall, session: Session) -> None:
        """Out of the room, whose news then closes the media; one who is out already stays out."""
        if hall.session(session.peer_id) is session:
            with suppress(Problem):
                await self._rooms.handle(hall.room_id, Leave(session.peer_id))

    def _find(self, device: Device, stream_id: str) -> Stream:
        """The stream of this device's key; another key's is none of its business."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.gone or stream.key_id != device.key_id:
            raise Problem(Kind.NOT_FOUND, "stream_not_found")
        return stream

    @asynccontextmanager
    async def _entered(self, device: Device, role: Role) -> AsyncIterator[tuple[Hall, Session]]:
        """The device as a peer of the room, which leaves again when anything in the block fails."""
        if self._draining:
            raise Problem(Kind.UNAVAILABLE, "server_draining")
        key = device_key(device.key_id)
        person = Person(key, None, device.name, role, device=True, known=device.known)
        entered = await self._rooms.enter_device(device.meeting_id, person, alone=role is Role.PARTICIPANT)
        snapshot = self._rooms.snapshot(entered.room_id)
        if snapshot is None:
            raise Problem(Kind.CONFLICT, "meeting_ended")
        hall = self._halls.open(snapshot.occasion)
        session = hall.sessions[entered.peer_id] = device_session(entered, key, device.name)
        try:
            yield hall, session
        except MediaError as error:
            await self._leave_room(hall, session)
            raise media_refusal(error) from None
        except BaseException:
            await self._leave_room(hall, session)
            raise

    async def _open(
        self,
        device: Device,
        offer: Offer,
        hall: Hall,
        session: Session,
        direction: Direction,
        first: Accepted,
    ) -> Stream:
        transport = hall.router.create_transport(direction, owner=session.peer_id)
        transport.set_admitted(True)
        hall.add_transport(session, transport)
        await transport.connect(dict(offer.dtls))
        stream = Stream(
            id=new_id(),
            key_id=device.key_id,
            hall=hall,
            session=session,
            transport=transport,
            ice=offer.ice,
            first=first.section,
            began=self._monotonic(),
        )
        self._streams[stream.id] = stream
        return stream

    def _opened(self, stream: Stream, offer: Offer, lines: Mapping[str, Line]) -> Opened:
        servers = self._ice_servers.of(stream.session.peer_id)
        number = secrets.randbits(62)
        log.info("stream_opened", meeting_id=stream.hall.room_id, key_id=stream.key_id, sections=len(lines))
        return Opened(
            stream.id, answer(offer, lines, stream.transport.parameters(), number), stream.etag, servers
        )


def device_session(entered: Entered, person_key: str, name: str) -> Session:
    """A session without Socket.IO: it hears of nothing, and nobody resumes it."""
    return Session(
        peer_id=entered.peer_id,
        room_id=entered.room_id,
        person_key=person_key,
        member_id=None,
        display_name=name,
        role=entered.role,
        admitted=entered.state is PeerState.ADMITTED,
        resume_token="",
        connection=entered.connection,
        sid=None,
        meeting={},
        device=True,
    )
