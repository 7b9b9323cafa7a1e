"""The halls of this process, and which connection is in which session."""

import asyncio
from typing import Final

import structlog

from errors import Kind, Problem
from media import MediaEngine
from recordings.center import RecordingCenter
from recordings.events import RecordingStatus
from recordings.states import RecordingState
from rooms.live.views import Occasion
from signaling.background import Background
from signaling.rooms.capture import Capture
from signaling.rooms.hall import Hall, Post
from signaling.rooms.media_news import MediaNews
from signaling.rooms.session import Session
from signaling.wire import wire

# What refused, records or disk, has had time to come back; a server that stops waits for so long.
_AGAIN_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


class Halls:
    """A hall is made when the first participant comes and closed when the room ends."""

    def __init__(
        self, engine: MediaEngine, recordings: RecordingCenter, background: Background, post: Post
    ) -> None:
        self._engine = engine
        self._recordings = recordings
        self._background = background
        self._post = post
        self._halls: dict[str, Hall] = {}
        self._captures: dict[str, Capture] = {}
        self._recording: dict[str, RecordingStatus] = {}
        self._by_sid: dict[str, Session] = {}
        self._noting = asyncio.Lock()

    def get(self, room_id: str) -> Hall | None:
        """The hall of a room to which somebody came."""
        return self._halls.get(room_id)

    def all(self) -> list[Hall]:
        """Every hall there is now."""
        return list(self._halls.values())

    def open(self, occasion: Occasion) -> Hall:
        """The hall of a room, made if it is not there; a recorded meeting's recorder opens beside."""
        hall = self._halls.get(occasion.id)
        if hall is not None:
            return hall
        news = MediaNews()
        router = self._engine.create_router(news)
        capture = Capture(router)
        hall = news.hall = Hall(occasion.id, router, capture, self._post)
        self._halls[occasion.id] = hall
        self._captures[occasion.id] = capture
        if occasion.record:
            self._background.start(self._open_recorder(occasion.id), "open_recorder")
        return hall

    def close(self, room_id: str) -> None:
        """The room has ended: close its media, then finish its recording."""
        hall = self._halls.pop(room_id, None)
        self._captures.pop(room_id, None)
        self._recording.pop(room_id, None)
        if hall is not None:
            for session in list(hall.sessions.values()):
                self.unseat(session)
            hall.close()
        # Also of a room that nobody came to since the server was started: its recording began before.
        self._background.start(self._finish_recording(room_id, hall), "finish_recording")

    def close_all(self) -> None:
        """The server stops: close all media; the meetings stay live, so their recordings are not finished."""
        for hall in self._halls.values():
            hall.close()
        self._halls.clear()
        self._captures.clear()
        self._recording.clear()
        self._by_sid.clear()

    # Connections

    def session(self, sid: str) -> Session | None:
        """The session that a connection has joined."""
        return self._by_sid.get(sid)

    def inside(self, sid: str) -> tuple[Hall, Session]:
        """The hall and session of a connection that was admitted; Problem not_joined, not_admitted."""
        session = self._by_sid.get(sid)
        hall = self._halls.get(session.room_id) if session is not None else None
        if session is None or hall is None:
            raise Problem(Kind.CONFLICT, "not_joined")
        session.confirmed = True
        if not session.admitted:
            raise Problem(Kind.CONFLICT, "not_admitted")
        return hall, session

    def seat(self, session: Session, sid: str, connection: int) -> None:
        """Bind a connection to a session."""
        session.sid, session.connection = sid, connection
        session.told_condition = session.told_room = None  # what was told meanwhile went nowhere
        self._by_sid[sid] = session

    def unseat(self, session: Session) -> str | None:
        """Part a session from its connection; answers which it was."""
        sid, session.sid = session.sid, None
        if sid is not None:
            self._by_sid.pop(sid, None)
        return sid

    # Recording

    def recording(self, room_id: str) -> RecordingStatus | None:
        """Where the room's recording stands; None where there is none (yet)."""
        return self._recording.get(room_id)

    def on_recording_event(self, meeting_id: str, status: RecordingStatus) -> None:
        """Tell everybody in the room, and note it for those who come later."""
        hall, capture = self._halls.get(meeting_id), self._captures.get(meeting_id)
        if hall is not None:
            self._recording[meeting_id] = status
            hall.tell_everybody("recordingState", wire(status))
        if capture is not None and capture.recorder is not None and status.state is RecordingState.CAPTURING:
            # The disk takes files again: another recorder goes on, which wants taps of its own.
            self._background.start(self._open_recorder(meeting_id), "open_recorder")

    async def wish(self, hall: Hall, session: Session, *, hidden: bool) -> None:
        """The person is to be in the picture of the recording, or not: at once, and when this returns for good."""
        if hall.wish(session.person_key, hidden=hidden):
            await self._note_wish(hall, session.person_key)

    def wish_soon(self, hall: Hall, session: Session, *, hidden: bool) -> None:
        """The same at once, and for good a little later."""
        if hall.wish(session.person_key, hidden=hidden):
            self._background.start(self._note_wish(hall, session.person_key), "note_wish")

    async def _note_wish(self, hall: Hall, person_key: str) -> None:
        """One at a time, and always the last word: two wishes of one person cannot come into the records askew.

        What the records refuse is noted when it is said again, and at the end of the meeting.
        """
        async with self._noting:
            hidden = hall.hides(person_key)
            await self._recordings.wishes.note(hall.room_id, person_key, hidden=hidden)
            if hall.hides(person_key) is hidden:
                hall.unnoted.discard(person_key)

    async def _open_recorder(self, room_id: str) -> None:
        """Tried again for as long as the room is there: without it nothing of the meeting is recorded."""
        told = False
        while room_id in self._halls:
            try:
                await self._begin_capture(room_id)
            except Exception:  # whatever it is, the next attempt may do without it
                if not told:
                    log.exception("recorder_not_opened", room_id=room_id)
                told = True
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return

    async def _begin_capture(self, room_id: str) -> None:
        await self._recall_wishes(room_id)
        recorder = await self._recordings.open(room_id)
        hall, capture = self._halls.get(room_id), self._captures.get(room_id)
        if recorder is None or hall is None or capture is None:
            return
        capture.begin(recorder)
        for publication in hall.publications.values():
            owner = hall.session(publication.peer_id)
            if owner is not None:
                hall.let_hear(owner, publication)

    async def _recall_wishes(self, room_id: str) -> None:
        """Before the first packet is captured."""
        hidden = await self._recordings.wishes.hidden(room_id)
        hall = self._halls.get(room_id)
        if hall is not None:
            for person_key in hall.recall(hidden):
                await self._note_wish(hall, person_key)

    async def _finish_recording(self, room_id: str, hall: Hall | None) -> None:
        if hall is not None:
            await self._note_what_was_refused(hall)
        await self._recordings.finish(room_id)

    async def _note_what_was_refused(self, hall: Hall) -> None:
        try:
            for person_key in tuple(hall.unnoted):
                await self._note_wish(hall, person_key)
        except Problem as problem:  # it stands beside the captured files too
            log.warning("wishes_not_noted", room_id=hall.room_id, code=problem.code)

    # Figures

    def count(self) -> dict[str, int]:
        """Sessions by state."""
        sessions = [session for hall in self._halls.values() for session in hall.sessions.values()]
        return {
            "admitted": sum(1 for s in sessions if s.admitted and s.sid is not None),
            "devices": sum(1 for s in sessions if s.device),
            "waiting": sum(1 for s in sessions if not s.admitted),
            "reconnecting": sum(1 for s in sessions if s.admitted and s.sid is None and not s.device),
        }
