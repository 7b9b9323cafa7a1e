"""`LiveRooms`: the only thing signaling talks to about rooms."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from database import Clock, Database, Gathering, new_id
from errors import Kind, Problem
from members.cards import Cards
from members.policy import Action, Actor
from members.tokens import Tokens
from rooms.attendance import records
from rooms.consultations.events import ConsultationEvent, TicketChanged
from rooms.consultations.service import Consultations
from rooms.consultations.states import TALKING
from rooms.consultations.views import ConsultationView
from rooms.live import door, marks, occasions
from rooms.live.answers import Entered, RoomStatistics
from rooms.live.commands import (
    Command,
    ConnectionLost,
    EndMeeting,
    EndReason,
    Enter,
    Person,
    Role,
    WithdrawDevice,
)
from rooms.live.core import Standing
from rooms.live.events import Event, MeetingStarted, PeerJoined, PeerResumed, PeerWaiting
from rooms.live.heartbeat import Heartbeat
from rooms.live.listeners import RoomListener, RoomListeners
from rooms.live.room import LiveRoom
from rooms.live.settings import RoomSettings
from rooms.live.turns import Turns
from rooms.live.views import Occasion, OccasionKind, PeerState, RoomSnapshot
from rooms.meetings import lifecycle
from rooms.meetings import repository as meetings
from rooms.meetings.access import Access
from rooms.meetings.models import Meeting
from rooms.meetings.rules import must_be
from rooms.meetings.states import MeetingState
from rooms.meetings.views import MeetingView
from rooms.texts import clean_name

__all__ = ["Entered", "LiveRooms", "RoomListener", "RoomStatistics"]

SECRET_BYTES = 24
"""Of a resume token: 192 random bits."""

log = structlog.get_logger(__name__)


class LiveRooms:
    """The registry of live rooms, and their clock.

    `visitor` is an Actor (session), or the text of a room token; a token names its room and is refused for another.
    """

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        cards: Cards,
        consultations: Consultations,
        clock: Clock,
        settings: RoomSettings,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._cards = cards
        self._consultations = consultations
        self._clock = clock
        self._settings = settings
        self._rooms: dict[str, LiveRoom] = {}
        self._turns = Turns(settings.maximum_pending)
        self._accesses = Gathering(self._read_accesses)
        self._listeners = RoomListeners()
        self._heartbeat = Heartbeat(database, clock)
        self._next_heartbeat = clock()
        self._ticker: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._over: set[LiveRoom] = (
            set()
        )  # their consultation is over, or another expert's; nobody comes in any more
        self._stop_listening: Callable[[], None] = lambda: None

    def subscribe(self, listener: RoomListener) -> Callable[[], None]:
        """Tell `listener` of all events from now on; answers how to stop it. Subscribe before `start`."""
        return self._listeners.add(listener)

    async def start(self) -> None:
        """Rebuild the rooms of what is live, close what a crash left open, begin the clock.

        MeetingStarted(recovered=True) is told for every meeting that is live already.
        """
        async with self._database.transaction() as session:
            found = await meetings.live(session)
            standings = await marks.standings(session, {meeting.id: meeting.locked for meeting in found})
            await records.close_open_presences(session)
        for meeting in found:
            self._open(occasions.of_meeting(meeting), standings[meeting.id], recovered=True)
        self._stop_listening = self._consultations.subscribe(self)
        self._ticker = asyncio.create_task(self._run(), name="rooms")
        log.info("rooms_started", recovered=len(found))

    async def stop(self) -> None:
        """Stop the clock and write presence down; meetings stay live and go on after the next start."""
        self._stop_listening()
        for task in (self._ticker, *self._ending):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._ticker = None
        await self._heartbeat.save(self._rooms.values(), everything=True)

    async def enter(
        self, visitor: Actor | str, room_id: str, display_name: str | None, resume_token: str | None
    ) -> Entered:
        """Come in, wait in the lobby, or come back. A host's coming starts a scheduled meeting.

        Problems: meeting_not_found, forbidden, meeting_not_started {startsAt}, meeting_ended {endedAt},
        meeting_cancelled, removed, room_locked, room_full, lobby_full, too_many_devices, room_busy, token_invalid,
        token_expired, token_of_another_room, kind_takes_no_guests, invalid_display_name, consultation_not_called,
        consultation_over.
        """
        name = clean_name(display_name) if display_name is not None else None
        who = await self._identify(visitor, room_id)
        found = await self._at_meeting(who, room_id)  # beside others who come
        room = self._rooms.get(room_id)
        if room is not None and found is not None and found.access.meeting.state is MeetingState.LIVE:
            return self._come_in(room, found.person, name, resume_token, meeting=found.view)
        async with self._turns.of(room_id):
            if found is not None:
                found = await self._at_meeting(who, room_id)  # somebody may have begun it meanwhile
            if found is None:
                return await self._enter_consultation(who, room_id, name, resume_token)
            found = await self._opened(found)
            room = self._rooms.get(room_id) or await self._recover(found.access.meeting)
            return self._come_in(room, found.person, name, resume_token, meeting=found.view)

    async def enter_device(self, room_id: str, person: Person, *, alone: bool) -> Entered:
        """Let an encoder or player in whose stream key is good; it starts no meeting. Problems as of `enter`.

        `alone`: whoever is in with the same key leaves, for an encoder that lost its line begins anew.
        """
        nobody = Actor(account_id=new_id(), name="")
        async with self._turns.of(room_id):
            async with self._database.reading() as session:
                meeting = (await meetings.access(session, room_id, nobody)).meeting
            lifecycle.require_open(meeting, may_start=False)
            room = self._rooms.get(room_id) or await self._recover(meeting)
            if alone:
                self._apply(room, WithdrawDevice(person.key))
            return self._come_in(room, person, person.name, None)

    async def withdraw_device(self, room_id: str, person_key: str) -> None:
        """A stream key was revoked: its device leaves, if it is here."""
        room = self._rooms.get(room_id)
        if room is not None:
            self._apply(room, WithdrawDevice(person_key))

    async def handle(self, room_id: str, command: Command) -> list[Event]:
        """One command of a peer; the listeners have the events before this returns. Problem when refused."""
        room = self._rooms.get(room_id)
        if room is None:
            if isinstance(command, ConnectionLost):
                return []
            raise Problem(Kind.CONFLICT, "meeting_ended", {"command": type(command).__name__})
        if isinstance(command, EndMeeting):
            if command.peer_id is not None:
                room.require_host(command.peer_id, "endMeeting")
            return await self._end(room, command)
        events = self._apply(room, command)
        await self._remember(room_id, events)
        return events

    def snapshot(self, room_id: str) -> RoomSnapshot | None:
        """The room now; None when it is not live."""
        room = self._rooms.get(room_id)
        return room.snapshot() if room is not None else None

    async def start_meeting(self, actor: Actor, meeting_id: str) -> MeetingView:
        """Start a scheduled meeting; starting a live one changes nothing. Problems as of `enter`."""
        async with self._turns.of(meeting_id):
            async with self._database.reading() as session:
                access = await meetings.access(session, meeting_id, actor)
            access.require(Action.HOST_MEETING)
            lifecycle.require_open(access.meeting, may_start=True)
            if access.meeting.state is MeetingState.SCHEDULED:
                access = await self._begin(actor, meeting_id)
            return access.view

    async def end_meeting(self, actor: Actor, meeting_id: str) -> MeetingView:
        """End it for everybody and write attendance to the cards; ending an ended one changes nothing."""
        async with self._database.reading() as session:
            access = await meetings.access(session, meeting_id, actor)
        access.require(Action.HOST_MEETING)
        if access.meeting.state is not MeetingState.ENDED:
            must_be(access.meeting.state, MeetingState.LIVE)
            room = self._rooms.get(meeting_id) or await self._recover(access.meeting)
            await self._end(room, EndMeeting())
        async with self._database.reading() as session:
            return (await meetings.access(session, meeting_id, actor)).view

    def statistics(self) -> RoomStatistics:
        """The numbers now."""
        rooms = self._rooms.values()
        return RoomStatistics(
            rooms=len(rooms),
            peers=sum(room.count(PeerState.ADMITTED) for room in rooms),
            waiting=sum(room.count(PeerState.LOBBY) for room in rooms),
            heartbeat_failures=self._heartbeat.failures,
        )

    async def advance(self) -> None:
        """Let the clock do its work once: grace periods, presence to the database, rooms that are abandoned."""
        now = self._clock()
        for room in list(self._rooms.values()):
            self._tell(room, room.tick(now))
            await self._end_overdue(room, now)
        beat = now >= self._next_heartbeat
        if beat:
            self._next_heartbeat = now + timedelta(seconds=self._settings.heartbeat)
        await self._heartbeat.save(self._rooms.values(), everything=beat)

    def on_consultation_event(self, event: ConsultationEvent) -> None:
        """A consultation that is over, or back in its queue, needs its room no longer."""
        if isinstance(event, TicketChanged) and event.state not in TALKING:
            room = self._rooms.get(event.consultation_id)
            if room is not None:
                self._over.add(room)
                task = asyncio.create_task(self._close(room))
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    async def _end_overdue(self, room: LiveRoom, now: datetime) -> None:
        """End a room that is over, abandoned or overdue; what the records cannot take, the next round tries again."""
        command = EndMeeting(None, EndReason.CLOSED) if room in self._over else room.overdue(now)
        if command is None:
            return
        try:
            await self._end(room, command)
        except Problem as problem:
            log.warning("room_not_ended", room_id=room.occasion.id, code=problem.code)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._settings.tick)
            try:
                await self.advance()
            except Exception:
                log.exception("rooms_clock_failed")

    async def _identify(self, visitor: Actor | str, room_id: str) -> door.Visitor:
        """Who comes."""
        if isinstance(visitor, Actor):
            return visitor
        async with self._database.reading() as session:
            return await door.bearer_of(session, self._tokens, visitor, room_id)

    async def _at_meeting(self, who: door.Visitor, room_id: str) -> door.AtMeeting | None:
        """What he is to the meeting, as the records have it now; None where the room is no meeting's."""
        access = await self._accesses.ask((room_id, door.asking(who)))
        return None if access is None else door.at_meeting(who, access)

    async def _read_accesses(
        self, asked: Collection[tuple[str, Actor]]
    ) -> Mapping[tuple[str, Actor], Access]:
        async with self._database.reading() as session:
            return await meetings.accesses(session, asked)

    async def _opened(self, found: door.AtMeeting) -> door.AtMeeting:
        """The same once the meeting is live: a host's coming starts it; Problem when it is not open to this visitor."""
        meeting = found.access.meeting
        lifecycle.require_open(meeting, may_start=found.person.role is Role.HOST)
        if meeting.state is MeetingState.LIVE:
            return found
        return door.AtMeeting(await self._begin(found.access.actor, meeting.id), found.person)

    async def _enter_consultation(
        self, who: door.Visitor, room_id: str, name: str | None, resume_token: str | None
    ) -> Entered:
        admission = await self._consultations.admit(who, room_id)
        room = self._rooms.get(room_id)
        if room is None:
            occasion = occasions.of_consultation(room_id, admission, self._clock())
            async with self._database.reading() as session:
                standings = await marks.standings(session, {room_id: False})
            room = self._open(occasion, standings[room_id], recovered=False)
        if room in self._over:
            raise Problem(Kind.RATE_LIMITED, "room_busy", {"retryAfter": 1})
        return self._come_in(room, admission.person, name, resume_token, consultation=admission.consultation)

    def _come_in(
        self,
        room: LiveRoom,
        person: Person,
        name: str | None,
        resume_token: str | None,
        *,
        meeting: MeetingView | None = None,
        consultation: ConsultationView | None = None,
    ) -> Entered:
        events = self._apply(room, Enter(person, name or clean_name(person.name), resume_token))
        came = next(event for event in events if isinstance(event, PeerJoined | PeerWaiting | PeerResumed))
        connection, token = room.credentials(came.peer_id)
        view = room.view(came.peer_id)
        return Entered(
            room_id=room.occasion.id,
            peer_id=came.peer_id,
            connection=connection,
            resume_token=token,
            resumed=isinstance(came, PeerResumed),
            state=view.state,
            role=view.role,
            meeting=meeting,
            consultation=consultation,
        )

    async def _begin(self, actor: Actor, meeting_id: str) -> Access:
        """Start a scheduled meeting; the caller has the room's turn and has asked the policy."""
        async with self._database.transaction() as session:
            access = await meetings.access(session, meeting_id, actor, lock=True)
            await lifecycle.begin(session, access.meeting, access.organization, self._clock())
        self._open(occasions.of_meeting(access.meeting), Standing(), recovered=False)
        log.info("meeting_started", meeting_id=meeting_id)
        return access

    async def _recover(self, meeting: Meeting) -> LiveRoom:
        """The room of a meeting that is live in the records and not here."""
        async with self._database.reading() as session:
            standings = await marks.standings(session, {meeting.id: meeting.locked})
        return self._rooms.get(meeting.id) or self._open(
            occasions.of_meeting(meeting), standings[meeting.id], recovered=True
        )

    def _open(self, occasion: Occasion, standing: Standing, *, recovered: bool) -> LiveRoom:
        room = LiveRoom(
            occasion,
            self._settings,
            self._clock(),
            new_id=new_id,
            new_secret=lambda: secrets.token_urlsafe(SECRET_BYTES),
            standing=standing,
        )
        self._rooms[occasion.id] = room
        self._tell(room, [MeetingStarted(occasion.started_at, occasion.record, recovered)])
        return room

    def _apply(self, room: LiveRoom, command: Command) -> list[Event]:
        events = room.handle(command, self._clock())
        self._tell(room, events)
        return events

    def _tell(self, room: LiveRoom, events: Sequence[Event]) -> None:
        """Everything that must follow an event at once, before anything else can happen in the room."""
        if not events:
            return
        self._heartbeat.changed(room)
        if room.occasion.kind is OccasionKind.CONSULTATION:
            here = {peer.role for peer in room.snapshot().peers}
            self._consultations.in_room(
                room.occasion.id, expert=Role.HOST in here, resident=Role.PARTICIPANT in here
            )
        self._listeners.tell(room.occasion.id, events)

    async def _remember(self, room_id: str, events: Sequence[Event]) -> None:
        """Write down what a restart must not undo. It is in force already, so a failure is only logged."""
        memorable = marks.memorable(events)
        if not memorable:
            return
        try:
            async with self._database.transaction() as session:
                for event in memorable:
                    await marks.remember(session, room_id, event, self._clock())
        except Problem as problem:
            log.warning("room_mark_not_saved", room_id=room_id, code=problem.code)

    async def _end(self, room: LiveRoom, command: EndMeeting) -> list[Event]:
        """End a room: first in the records, then for the people; ending twice is ending once."""
        room_id = room.occasion.id
        if room.occasion.kind is OccasionKind.CONSULTATION:
            await self._consultations.ended_in_room(room_id, command.reason)
        async with self._turns.of(room_id):
            if self._rooms.get(room_id) is not room:
                return []
            at = command.at or self._clock()
            await self._finish(room, at, command.reason)
            del self._rooms[room_id]
            self._over.discard(room)
            events = room.handle(EndMeeting(None, command.reason, at), self._clock())
            self._tell(room, events)
            self._heartbeat.forget(room_id)
            log.info("room_ended", room_id=room_id, reason=command.reason.value)
            return events

    async def _finish(self, room: LiveRoom, at: datetime, reason: EndReason) -> None:
        """The records' half of an end: one transaction for state, attendance and cards."""
        nobody = Actor(account_id=new_id(), name="")
        async with self._database.transaction() as session:
            await marks.forget(session, room.occasion.id)
            if room.occasion.kind is not OccasionKind.MEETING:
                return
            access = await meetings.access(session, room.occasion.id, nobody, lock=True)
            if access.meeting.state is MeetingState.LIVE:
                await self._heartbeat.save_room(session, room)
                await lifecycle.finish(session, access.meeting, access.organization, self._cards, at, reason)

    async def _close(self, room: LiveRoom) -> None:
        """End a room whose consultation needs it no longer; what fails, the clock tries again."""
        try:
            await self._end(room, EndMeeting(None, EndReason.CLOSED))
        except Exception:
            log.exception("room_not_closed", room_id=room.occasion.id)
