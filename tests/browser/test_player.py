"""The player at a desk and on a phone: what is beside the film is used, keys work, what was watched is shown."""

import asyncio
import io
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from PIL import Image
from playwright.async_api import FilePayload, Page, Route, ViewportSize, expect
from sqlalchemy import select

from database import Database, new_id, utc_now
from members.accounts import Account
from members.policy import Audience
from recordings.compose.stills import make_preview
from recordings.folders import Folders
from recordings.models import Recording
from recordings.renditions import Chapter, Outputs, PreviewStrip, Rendition, chapters_out, renditions_out
from recordings.states import RecordingState
from rooms.meetings.states import MeetingKind
from tests.browser.conftest import Arrive
from tests.browser.person import DESKTOP, PHONE, Person, until
from tests.browser.server import Login, RunningServer

SECONDS = 40
RATE = 5
KEY_FRAME_SECONDS = 2
RED, BLUE = (200, 40, 40), (40, 40, 200)  # before the middle of the film, and after it
CAPTIONS = {"label": "中文", "text": "WEBVTT\n\n00:00.000 --> 00:20.000\n同志们好"}
HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}"""


@cache
def made_film() -> tuple[PreviewStrip, dict[str, bytes]]:
    """A bar that moves before two walls, one after the other, and the pictures of its preview; files by name."""
    with TemporaryDirectory() as folder:
        strip = write_film(Path(folder))
        return strip, {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def write_film(folder: Path) -> PreviewStrip:
    film = folder / "meeting.mp4"
    write_pictures(film, SECONDS)
    return make_preview(film, SECONDS, folder / "preview.jpg")


def write_pictures(film: Path, seconds: int) -> None:
    with av.open(str(film), "w", format="mp4", options={"movflags": "faststart"}) as out:
        video = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        video.gop_size = KEY_FRAME_SECONDS * RATE
        for at in range(seconds * RATE):
            picture = np.full((180, 320, 3), RED if at < seconds * RATE / 2 else BLUE, np.uint8)
            picture[:, at : at + 20] = 250
            out.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(video.encode())


def put_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write them all, by their paths in the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


async def put_recording(server: RunningServer, login: Login) -> str:
    """A lecture of that person's branch, made elsewhere."""
    recording = new_id()
    strip, files = await asyncio.to_thread(made_film)
    folder = Folders(server.data / "recordings").of(recording)
    await asyncio.to_thread(put_files, folder, files)
    database = Database(f"sqlite:///{server.data}/huitang.sqlite3")
    sizes = {Rendition.FILM: 1, Rendition.PREVIEW: 1}
    async with database.transaction() as session:
        account = (await session.scalars(select(Account).where(Account.username == login.username))).one()
        row = Recording(
            id=recording, meeting_id=None, organization_id=login.organization_id, kind=MeetingKind.LECTURE,
            title="专题党课", uploader_account_id=account.id, audience=Audience.ORGANIZATION,
            state=RecordingState.READY, state_since=utc_now(), progress=1.0, segments=0, version=1,
            started_at=utc_now(), ended_at=utc_now(), duration_seconds=float(SECONDS), size_bytes=1,
            renditions=renditions_out(Outputs(sizes, (), strip)),
            chapters=chapters_out([Chapter(0.0, "领学"), Chapter(12.0, "讨论")]),
        )  # fmt: skip
        session.add(row)
    await database.dispose()
    return recording


async def position(page: Page) -> float:
    return float(await page.get_by_test_id("player").evaluate("video => video.currentTime"))


async def counted(page: Page) -> float:
    """Seconds, as the page was told."""
    return float(await page.get_by_test_id("coverage").get_attribute("data-share") or 0) * SECONDS


async def play_for(page: Page, seconds: float) -> float:
    """Play on for so long and pause, until that counts; answers where it paused."""
    before, begun = await counted(page), await position(page)
    await page.get_by_test_id("play").click()

    async def enough() -> bool:
        return await position(page) > begun + seconds

    async def told() -> bool:
        return await counted(page) > before

    await until(enough, lambda: f"it plays for {seconds} s from {begun} s on")
    await page.get_by_test_id("play").click()
    await until(told, lambda: f"more than {before} s count")
    return await position(page)


async def open_player(person: Person, recording: str) -> Page:
    """Its page, without sound."""
    await person.page.goto(f"{person.server.url}/recordings/{recording}")
    await person.page.get_by_test_id("player").evaluate("video => { video.muted = true }")
    return person.page


async def shows(page: Page, share: float, colour: tuple[int, int, int]) -> bool:
    """Whether the small picture that stands over this place of the seek bar is of that colour."""
    bar = page.get_by_test_id("seek")
    box = await bar.bounding_box()
    assert box is not None
    await bar.hover(position={"x": box["width"] * share, "y": box["height"] / 2})
    shown = Image.open(io.BytesIO(await page.get_by_test_id("preview").screenshot())).convert("RGB")
    return bool(np.abs(np.median(np.asarray(shown), axis=(0, 1)) - colour).max() < 40)


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
    page = await open_player(await arrive("xiaohe", size), recording)
    await play_for(page, 2)
    assert await counted(page) > 1
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]

    await page.get_by_test_id("chapters").get_by_text("讨论").click()
    assert await position(page) == pytest.approx(12, abs=0.3)
    await page.get_by_test_id("captions").select_option("zh-CN")
    showing = "video => [...video.textTracks].some(track => track.mode === 'showing' && track.cues?.length)"

    async def captioned() -> bool:
        return bool(await page.get_by_test_id("player").evaluate(showing))

    await until(captioned, lambda: "the captions are there")
    await page.get_by_test_id("player").focus()
    await page.keyboard.press("7")
    assert await position(page) == pytest.approx(28, abs=0.3)
    await page.keyboard.press("ArrowLeft")
    assert await position(page) == pytest.approx(18, abs=0.3)
    await page.keyboard.press(">")
    speed = page.get_by_test_id("speed")
    await expect(speed).to_have_value("1.25")
    for rate in (0.5, 2):
        await speed.select_option(str(rate))
        await expect(page.get_by_test_id("player")).to_have_js_property("playbackRate", rate)
    await play_for(page, 2)  # at twice the speed it counts too
    await speed.select_option("1")
    await page.get_by_test_id("player").focus()
    await page.keyboard.press("?")
    await expect(page.get_by_test_id("key-help")).to_be_visible()
    await page.keyboard.press("Escape")
    for share, colour in ((0.1, RED), (0.45, RED), (0.55, BLUE), (0.9, BLUE)):
        await until(partial(shows, page, share, colour), lambda: "the preview shows where the pointer is")

    stopped = await play_for(page, 1)
    again = (await arrive("xiaohe", size)).page  # another device: it goes on there, and what counts is known
    await again.goto(f"{server.url}/recordings/{recording}")
    await expect(again.get_by_role("status").filter(has_text="已从上次看到的 0:")).to_be_visible()

    async def goes_on() -> bool:
        return await position(again) == pytest.approx(stopped, abs=0.5)

    await until(goes_on, lambda: f"it goes on at {stopped} s")
    assert await counted(again) == pytest.approx(await counted(page), abs=0.5)
    await again.get_by_role("button", name="从头播放").click()
    assert await position(again) == 0


async def test_what_plays_where_nobody_looks_does_not_count(arrive: Arrive, server: RunningServer) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    person = await arrive("xiaohe")
    page = await open_player(person, recording)
    await play_for(page, 1)
    player = page.get_by_test_id("player")
    await player.evaluate("video => video.play()")
    await page.evaluate(HIDE, True)
    assert await player.evaluate("video => video.paused")
    await expect(page.get_by_role("status").filter(has_text="您刚才离开了这个页面")).to_be_visible()
    left = await position(page)
    await player.evaluate("video => video.play()")  # as the key of a keyboard does

    async def played() -> bool:
        return await position(page) > left + 2

    await until(played, lambda: "it plays on behind another page")
    await player.evaluate("video => video.pause()")
    back = await position(page)
    await page.evaluate(HIDE, False)
    await play_for(page, 1)
    watched = (await person.get(f"/recordings/{recording}"))["coverage"]["intervals"]
    counted_meanwhile = [min(end, back) - max(begin, left) for begin, end in watched]
    assert sum(max(0.0, seconds) for seconds in counted_meanwhile) < 0.5, (watched, left, back)
    assert watched[-1][1] > back + 0.5


WATCH_ON = """(video, seconds) => {
  let now = performance.now()
  let at = video.currentTime
  const clock = performance.now
  performance.now = () => now
  Object.defineProperty(video, 'currentTime', { get: () => at, configurable: true })
  for (let step = 0; step < seconds * 4; step++) {
    now += 250
    at += 0.25
    video.dispatchEvent(new Event('timeupdate'))
  }
  delete video.currentTime
  performance.now = clock
}"""


async def test_nobody_watches_in_vain_while_what_is_watched_cannot_be_saved(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    page = await open_player(await arrive("xiaohe", PHONE), recording)
    await page.route("**/viewing", lambda route: route.abort())
    player, unsaved = page.get_by_test_id("player"), page.get_by_test_id("unsaved")
    await page.get_by_test_id("play").click()
    await player.evaluate(WATCH_ON, 1)
    await page.get_by_test_id("play").click()  # the pause tells, in vain
    await expect(page.get_by_role("status").filter(has_text="联网后会继续保存")).to_be_visible()
    await page.get_by_test_id("play").click()
    await player.evaluate(WATCH_ON, 80)
    assert not await player.evaluate("video => video.paused")
    await player.evaluate(WATCH_ON, 30)
    await expect(unsaved).to_be_visible()
    assert await player.evaluate("video => video.paused")
    await page.get_by_test_id("play").click()  # he was told, and goes on
    assert not await player.evaluate("video => video.paused")
    await page.unroute("**/viewing")
    await expect(unsaved).to_have_count(0)


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
    await play_for(await open_player(person, recording), 1)
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
