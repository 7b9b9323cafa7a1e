"""A server that is killed in the middle of a recorded meeting: what that costs, and what goes on when it runs again."""

import asyncio
import base64
import io
import signal
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import ClientSession, DummyCookieJar
from numpy.typing import NDArray
from PIL import Image
from pymediasoup.producer import Producer

from recordings.compose.fonts import find_font
from recordings.compose.layout import HEIGHT, WIDTH
from recordings.compose.lettering import Lettering
from tests.browser.conftest import FLAGS
from tests.browser.film import SOUND_HERTZ, sound
from tests.chromium import launched
from tests.demo import Demo
from tests.patience import PATIENCE_SECONDS
from tests.server.caller import Caller
from tests.server.conftest import Process, Program
from tests.server.numbered import PICTURES_A_SECOND, NumberedPicture, number_in
from tests.signaling.participant import Participant, Tone, frames, participant

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TITLE = "断电的主题党日"
TONES = {"liuxi": 440, "xiulan": 700}
HEARTBEAT_SECONDS = 15  # what a kill may cost anybody's attendance
CAPTURE_SECONDS = 1.0  # what it may cost the recording
CARD_SECONDS = 3  # what the film shows of the time between
CARD_LETTERS, CARD_PAPER = 36, 28
AFTER_SECONDS = 3  # how long the meeting goes on
AFTER = 8_192  # the first number of the pictures that are published then
FRAMES_A_SECOND = 50
GLANCE_SECONDS = 0.1
STEP_SECONDS = 0.1  # in which sound is looked for
AUDIBLE = 0.02
# The picture that the player shows next, whole.
NEXT_PICTURE = """(video) => new Promise((resolve) => video.requestVideoFrameCallback((_, { mediaTime }) => {
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d').drawImage(video, 0, 0)
  resolve([mediaTime, canvas.toDataURL().split(',')[1]])
}))"""


@dataclass(slots=True)
class Present:
    """Somebody in the meeting; `earliest` and `latest` are seconds that can have been measured of it."""

    caller: Caller
    device: Participant
    hertz: int
    tone: Tone = field(init=False)
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

    def went(self, after: datetime, before: datetime) -> None:
        """Out of it since some moment between these."""
        self.earliest += (after - self._came[1]).total_seconds()
        self.latest += (before - self._came[0]).total_seconds()

    async def come_back(self, meeting: str) -> None:
        """What a page does by itself: all anew, with the token that it still has."""
        await self.device.disconnected()
        await self.device.drop_media()
        await self.device.reconnect(headers=self.caller.headers)
        before = self.device.answer
        answer = await self.join(meeting, resumeToken=before["resumeToken"])
        assert (answer["resumed"], answer["role"]) == (False, before["role"])

    async def speak(self) -> Producer:
        """Publish a tone."""
        self.tone = Tone(self.hertz)
        return await self.device.publish("microphone", track=self.tone)


@dataclass(frozen=True, slots=True)
class Interval:
    """One measured presence, as it stands in the database."""

    seen: datetime
    closed: bool


@dataclass(frozen=True, slots=True)
class Published:
    """What had been given to the network when something ended: the number of the last picture, seconds of each tone."""

    picture: int
    tones: dict[int, float]

    @classmethod
    def by(cls, camera: NumberedPicture, people: Sequence[Present]) -> "Published":
        """As of now."""
        return cls(camera.next - 1, {person.hertz: person.tone.seconds for person in people})


@dataclass(frozen=True, slots=True)
class Film:
    """A film as it is seen and heard."""

    recording: str
    pictures: list[tuple[float, int | None]]  # when which number is to be seen, and when none
    sound: NDArray[np.float32]
    away: str  # the title of the chapter in which the server was away
    card: NDArray[np.uint8]  # a frame in the middle of it

    def numbers(self, begin: int) -> list[int]:
        """Of the camera that began with this number."""
        found = [number for _, number in self.pictures if number is not None]
        return [number for number in found if begin <= number < begin + AFTER]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """As an operator starts it."""
    return Program(tmp_path / "data")


async def test_a_killed_server_costs_seconds_and_the_meeting_goes_on(program: Program, demo: Demo) -> None:
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
            camera = NumberedPicture()
            await host.device.publish("camera", track=camera)
            await talk(people, seconds=1)
            noted = await next_heartbeat(program.data, meeting, people)
            killed = datetime.now(UTC)
            before = Published.by(camera, people)
            assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
            for person in people:
                person.went(killed, killed)

        async with program.serve(**same_ports(server)) as server:
            await server.url()
            assert (await server.event("rooms_started"))["recovered"] == 1
            assert (await host.caller.get(f"/meetings/{meeting}"))["state"] == "live"
            left = intervals(program.data, meeting)
            assert all(found.closed for one in left.values() for found in one)
            assert {key: one[-1].seen for key, one in left.items()} == noted
            for person in (member, host):  # nobody needs the host to come back first
                await person.come_back(meeting)
            camera = NumberedPicture(AFTER)
            await host.device.publish("camera", track=camera)
            await talk(people, seconds=AFTER_SECONDS)
            after = Published.by(camera, people)
            ending = datetime.now(UTC)
            await host.device.call("endMeeting")
            ended = datetime.now(UTC)
            for person in people:
                person.went(ending, ended)
                await person.device.heard("meetingEnded")

            lost = max((killed - seen).total_seconds() for seen in noted.values())
            await attended_but_for(lost, people, meeting)
            film = await the_film(server, host.caller, meeting, program.data)
            holds_all_but_a_second(film, before, after)
            await plays(host.caller, film)
            assert await server.stop() == 0

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
    spoken = [(person, await person.speak()) for person in people]
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


async def the_film(server: Process, caller: Caller, meeting: str, data: Path) -> Film:
    """Wait until the recording is composed, fetch it and look at all of it."""
    await server.event("composition_finished")
    (recording,) = (await caller.get("/recordings", meetingId=meeting))["items"]
    assert (recording["state"], recording["failure"]) == ("ready", None), recording
    film = data.with_name("film.mp4")
    film.write_bytes(await caller.download(f"/recordings/{recording['id']}/media"))
    pictures: list[tuple[float, int | None]] = []
    (away,) = [one for one in recording["chapters"] if one["title"].startswith("录制中断")]
    card: NDArray[np.uint8] | None = None
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            luma = np.asarray(frame.to_ndarray()[:HEIGHT], np.uint8)
            assert frame.time is not None
            pictures.append((frame.time, number_in(luma)))
            if frame.time <= away["startSeconds"] + CARD_SECONDS / 2:
                card = luma
    assert card is not None
    return Film(recording["id"], pictures, sound(film), away["title"], card)


def holds_all_but_a_second(film: Film, before: Published, after: Published) -> None:
    """What was published till the kill, and what was published when all were back; beginning and end count together."""
    for begin, published in ((0, before), (AFTER, after)):
        shown = film.numbers(begin)
        missing = shown[0] - begin + published.picture - shown[-1]
        assert missing <= CAPTURE_SECONDS * PICTURES_A_SECOND, (begin, missing)
    for hertz in TONES.values():
        heard = heard_parts(film.sound, hertz)
        for part, published in zip(heard, (before, after), strict=True):
            assert published.tones[hertz] - length(part) <= CAPTURE_SECONDS, (hertz, part)
    words = Lettering(find_font()).draw(film.away, WIDTH, HEIGHT, CARD_LETTERS, CARD_PAPER)
    assert np.abs(film.card.astype(np.int16) - words).mean() < 2, film.away


async def plays(caller: Caller, film: Film) -> None:
    """Chromium goes to where the server was away, and plays on into the pictures that were published afterwards."""
    async with launched(*FLAGS) as browser:
        context = await browser.new_context(locale="zh-CN")
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        name, value = caller.cookie.split("=", 1)
        await context.add_cookies([{"name": name, "value": value, "url": caller.url}])
        page = await context.new_page()
        await page.goto(f"{caller.url}/recordings/{film.recording}")
        await page.get_by_test_id("player").evaluate("video => { video.muted = true }")
        await page.get_by_test_id("chapters").get_by_text(film.away).click()
        await page.get_by_test_id("play").click()
        number, at = 0, 0.0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while number < AFTER:  # first a last picture of before, maybe, and the card
                at, picture = await page.get_by_test_id("player").evaluate(NEXT_PICTURE)
                shown = Image.open(io.BytesIO(base64.b64decode(picture))).convert("L")
                number = number_in(np.asarray(shown)) or 0
    assert number in {one for second, one in film.pictures if abs(second - at) < GLANCE_SECONDS}


def heard_parts(samples: NDArray[np.float32], hertz: int) -> list[tuple[float, float]]:
    """Where this tone is heard, in seconds; silence of less than a second parts nothing."""
    step = round(STEP_SECONDS * SOUND_HERTZ)
    pieces = samples[: len(samples) // step * step].reshape(-1, step)
    strengths = np.abs(pieces @ np.exp(-2j * np.pi * hertz / SOUND_HERTZ * np.arange(step))) * 2 / step
    loud = np.flatnonzero(strengths > AUDIBLE) * STEP_SECONDS
    ends = np.flatnonzero(np.diff(loud) > 1)
    first, last = [0, *(ends + 1)], [*ends, len(loud) - 1]
    return [(loud[begin], loud[end] + STEP_SECONDS) for begin, end in zip(first, last, strict=True)]


def length(part: tuple[float, float]) -> float:
    """In seconds."""
    return part[1] - part[0]
