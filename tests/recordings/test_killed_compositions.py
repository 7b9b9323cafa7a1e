"""A composition goes on wherever SIGKILL catches it: its process, or the server that it works for."""

import asyncio
import signal
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from database import Database, utc_now
from recordings.compose.verify import verify
from recordings.folders import Folders
from recordings.models import CompositionJob
from recordings.renditions import COMPOSING_FOLDER, FILE_NAMES, Rendition
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from recordings.tracks import TrackSource
from tests.factories import FakeClock
from tests.patience import PATIENCE_SECONDS
from tests.recordings.conftest import GLANCE_SECONDS, Centers, ToCompose, recording_of, until
from tests.recordings.killed_composition import compose_until_something_new
from tests.recordings.killed_server import serve_until
from tests.recordings.killing import in_a_process, open_under
from tests.recordings.meetings import Meeting, track, watch
from tests.recordings.publishers import RED, Publisher, sine, solid

pytestmark = pytest.mark.one_engine
SECONDS: Final = 2.0
LENGTH: Final = SECONDS + 0.6  # whoever is muted is there until the meeting ends


async def test_a_composition_killed_before_each_change_of_its_folder_goes_on_to_the_same_film(
    tmp_path: Path,
) -> None:
    folder, log = tmp_path / "recording", tmp_path / "log"
    log.write_text("")
    video, audio = Publisher().video(solid(RED), SECONDS), Publisher().audio(sine(440), SECONDS)
    meeting = Meeting(folder)
    meeting.join(
        (track(video, "a", TrackSource.CAMERA), video), (track(audio, "a", TrackSource.MICROPHONE), audio)
    )
    meeting.run()
    meeting.end()
    captured = {path: path.read_bytes() for path in meeting.segment_folder.iterdir()}
    film = folder / FILE_NAMES[Rendition.FILM]
    killed = 0
    stood: set[int] = set()
    while (code := await asyncio.to_thread(in_a_process, compose_until_something_new, folder, log)) != 0:
        assert code == -signal.SIGKILL
        killed += 1
        await until(lambda: not open_under(folder))
        if film.exists():
            verify(film, LENGTH)
            stood.add(film.stat().st_ino)
    assert stood == {film.stat().st_ino}, "where it stands, it is not made anew"
    changes = log.read_text().splitlines()
    assert killed == len(set(changes))
    assert {
        "mkdir work", "rename #p-#.mp4.part", "remove mix.flac", "rename finished.json.part", "rename sound.m4a",
        "rename meeting.mp4", "remove #p-#.mp4",
    } <= set(changes)  # fmt: skip
    assert changes.count("rename #p-#.mp4.part") == 3, "two parts, before one of which somebody was killed"
    assert {path: path.read_bytes() for path in meeting.segment_folder.iterdir()} == captured
    names = {path.name for path in folder.iterdir()}
    assert names == {
        meeting.segment_folder.name,
        COMPOSING_FOLDER,
        *(FILE_NAMES[each] for each in Rendition if each is not Rendition.HLS),
    }
    watched = watch(film)
    assert np.diff(watched.times).max() <= 0.08 + 1e-3
    assert watched.times[-1] == pytest.approx(LENGTH, abs=0.1)
    assert all(watched.share(RED, at) > 0.8 for at in (0.5, 1.5, 1.96))
    assert watched.loudness(440, 0.3, 1.7) > 0.1


@pytest.mark.parametrize("step", ["composition_begun", "files in their places", "composition_finished"])
async def test_a_server_killed_at_each_step_of_a_composition_leaves_one_whole_film_in_the_end(
    step: str,
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    to_compose: ToCompose,
) -> None:
    meeting, row = await to_compose(0.4)
    folder = Folders(settings.folder).of(row.id)
    url = database.url.render_as_string(hide_password=False).replace("+aiosqlite", "")
    assert await asyncio.to_thread(in_a_process, serve_until, step, url, settings, folder) == -signal.SIGKILL
    await until(lambda: not open_under(folder))
    film = folder / FILE_NAMES[Rendition.FILM]
    stood = film.stat().st_ino if film.exists() else None
    clock.now = utc_now()
    await centers.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (row := await recording_of(database, meeting)).state.settled:  # noqa: ASYNC110 - or it is already
            await asyncio.sleep(GLANCE_SECONDS)
    assert (row.state, row.version, row.progress) == (RecordingState.READY, 1, 1.0)
    verify(film, row.duration_seconds or 0.0)
    assert row.size_bytes == film.stat().st_size
    assert stood == (None if step == "composition_begun" else film.stat().st_ino), "where it stands, it stays"
    await until(lambda: not (folder / COMPOSING_FOLDER).exists())
    async with database.reading() as session:
        assert await session.get(CompositionJob, row.id) is None
