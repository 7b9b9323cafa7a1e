"""How long from a seek to its picture in a film of two hours: `python -m tests.browser.seeking` (or `make bench-seek`).

A real server and Chromium; the film is one minute, encoded once and written a hundred and twenty times, as the file and
as a stream in two sizes.
"""

import asyncio
import json
import random
import statistics
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
from playwright.async_api import Page

from database import Database
from recordings.compose.film import Size
from recordings.folders import Folders
from recordings.models import Recording
from recordings.renditions import Outputs, Rendition, renditions_out
from tests.browser.conftest import FLAGS
from tests.browser.person import open_window
from tests.browser.server import ROOT, RunningServer, served_demo
from tests.browser.test_player import put_recording
from tests.chromium import launched

MINUTES = 120
MINUTE = 60
RATE = 25
KEY_FRAME_SECONDS = 2
SIZES = (Size(1280, 720, 2_500_000), Size(426, 240, 180_000))
CODECS = 'CODECS="avc1.4d401f"'
SEEKS = 40
SEED = 7  # the same places in every run
OUTPUT = ROOT / "build" / "bench-seek.json"
# From the seek to the moment at which the browser hands the picture of the new place to the screen.
SEEK = """(video, to) => new Promise((resolve) => {
  const from = performance.now()
  const look = (now, frame) => {
    if (Math.abs(frame.mediaTime - to) < 0.5) resolve(performance.now() - from)
    else video.requestVideoFrameCallback(look)
  }
  video.requestVideoFrameCallback(look)
  video.currentTime = to
})"""


def encode(size: Size, path: Path) -> None:
    """A minute in which a grain moves over a slope: about as many bits as people at a table."""
    grain = np.random.default_rng(SEED).integers(0, 40, (size.height, size.width * 2), np.uint8)
    slope = np.linspace(40, 180, size.width, dtype=np.uint8)[None, :]
    with av.open(str(path), "w", format="mp4") as film:
        options = {"preset": "ultrafast", "profile": "main", "maxrate": str(size.bits), "sc_threshold": "0"}
        options |= {"bufsize": str(2 * size.bits), "crf": "30"}
        video = film.add_stream("libx264", rate=RATE, options=options)
        video.width, video.height, video.pix_fmt = size.width, size.height, "yuv420p"
        video.gop_size = KEY_FRAME_SECONDS * RATE
        for number in range(MINUTE * RATE):
            at = number % size.width
            grey = slope + grain[:, at : at + size.width]
            picture = np.repeat(grey[:, :, None], 3, axis=2)
            film.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(video.encode())


def repeat(minute: Path, target: Path, kind: str, options: dict[str, str]) -> None:
    """Write the minute again and again, one behind the other."""
    with av.open(str(minute)) as source, av.open(str(target), "w", format=kind, options=options) as film:
        taken = source.streams.video[0]
        given: Any = film.add_stream_from_template(taken)
        assert taken.time_base is not None
        length = int(MINUTE / taken.time_base)
        for number in range(MINUTES):
            source.seek(0)
            for packet in source.demux(taken):
                if packet.dts is None or packet.pts is None:
                    continue
                packet.pts += number * length
                packet.dts += number * length
                packet.stream = given
                film.mux(packet)


def write_film(folder: Path) -> None:
    """The file, and the stream beside it."""
    (folder / "hls").mkdir()
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for size in SIZES:
        minute = folder / f"{size.name}.minute.mp4"
        encode(size, minute)
        options = {
            "hls_time": str(KEY_FRAME_SECONDS), "hls_playlist_type": "vod", "hls_segment_type": "fmp4",
            "hls_flags": "single_file", "hls_segment_filename": str(folder / "hls" / f"{size.name}.m4s"),
        }  # fmt: skip
        repeat(minute, folder / "hls" / f"{size.name}.m3u8", "hls", options)
        if size is SIZES[0]:
            repeat(minute, folder / "meeting.mp4", "mp4", {"movflags": "faststart"})
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={size.bits},RESOLUTION={size.width}x{size.height},{CODECS}"]
        lines += [f"{size.name}.m3u8"]
    (folder / "hls" / "master.m3u8").write_text("\n".join(lines) + "\n")


async def put_film(server: RunningServer) -> str:
    """A lecture of two hours."""
    recording = await put_recording(server, server.logins["liuxi"])
    folder = Folders(server.data / "recordings").of(recording)
    await asyncio.to_thread(write_film, folder)
    database = Database(f"sqlite:///{server.data}/huitang.sqlite3")
    async with database.transaction() as session:
        row = await session.get_one(Recording, recording)
        row.duration_seconds = float(MINUTES * MINUTE)
        row.size_bytes = (folder / "meeting.mp4").stat().st_size
        row.renditions = renditions_out(Outputs({Rendition.FILM: 1, Rendition.HLS: 1}))
    await database.dispose()
    return recording


async def seek_about(page: Page) -> list[float]:
    """Milliseconds of each seek, all over the film."""
    player = page.get_by_test_id("player")
    await player.evaluate("video => { video.muted = true; return video.play() }")
    places = random.Random(SEED)  # noqa: S311 - nothing secret about them
    taken = []
    for _ in range(SEEKS):
        to = places.uniform(10, MINUTES * MINUTE - 20)
        taken.append(float(await player.evaluate(SEEK, to)))
    return taken


async def measure(server: RunningServer) -> dict[str, list[float]]:
    """By the way in which the film comes."""
    recording = await put_film(server)
    results = {}
    async with launched(*FLAGS) as browser:
        for way in ("stream", "file"):
            person = await open_window(browser, server, "xiaohe")
            if way == "file":
                await person.page.add_init_script("delete window.MediaSource")
                await person.page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => ''")
            await person.page.goto(f"{server.url}/recordings/{recording}")
            results[way] = await seek_about(person.page)
            await person.context.close()
    return results


def main() -> int:
    """Measure, print, and write build/bench-seek.json."""
    with served_demo() as server:
        results = asyncio.run(measure(server))
    figures = {}
    for way, taken in results.items():
        ordered = sorted(taken)
        median, most = statistics.median(ordered), ordered[-1]
        p95 = ordered[int(len(ordered) * 0.95)]
        figures[way] = {"medianMs": median, "p95Ms": p95, "mostMs": most, "seeks": len(ordered)}
        sys.stdout.write(f"{way}: a seek's picture after {median:.0f} ms, p95 {p95:.0f}, most {most:.0f}\n")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
