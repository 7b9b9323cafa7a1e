"""A server that is killed in the middle of a recorded meeting: what that costs, and what goes on when it runs again."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, DummyCookieJar

from tests.browser.film import SOUND_HERTZ, sound, tone_strengths
from tests.demo import Demo
from tests.patience import PATIENCE_SECONDS
from tests.server.caller import Caller
from tests.server.conftest import Process, Program
from tests.signaling.participant import Participant, frames, participant

pytestmark = pytest.mark.slow

TITLE = "断电的主题党日"
TONES = {"liuxi": 440, "xiulan": 700}
HEARTBEAT_SECONDS = 15  # what a kill may cost anybody's attendance
CAPTURE_SECONDS = 1  # what it may cost the recording
INTERRUPTION_SECONDS = 3  # what the film shows of the time between
AFTER_SECONDS = 3  # how long the meeting goes on
FRAMES_A_SECOND = 50
GLANCE_SECONDS = 0.1


@dataclass(slots=True)
class Present:
    """Somebody in the meeting; `earliest` and `latest` are seconds that can have been measured of it."""

    caller: Caller
    device: Participant
    hertz: int
    earliest: float = 0.0
    latest: float = 0.0
    _came: list[datetime] = field(default_factory=list)

    async def join(self, meeting: str, **more: str) -> dict[str, Any]:
        """Be in the meeting from now on."""
        before = datetime.now(UTC)
        answer = await self.device.join(meeting, **more)
        self._came = [before, datetime.now(UTC)]
        assert answer["state"] == "admitted"
        return answer

    def went(self, at: datetime) -> None:
        """Out of it since `at`."""
        self.earliest += (at - self._came[1]).total_seconds()
        self.latest += (at - self._came[0]).total_seconds()

    async def come_back(self, meeting: str) -> None:
        """What a page does by itself: all anew, with the token that it still has."""
        await self.device.disconnected()
        await self.device.drop_media()
        await self.device.reconnect(headers=self.caller.headers)
        before = self.device.answer
        answer = await self.join(meeting, resumeToken=before["resumeToken"])
        assert (answer["resumed"], answer["role"]) == (False, before["role"])


@dataclass(frozen=True, slots=True)
class Interval:
    """One measured presence, as it stands in the database."""

    seen: datetime
    closed: bool


@dataclass(frozen=True, slots=True)
class Film:
    """A film's file and when something is heard in it."""

    path: Path
    heard: list[tuple[float, float]]


async def test_a_killed_server_costs_seconds_and_the_meeting_goes_on(
    program: Program, demo: Demo, tmp_path: Path
) -> None:
    demo.copy(program.data)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        async with program.serve() as server:
            people = [
                await stack.enter_async_context(arrived(http, await server.url(), demo.login(name), hertz))
                for name, hertz in TONES.items()
            ]
            host, member = people
            meeting = await schedule(host.caller)
            for person in people:
                await person.join(meeting)
            await host.device.publish("camera")
            await talk(people, seconds=1)
            talking_since = datetime.now(UTC)
            noted = await next_heartbeat(program.data, meeting, people)
            killed = datetime.now(UTC)
            assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
            for person in people:
                person.went(killed)

        async with program.serve(**same_ports(server)) as server:
            await server.url()
            assert (await server.event("rooms_started"))["recovered"] == 1
            assert (await host.caller.get(f"/meetings/{meeting}"))["state"] == "live"
            left = intervals(program.data, meeting)
            assert all(found.closed for one in left.values() for found in one)
            assert {key: one[-1].seen for key, one in left.items()} == noted
            for person in (member, host):  # nobody needs the host to come back first
                await person.come_back(meeting)
            await talk(people, seconds=AFTER_SECONDS)
            await host.device.call("endMeeting")
            ended = datetime.now(UTC)
            for person in people:
                person.went(ended)
                await person.device.heard("meetingEnded")

            lost = max((killed - seen).total_seconds() for seen in noted.values())
            await attended_but_for(lost, people, meeting)
            film = await the_film(server, host.caller, meeting, tmp_path)
            assert await server.stop() == 0

    before_the_kill, after_it = film.heard
    assert length(before_the_kill) > (killed - talking_since).total_seconds() - CAPTURE_SECONDS - 0.5
    assert length(after_it) > AFTER_SECONDS - 0.5
    away = after_it[0] - before_the_kill[1]
    assert away == pytest.approx(INTERRUPTION_SECONDS, abs=1.5)
    for begin, _ in film.heard:
        strengths = tone_strengths(film.path, begin + 1, 2, TONES)
        assert all(strength > 30 for strength in strengths.values()), (begin, strengths)
    verified = await program.run("verify-cards")
    assert (verified.code, verified.out.endswith(" 0 broken\n")) == (0, True), verified.out


@asynccontextmanager
async def arrived(
    http: ClientSession, url: str, login: Mapping[str, str], hertz: int
) -> AsyncIterator[Present]:
    """Signed in and connected."""
    caller = await Caller.sign_in(http, url, login)
    async with participant(url, headers=caller.headers) as device:
        yield Present(caller, device, hertz)


async def schedule(secretary: Caller) -> str:
    """A recorded meeting that may begin now; answers its id."""
    now = datetime.now(UTC)
    body = {
        "organizationId": secretary.organization_id,
        "kind": "theme_day",
        "title": TITLE,
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "record": True,
    }
    return str((await secretary.post("/meetings", body))["id"])


async def talk(people: Sequence[Present], *, seconds: int) -> None:
    """Everybody's tone is heard by everybody else for so long."""
    spoken = [(person, await person.device.publish("microphone", hertz=person.hertz)) for person in people]
    heard = [
        await listener.device.consume(producer.id)
        for speaker, producer in spoken
        for listener in people
        if listener is not speaker
    ]
    await asyncio.gather(*(frames(consumer, seconds * FRAMES_A_SECOND) for consumer in heard))


async def next_heartbeat(data: Path, meeting: str, people: Sequence[Present]) -> dict[str, datetime]:
    """Wait for presence to be written though nobody comes or goes; answers until when everybody was seen."""
    after = datetime.now(UTC) + timedelta(seconds=2)  # what coming itself caused is written within a second
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = {key: one[-1].seen for key, one in intervals(data, meeting).items()}
            if len(found) == len(people) and min(found.values()) >= after:
                return found
            await asyncio.sleep(GLANCE_SECONDS)  # another process's database tells of no change


def intervals(data: Path, meeting: str) -> dict[str, list[Interval]]:
    """The measured presences by person, oldest first."""
    query = (
        "SELECT person_key, last_seen_at, closed FROM presence_intervals WHERE meeting_id = ?"
        " ORDER BY opened_at"
    )
    found: dict[str, list[Interval]] = {}
    with closing(sqlite3.connect(f"file:{data / 'huitang.sqlite3'}?mode=ro", uri=True)) as database:
        for key, seen, closed in database.execute(query, (meeting,)):
            interval = Interval(datetime.fromisoformat(seen).replace(tzinfo=UTC), bool(closed))
            found.setdefault(key, []).append(interval)
    return found


def same_ports(server: Process) -> dict[str, str]:
    """The settings with which the next server is found where this one was."""
    started = next(event for event in server.events if event["event"] == "started")
    return {
        "HUITANG_HTTP__PORT": str(started["http_port"]),
        "HUITANG_MEDIA__PORT": str(started["media_port"]),
    }


async def attended_but_for(lost: float, people: Sequence[Present], meeting: str) -> None:
    """Each has one row and one entry of the card, which hold all but `lost` seconds of the time in the meeting."""
    assert lost < HEARTBEAT_SECONDS
    sheet = await people[0].caller.get(f"/meetings/{meeting}/attendance")
    assert sheet["final"]
    for person in people:
        (row,) = [row for row in sheet["items"] if row["memberId"] == person.caller.member_id]
        assert person.earliest - lost - 1 < row["secondsPresent"] < person.latest + 1
        card = await person.caller.get("/members/me/card")
        (entry,) = [entry for entry in card["items"] if entry["title"] == TITLE]
        assert entry["kind"] == "meeting_attended"
        assert entry["durationSeconds"] == pytest.approx(row["secondsPresent"], abs=1)
    others = len(sheet["items"]) - len(people)
    assert sheet["summary"]["absent"] == others > 0


async def the_film(server: Process, caller: Caller, meeting: str, folder: Path) -> Film:
    """Wait until the recording is composed, and fetch it."""
    await server.event("composition_finished")
    (recording,) = (await caller.get("/recordings", meetingId=meeting))["items"]
    assert recording["state"] in {"ready", "damaged"}
    film = folder / "film.mp4"
    film.write_bytes(await caller.download(f"/recordings/{recording['id']}/media"))
    return Film(film, heard_parts(film))


def heard_parts(film: Path) -> list[tuple[float, float]]:
    """The parts in which there is sound, in seconds; silence of less than a second parts nothing."""
    samples, step = sound(film), SOUND_HERTZ // 10
    loud = [
        index / 10
        for index in range(len(samples) // step)
        if np.abs(samples[index * step : (index + 1) * step]).max() > 0.1
    ]
    ends = [after - before > 1 for before, after in pairwise(loud)]
    first = [loud[0], *(after for after, end in zip(loud[1:], ends, strict=True) if end)]
    last = [*(before for before, end in zip(loud, ends, strict=False) if end), loud[-1]]
    return list(zip(first, last, strict=True))


def length(part: tuple[float, float]) -> float:
    """In seconds."""
    return part[1] - part[0]
