"""The player at a desk and on a phone: what is beside the film is used, keys work, what was watched is shown."""

import asyncio
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.async_api import FilePayload, Page, Route, ViewportSize, expect
from sqlalchemy import select

from database import Database, new_id, utc_now
from members.accounts import Account
from members.policy import Audience
from recordings.folders import Folders
from recordings.models import Recording
from recordings.renditions import Chapter, Outputs, PreviewStrip, Rendition, chapters_out, renditions_out
from recordings.states import RecordingState
from rooms.meetings.states import MeetingKind
from tests.browser.conftest import Arrive
from tests.browser.person import DESKTOP, PHONE, Person, until
from tests.browser.server import Login, RunningServer

SECONDS = 30
STRIP = PreviewStrip(interval_seconds=5.0, columns=3, count=6, width=160, height=90)
CAPTIONS = {"label": "中文", "text": "WEBVTT\n\n00:00.000 --> 00:20.000\n同志们好"}


def write_film(folder: Path) -> None:
    """Thirty seconds of a bar that moves, and the picture of its preview."""
    folder.mkdir(parents=True)
    with av.open(str(folder / "meeting.mp4"), "w", options={"movflags": "faststart"}) as film:
        video = film.add_stream("libx264", rate=5)
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for at in range(SECONDS * 5):
            picture = np.full((180, 320, 3), 60, np.uint8)
            picture[:, at * 2 : at * 2 + 20] = 250
            film.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(video.encode())
    with av.open(str(folder / "preview.jpg"), "w", format="mjpeg") as strip:
        pictures = strip.add_stream("mjpeg", rate=1)
        pictures.width, pictures.height, pictures.pix_fmt = 480, 180, "yuvj420p"
        grey = np.full((180, 480, 3), 128, np.uint8)
        strip.mux(pictures.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        strip.mux(pictures.encode())


async def put_recording(server: RunningServer, login: Login) -> str:
    """A lecture of that person's branch, made elsewhere."""
    database = Database(f"sqlite:///{server.data}/huitang.sqlite3")
    sizes = {Rendition.FILM: 1, Rendition.PREVIEW: 1}
    async with database.transaction() as session:
        account = (await session.scalars(select(Account).where(Account.username == login.username))).one()
        row = Recording(
            id=new_id(), meeting_id=None, organization_id=login.organization_id, kind=MeetingKind.LECTURE,
            title="专题党课", uploader_account_id=account.id, audience=Audience.ORGANIZATION,
            state=RecordingState.READY, state_since=utc_now(), progress=1.0, segments=0, version=1,
            started_at=utc_now(), ended_at=utc_now(), duration_seconds=float(SECONDS), size_bytes=1,
            renditions=renditions_out(Outputs(sizes, (), STRIP)),
            chapters=chapters_out([Chapter(0.0, "领学"), Chapter(12.0, "讨论")]),
        )  # fmt: skip
        session.add(row)
    await database.dispose()
    await asyncio.to_thread(write_film, Folders(server.data / "recordings").of(row.id))
    return row.id


async def position(page: Page) -> float:
    return float(await page.get_by_test_id("player").evaluate("video => video.currentTime"))


async def watch(person: Person, recording: str, seconds: float) -> None:
    """Play until so much is counted."""
    await person.page.goto(f"{person.server.url}/recordings/{recording}")
    await person.page.get_by_test_id("player").evaluate("video => { video.muted = true }")
    await person.page.get_by_test_id("play").click()

    async def enough() -> bool:
        share = await person.page.get_by_test_id("coverage").get_attribute("data-share")
        return float(share or 0) * SECONDS >= seconds

    await until(enough, lambda: f"{seconds} seconds were counted")
    await person.page.get_by_test_id("play").click()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_a_lecture_is_watched(arrive: Arrive, server: RunningServer, size: ViewportSize) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    secretary = await arrive("liuxi")
    put = await secretary.page.request.put(
        f"{server.url}/api/recordings/{recording}/captions/zh-CN",
        data=CAPTIONS,
        headers={"Origin": server.url},
    )
    assert put.ok
    person = await arrive("xiaohe", size)
    page = person.page
    await watch(person, recording, 5)
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]

    await page.get_by_test_id("chapters").get_by_text("讨论").click()
    assert await position(page) == pytest.approx(12, abs=0.3)
    await page.get_by_test_id("captions").select_option("zh-CN")
    showing = "video => [...video.textTracks].some(track => track.mode === 'showing' && track.cues?.length)"

    async def captioned() -> bool:
        return bool(await page.get_by_test_id("player").evaluate(showing))

    await until(captioned, lambda: "the captions are there")
    await page.get_by_test_id("player").focus()
    await page.keyboard.press("5")
    assert await position(page) == pytest.approx(15, abs=0.3)
    await page.keyboard.press("ArrowLeft")
    assert await position(page) == pytest.approx(5, abs=0.3)
    await page.keyboard.press(">")
    await expect(page.get_by_test_id("speed")).to_have_value("1.25")
    await page.keyboard.press("?")
    await expect(page.get_by_test_id("key-help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_test_id("seek").hover()
    await expect(page.get_by_test_id("preview")).to_be_visible()

    again = await arrive("xiaohe", size)  # another device: what counts is known there too
    await again.page.goto(f"{server.url}/recordings/{recording}")
    share = float(await again.page.get_by_test_id("coverage").get_attribute("data-share") or 0)
    assert 5 / SECONDS <= share < 0.9


async def test_captions_that_were_just_uploaded_can_be_chosen(arrive: Arrive, server: RunningServer) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    secretary = await arrive("liuxi")
    page = secretary.page
    await page.goto(f"{server.url}/recordings/{recording}")
    upload = page.get_by_test_id("captions-file")
    backwards = b"WEBVTT\n\n00:09.000 --> 00:02.000\nno"
    await upload.set_input_files(FilePayload(name="a.vtt", mimeType="text/vtt", buffer=backwards))
    await expect(page.get_by_test_id("manage").get_by_role("alert")).to_contain_text("第 3 行的时间有误")
    text = str(CAPTIONS["text"]).encode("gb18030")
    await upload.set_input_files(FilePayload(name="a.vtt", mimeType="text/vtt", buffer=text))
    await page.get_by_test_id("captions").select_option("zh-CN")
    texts = "video => [...video.textTracks].flatMap(({ cues }) => [...(cues ?? [])].map(({ text }) => text))"

    async def readable() -> bool:
        found: list[str] = await page.get_by_test_id("player").evaluate(texts)
        return found == ["同志们好"]

    await until(readable, lambda: "the captions are read as they were written")


async def test_a_recording_that_is_deleted_while_somebody_watches_says_so(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    secretary, person = await arrive("liuxi"), await arrive("xiaohe", PHONE)
    await watch(person, recording, 1)
    reported = asyncio.Event()

    async def later(route: Route) -> None:
        await reported.wait()
        await route.continue_()

    await person.page.route("**/viewing", later)  # the next report is due at whatever moment
    gone = await secretary.page.request.post(
        f"{server.url}/api/recordings/{recording}/delete",
        data={"reason": "误录"},
        headers={"Origin": server.url},
    )
    assert gone.ok
    before = await position(person.page)
    await person.page.get_by_test_id("play").click()

    async def goes_on() -> bool:
        return await position(person.page) > before + 0.5

    await until(goes_on, lambda: "it goes on with what the browser holds")
    reported.set()
    await person.page.get_by_test_id("play").click()  # what was watched is told, and refused
    await expect(person.page.get_by_test_id("deletion")).to_contain_text(f"{secretary.login.name}于 今天")
    await expect(person.page.get_by_test_id("player")).to_have_count(0)
    await person.page.get_by_role("link", name="回到会议回看").click()
    await expect(person.page.get_by_test_id("search")).to_be_visible()
