"""`StreamKeys`: making, listing, checking and revoking."""

import hashlib
import secrets
from typing import Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, new_id
from errors import Kind, Problem
from members.policy import Action, Actor
from rooms.live.service import LiveRooms
from rooms.meetings import repository as meetings
from rooms.meetings.kinds import PRIVATE_KINDS
from rooms.meetings.models import Meeting
from rooms.meetings.rules import must_be
from rooms.meetings.states import MeetingState
from rooms.persons import device_key
from rooms.stream_keys.models import StreamKey
from rooms.stream_keys.views import Device, NewStreamKey, StreamKeyView, StreamUse
from rooms.texts import clean_name

SECRET_BYTES: Final = 24
MAXIMUM_SECRET_LENGTH: Final = 200
MAXIMUM_KEYS: Final = 20
"""Of one meeting at once: no hall has more cameras and screens."""

OPEN: Final = (MeetingState.SCHEDULED, MeetingState.LIVE)

log = structlog.get_logger(__name__)


class StreamKeys:
    """Every public method is one unit of work; keys are the affair of a meeting's hosts, as admitting is."""

    def __init__(self, database: Database, live_rooms: LiveRooms, clock: Clock) -> None:
        self._database = database
        self._live_rooms = live_rooms
        self._clock = clock

    async def create(self, actor: Actor, meeting_id: str, name: str, use: StreamUse) -> NewStreamKey:
        """A new key.

        Problems: meeting_not_found, forbidden, meeting_in_wrong_state, meeting_is_private, invalid_display_name,
        too_many_stream_keys.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        async with self._database.transaction() as session:
            access = await meetings.access(session, meeting_id, actor, lock=True)
            access.require(Action.MODERATE_MEETING)
            must_be(access.meeting.state, *OPEN)
            _must_be_shown(access.meeting, use)
            count = select(func.count()).where(
                StreamKey.meeting_id == meeting_id, StreamKey.revoked_at.is_(None)
            )
            if (await session.scalar(count) or 0) >= MAXIMUM_KEYS:
                raise Problem(Kind.CONFLICT, "too_many_stream_keys", {"maximum": MAXIMUM_KEYS})
            key = StreamKey(
                id=new_id(),
                meeting_id=meeting_id,
                name=clean_name(name),
                use=use,
                secret_hash=_hash(secret),
                created_by=actor.account_id,
                created_at=self._clock(),
            )
            session.add(key)
            log.info("stream_key_made", meeting_id=meeting_id, key_id=key.id, use=use.value)
            return NewStreamKey(_view(key, online=False), secret)

    async def list(self, actor: Actor, meeting_id: str) -> list[StreamKeyView]:
        """The keys that are not revoked, oldest first."""
        async with self._database.reading() as session:
            access = await meetings.access(session, meeting_id, actor)
            access.require(Action.MODERATE_MEETING)
            query = select(StreamKey).where(
                StreamKey.meeting_id == meeting_id, StreamKey.revoked_at.is_(None)
            )
            found = await session.scalars(query.order_by(StreamKey.created_at, StreamKey.id))
            snapshot = self._live_rooms.snapshot(meeting_id)
            online = {peer.person_key for peer in snapshot.peers} if snapshot is not None else set()
            return [_view(key, online=device_key(key.id) in online) for key in found]

    async def revoke(self, actor: Actor, meeting_id: str, key_id: str) -> None:
        """Make a key worthless and its device leave at once; again changes nothing. Problem stream_key_not_found."""
        async with self._database.transaction() as session:
            access = await meetings.access(session, meeting_id, actor)
            access.require(Action.MODERATE_MEETING)
            key = await session.get(StreamKey, key_id)
            if key is None or key.meeting_id != meeting_id:
                raise Problem(Kind.NOT_FOUND, "stream_key_not_found")
            key.revoked_at = key.revoked_at or self._clock()
        log.info("stream_key_revoked", meeting_id=meeting_id, key_id=key_id)
        await self._live_rooms.withdraw_device(meeting_id, device_key(key_id))

    async def authenticate(self, meeting_id: str, secret: str | None, use: StreamUse) -> Device:
        """Who shows the secret.

        Problems: stream_key_invalid, stream_key_for_other_use, meeting_is_private, meeting_ended, meeting_cancelled.
        """
        if secret is None or len(secret) > MAXIMUM_SECRET_LENGTH:
            raise Problem(Kind.UNAUTHENTICATED, "stream_key_invalid")
        async with self._database.reading() as session:
            key, meeting = await _find(session, meeting_id, secret)
        if key.use is not use:
            raise Problem(Kind.FORBIDDEN, "stream_key_for_other_use", {"use": key.use.value})
        _must_be_shown(meeting, use)
        if meeting.state not in OPEN:
            code = "meeting_cancelled" if meeting.state is MeetingState.CANCELLED else "meeting_ended"
            raise Problem(Kind.CONFLICT, code)
        return Device(key.id, meeting_id, key.name, key.use, known=key.used_at is not None)

    async def used(self, device: Device) -> None:
        """Note that the device came in: hosts see it, and a lock does not keep it out later."""
        async with self._database.transaction() as session:
            await session.execute(
                update(StreamKey).where(StreamKey.id == device.key_id).values(used_at=self._clock())
            )


async def _find(session: AsyncSession, meeting_id: str, secret: str) -> tuple[StreamKey, Meeting]:
    query = select(StreamKey, Meeting).join(Meeting, Meeting.id == StreamKey.meeting_id)
    query = query.where(
        StreamKey.secret_hash == _hash(secret),
        StreamKey.meeting_id == meeting_id,
        StreamKey.revoked_at.is_(None),
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise Problem(Kind.UNAUTHENTICATED, "stream_key_invalid")
    return found[0], found[1]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _view(key: StreamKey, *, online: bool) -> StreamKeyView:
    return StreamKeyView(key.id, key.name, key.use, key.created_at, key.used_at, online)


def _must_be_shown(meeting: Meeting, use: StreamUse) -> None:
    """A player can keep what it shows, and is nobody whom the others see: what is never recorded is given to none."""
    if use is StreamUse.WATCH and meeting.kind in PRIVATE_KINDS:
        raise Problem(Kind.FORBIDDEN, "meeting_is_private")
