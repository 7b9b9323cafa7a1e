"""A film in several sizes: one is chosen, and whatever happens to line or film, watching goes on where it was."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from playwright.async_api import Page, Request, Route, expect

from database import Database
from recordings.compose.film import Size
from recordings.folders import Folders, bytes_of
from recordings.models import Recording
from recordings.renditions import Outputs, Rendition, renditions_out
from tests.browser.conftest import Arrive
from tests.browser.person import PHONE, Person, until
from tests.browser.server import RunningServer
from tests.browser.test_player import SECONDS, position, put_files, put_recording
from tests.recordings.films import sounding

SIZES = (Size(640, 480, 400_000), Size(320, 240, 100_000))
RATE = 5
HERTZ = 48_000
CODECS = 'CODECS="avc1.4d401e,mp4a.40.2"'
RENDITIONS = (Rendition.FILM, Rendition.SOUND, Rendition.HLS)
# How a film comes to a browser: by our script, by itself as on iPhones, or as a file, as inside other programs.
WITHOUT_SCRIPT = "delete window.MediaSource; "
WAYS = {
    "script": "",
    "native": WITHOUT_SCRIPT + "HTMLMediaElement.prototype.canPlayType = () => 'maybe'",
    "file": WITHOUT_SCRIPT + "HTMLMediaElement.prototype.canPlayType = () => ''",
}


@cache
def made_stream(brightness: int) -> dict[str, bytes]:
    """The film, its sound, and the same in two sizes, as composition leaves them; grey of that brightness."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        write_all(folder, brightness)
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def write_all(folder: Path, brightness: int) -> None:
    (folder / "hls").mkdir()
    write(folder / "meeting.mp4", SIZES[0], brightness, {"movflags": "faststart"})
    write(folder / "sound.m4a", None, brightness, {})
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for size in SIZES:
        options = {
            "hls_time": "2", "hls_playlist_type": "vod", "hls_segment_type": "fmp4",
            "hls_flags": "single_file", "hls_segment_filename": str(folder / "hls" / f"{size.name}.m4s"),
        }  # fmt: skip
        write(folder / "hls" / f"{size.name}.m3u8", size, brightness, options, "hls")
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={size.bits},RESOLUTION={size.width}x{size.height},{CODECS}"]
        lines += [f"{size.name}.m3u8"]
    (folder / "hls" / "master.m3u8").write_text("\n".join(lines) + "\n")


def write(path: Path, size: Size | None, brightness: int, options: dict[str, str], kind: str = "mp4") -> None:
    """Half a minute of one grey, or of its silence alone."""
    with av.open(str(path), "w", format=kind, options=options) as film:
        sound = film.add_stream("aac", rate=HERTZ, layout="mono")
        if size is not None:
            video = film.add_stream("libx264", rate=RATE, options={"profile": "main", "preset": "ultrafast"})
            video.width, video.height, video.pix_fmt, video.gop_size = (
                size.width,
                size.height,
                "yuv420p",
                RATE,
            )
            picture = np.full((size.height, size.width, 3), brightness, np.uint8)
            for _ in range(SECONDS * RATE):
                film.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            film.mux(video.encode())
        for start in range(0, SECONDS * HERTZ, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = HERTZ, start
            film.mux(sound.encode(frame))
        film.mux(sound.encode())


async def put_stream(server: RunningServer, brightness: int, recording: str = "") -> str:
    """A new recording in all its forms, or that recording made anew."""
    recording = recording or await put_recording(server, server.logins["liuxi"])
    folders = Folders(server.data / "recordings")
    files = await asyncio.to_thread(made_stream, brightness)
    await asyncio.to_thread(put_files, folders.of(recording), files)
    sizes = {one: bytes_of(folders.rendition(recording, one)) for one in RENDITIONS}
    database = Database(f"sqlite:///{server.data}/huitang.sqlite3")
    async with database.transaction() as session:
        row = await session.get_one(Recording, recording)
        row.renditions, row.size_bytes = renditions_out(Outputs(sizes)), sizes[Rendition.FILM]
        row.version += 1
    await database.dispose()
    return recording


async def play(person: Person, recording: str) -> Page:
    """Open it and press play."""
    page = person.page
    await page.goto(f"{person.server.url}/recordings/{recording}")
    await page.get_by_test_id("player").evaluate("video => { video.muted = true }")
    await page.get_by_test_id("play").click()
    await plays_on(page)
    return page


async def plays_on(page: Page, after: float = 0.0) -> None:
    """Wait until it plays later than that, and goes on."""
    await until(lambda: _later(page, after), lambda: f"it plays after {after} s")
    begun = await position(page)
    await until(lambda: _later(page, begun), lambda: f"it goes on after {begun} s")


async def _later(page: Page, than: float) -> bool:
    return await position(page) > than


async def counted(page: Page) -> float:
    """The share that counts as watched."""
    return float(await page.get_by_test_id("coverage").get_attribute("data-share") or 0)


async def test_a_size_is_chosen_and_what_is_watched_counts(arrive: Arrive, server: RunningServer) -> None:
    recording = await put_stream(server, 90)
    person = await arrive("xiaohe")
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(_name(request)))
    page = await play(person, recording)
    quality = page.get_by_test_id("quality")
    await expect(quality.locator("option")).to_have_count(4)  # by itself, two sizes, the sound
    assert not [name for name in asked if name == "media"]

    asked.clear()
    await quality.select_option("240")
    await plays_on(page, 7)
    await until(_seen(asked, "240p.m4s"), lambda: f"the small size is fetched: {asked}")
    before = await position(page)
    await quality.select_option("sound")
    await plays_on(page, before)
    assert "sound" in asked
    await quality.select_option("auto")
    await plays_on(page, before)
    await page.get_by_test_id("play").click()

    async def enough() -> bool:
        return await counted(page) * SECONDS >= before - 2

    await until(enough, lambda: "what was seen and what was heard counts")


async def test_little_of_a_film_is_fetched_before_it_is_played(arrive: Arrive, server: RunningServer) -> None:
    recording = await put_stream(server, 90)
    page = (await arrive("xiaohe", PHONE)).page
    await page.goto(f"{server.url}/recordings/{recording}")
    await page.get_by_test_id("player").evaluate("video => { video.muted = true }")

    async def buffered() -> float:
        ends = "video => video.buffered.length ? video.buffered.end(0) : 0"
        return float(await page.get_by_test_id("player").evaluate(ends))

    async def some() -> bool:
        return await buffered() > 0

    await until(some, lambda: "its first picture is there")
    await page.wait_for_load_state("networkidle")
    before = await buffered()
    assert before < SECONDS - 5  # whole pieces, which are long here
    await page.get_by_test_id("play").click()

    async def more() -> bool:
        return await buffered() > before + 5

    await until(more, lambda: "who watches has more of it before him")


def _seen(asked: list[str], beginning: str) -> Callable[[], Awaitable[bool]]:
    async def seen() -> bool:
        return any(name.startswith(beginning) for name in asked)

    return seen


def _name(request: Request) -> str:
    return request.url.split("?")[0].rpartition("/")[2]


@pytest.mark.parametrize("refused", ["**/hls/*.m4s*", "**/hls/master.m3u8*"], ids=["pieces", "playlist"])
async def test_where_the_stream_does_not_come_through_the_film_does(
    arrive: Arrive, server: RunningServer, refused: str
) -> None:
    recording = await put_stream(server, 90)
    person = await arrive("xiaohe")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=403)

    await person.page.route(refused, refuse)
    await play(person, recording)


async def test_a_store_s_address_that_has_expired_is_asked_for_anew_at_the_same_place(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_stream(server, 90)
    person = await arrive("xiaohe")
    await person.page.add_init_script(WAYS["file"])
    page = await play(person, recording)
    answers: list[str] = []

    async def expired(route: Route) -> None:
        answers.append(route.request.url)
        if len(answers) == 1:
            await route.fulfill(status=403)
        else:
            await route.continue_()

    await page.route("**/media?*", expired)
    at = await position(page)
    await page.get_by_test_id("player").evaluate(
        "video => { const address = video.src; video.removeAttribute('src'); video.src = address; "
        "void video.play().catch(() => 0) }"
    )
    await plays_on(page, at)
    assert len(answers) > 1


@pytest.mark.parametrize("way", WAYS)
async def test_where_the_store_gives_nothing_more_the_viewer_reads_so_and_goes_on_when_it_does(
    arrive: Arrive, server: RunningServer, way: str
) -> None:
    recording = await put_stream(server, 90)
    page = (await arrive("xiaohe", PHONE)).page
    await page.add_init_script(WAYS[way])
    away = way == "file"  # a film so small is in the browser as a whole, or it is not

    async def store(route: Route) -> None:
        if away:
            await route.fulfill(status=503, json={"error": {"code": "store_unavailable", "message": ""}})
        else:
            await route.continue_()

    await page.route(re.compile(rf"/api/recordings/{recording}/(media|hls/)"), store)
    await page.goto(f"{server.url}/recordings/{recording}")
    player, problem = page.get_by_test_id("player"), page.get_by_test_id("problem")
    await player.evaluate("video => { video.muted = true }")

    async def shows() -> bool:
        return int(await player.evaluate("video => video.readyState")) >= 2

    if not away:
        await until(shows, lambda: "its first picture is there")
        away = True
        await page.get_by_test_id("speed").select_option("2")
        await page.get_by_test_id("play").click()
    await expect(problem).to_contain_text("录像存放的地方暂时连不上")
    stopped = float(await page.get_by_test_id("seek").input_value())
    away = False
    await problem.get_by_role("button").click()
    await plays_on(page, stopped)
    await expect(problem).to_have_count(0)


@pytest.mark.parametrize("how", ["is cut", "says nothing more"])
async def test_a_film_of_one_file_whose_connection_ends_in_its_middle_goes_on_at_the_same_place(
    arrive: Arrive, server: RunningServer, tmp_path: Path, how: str
) -> None:
    recording = await put_stream(server, 90)
    made = await asyncio.to_thread(sounding, tmp_path / "meeting.mp4", 0.1, seconds=20, noise=True)
    film = made.read_bytes()  # browsers play nothing before they have some blocks of it
    await asyncio.to_thread(
        put_files, Folders(server.data / "recordings").of(recording), {"meeting.mp4": film}
    )
    begin = len(film) // 2  # of what does not come
    page = (await arrive("xiaohe")).page
    await page.add_init_script(WAYS["file"])
    await page.clock.install()  # its timers can be hurried, the film cannot
    away, waiting = True, list[Route]()

    async def line(route: Route) -> None:
        asked = int((route.request.headers.get("range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        if not away or route.request.headers.get("range") == "bytes=0-0":
            await route.continue_()
        elif asked < begin:
            part = {"Content-Range": f"bytes {asked}-{begin - 1}/{len(film)}", "Accept-Ranges": "bytes"}
            head = {"Content-Type": "video/mp4", "ETag": '"film"', **part}
            await route.fulfill(status=206, headers=head, body=film[asked:begin])
        elif how == "is cut":
            await route.abort("connectionreset")
        else:
            waiting.append(route)

    await page.route("**/media?*", line)
    await page.goto(f"{server.url}/recordings/{recording}")
    await page.get_by_test_id("player").evaluate("video => { video.muted = true }")
    await page.get_by_test_id("speed").select_option("2")
    await page.get_by_test_id("play").click()

    async def stands() -> bool:
        return bool(
            await page.get_by_test_id("player").evaluate(
                "video => video.currentTime > 2 && video.readyState < 3"
            )
        )

    await until(stands, lambda: "what came is played")
    stopped = await position(page)
    away = False

    async def goes_on() -> bool:
        await page.clock.fast_forward(4_000)
        return await position(page) > stopped + 1

    await until(goes_on, lambda: f"it goes on after {stopped} s")
    await expect(page.get_by_test_id("problem")).to_have_count(0)


async def test_a_film_made_anew_goes_on_at_the_same_place(arrive: Arrive, server: RunningServer) -> None:
    recording = await put_stream(server, 60)
    person = await arrive("xiaohe")
    asked: list[tuple[str, str]] = []
    person.page.on(
        "request", lambda request: asked.append((_name(request), request.headers.get("range", "")))
    )
    page = await play(person, recording)
    await plays_on(page, 3)
    small = Folders(server.data / "recordings").rendition(recording, Rendition.HLS) / "240p.m4s"
    last = (await asyncio.to_thread(small.stat)).st_size - 1
    await put_stream(server, 220, recording)
    at = await position(page)
    # By itself it begins with whichever the line seems to bear.
    fetched = any(name == "240p.m4s" and part.endswith(f"-{last}") for name, part in asked)
    await page.get_by_test_id("quality").select_option("480" if fetched else "240")

    async def new() -> bool:
        return await _brightness(page) > 150

    await until(new, lambda: "the new film is shown")
    assert await position(page) == pytest.approx(at, abs=10)
    await plays_on(page, at)
    assert await _brightness(page) == pytest.approx(220, abs=30)


async def _brightness(page: Page) -> float:
    """Of the middle of the picture that is shown."""
    return float(
        await page.get_by_test_id("player").evaluate("""video => {
            const canvas = document.createElement('canvas')
            canvas.width = canvas.height = 1
            const context = canvas.getContext('2d')
            context.drawImage(video, 0, 0, 1, 1)
            return context.getImageData(0, 0, 1, 1).data[0]
        }""")
    )
