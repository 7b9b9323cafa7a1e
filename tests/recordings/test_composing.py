"""The composing process under its supervisor: killed, taken away, ended with the server."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from database import Database
from members.policy import RoleName
from recordings.compose.report import Failed, Finished, Progress, Report, write
from recordings.composing import process, service
from recordings.folders import Folders
from recordings.library import Library
from recordings.losses import Loss, losses_in
from recordings.models import CompositionJob
from recordings.notices import NoticeKind, Notices
from recordings.renditions import Outputs, Rendition, renditions_out
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Shelf
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS
from tests.recordings.attempts import SILENT, a_child, children, job_of, job_that, put_off, use_up
from tests.recordings.conftest import ENDS, GLANCE_SECONDS, Centers, Heard, ToCompose, recording_of, until
from tests.recordings.rows import change

pytestmark = pytest.mark.one_engine


def memory_score(pid: int) -> int:
    """Whoever has the higher one is ended first when memory runs out."""
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


async def test_a_composition_that_is_killed_is_begun_anew_and_given_up_in_the_end(
    centers: Centers,
    database: Database,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
) -> None:
    meeting, row = await to_compose(2.0)
    center = await centers.start()
    killed = await a_child()
    os.kill(killed, signal.SIGKILL)
    await until(lambda: killed not in children())
    job = await job_that(lambda job: job.detail is not None, database, row)
    assert (job.attempts, job.worker) == (1, None)
    assert job.detail is not None
    assert "exit code -9" in job.detail
    clock.advance(10)
    center._compositions.wake()
    os.kill(await a_child(), signal.SIGKILL)
    status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (RecordingState.FAILED, Failure.COMPOSITION_FAILED)
    assert (await recording_of(database, meeting)).failure is Failure.COMPOSITION_FAILED


async def test_an_attempt_that_was_put_off_does_not_count_and_is_taken_up_later(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meeting, row = await to_compose(0.2)
    lost = (Loss("segment-0001/1", "camera", "SIGKILL", name="李秀兰"),)
    said = [Failed(Failure.COMPOSITION_FAILED, "SIGKILL", counts=False)] * settings.attempts
    reports: Iterator[Report] = iter(
        [*said, Finished(1.0, Outputs({Rendition.FILM: 1}), Failure.CAPTURE_UNREADABLE, lost)]
    )
    monkeypatch.setattr(process, "command", lambda *_: saying(next(reports)))
    with capture_logs() as logs:
        center = await centers.start()
        for attempt in range(settings.attempts):
            due = await put_off(database, row, clock())
            assert kept(await job_of(database, row)) == (0, "SIGKILL", False), attempt
            clock.now = due
            center._compositions.wake()
        status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (RecordingState.DAMAGED, Failure.CAPTURE_UNREADABLE)
    assert losses_in((await recording_of(database, meeting)).losses) == lost
    (told,) = (entry["losses"] for entry in logs if entry["event"] == "composition_finished")
    assert told == ["segment-0001/1 (camera): SIGKILL"], "the log names nobody"


async def test_a_composition_for_which_there_is_no_room_says_so_and_goes_on_when_somebody_has_made_some(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
    records: Records,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secretary, member = await records.actor((RoleName.SECRETARY, tree.branch)), await records.actor()
    library = Library(database, Shelf(settings.folder, None), clock)
    notices = Notices(database, clock)
    meeting, row = await to_compose(0.2)
    composing, small = (
        process.command,
        ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh"],
    )  # 4 KiB is all a file may have
    attempts: Iterator[Callable[..., list[str]]] = iter(
        [
            lambda *given: [*small, *composing(*given)],
            lambda *_: saying(Failed(Failure.DISK_FULL, "")),
            composing,
        ]
    )

    def attempt(*given: Any) -> list[str]:
        return next(attempts)(*given)

    monkeypatch.setattr(process, "command", attempt)
    center = await centers.start()
    since = clock()
    for _ in range(settings.attempts):  # none of them counts
        due = await put_off(database, row, clock())
        assert (await library.get(secretary, row.id)).waits_for_room
        (notice,) = await notices.of(secretary)
        assert (notice.kind, notice.subject_id, notice.at) == (NoticeKind.RECORDING_WAITS, row.id, since)
        assert await notices.of(member) == []
        clock.now = due
        center._compositions.wake()
    assert (await heard.reaches(meeting.id, *ENDS)).state is RecordingState.READY
    assert not (await library.get(secretary, row.id)).waits_for_room
    assert await notices.of(secretary) == []


def kept(job: CompositionJob) -> tuple[int, str | None, bool]:
    """How many attempts count, what the last one said, whether somebody is at it."""
    return job.attempts, job.detail, job.worker is not None


def saying(report: Report, then: str = "") -> list[str]:
    """A process that says so."""
    return [sys.executable, "-c", f"print({write(report)!r}, flush=True){then}"]


async def test_how_far_a_composition_is_stands_in_the_records_while_it_goes_on(
    centers: Centers, database: Database, to_compose: ToCompose, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, _ = await to_compose(0.2)
    monkeypatch.setattr(service, "_PROGRESS_SECONDS", 0.02)
    monkeypatch.setattr(
        process, "command", lambda *_: saying(Progress(0.4), "; input(); input()")
    )  # the brief, and then nothing
    await centers.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (row := await recording_of(database, meeting)).progress == 0.0:  # noqa: ASYNC110
            await asyncio.sleep(GLANCE_SECONDS)
    assert (row.state, row.progress) == (RecordingState.COMPOSING, 0.4)


async def test_a_composition_of_which_nobody_ever_came_back_is_given_up(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
) -> None:
    meeting, row = await to_compose(0.2)
    await use_up(database, settings, clock)
    await centers.start()
    status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (RecordingState.FAILED, Failure.COMPOSITION_FAILED)
    assert (await recording_of(database, meeting)).version == 0
    async with database.reading() as session:
        assert await session.get(CompositionJob, row.id) is None


async def test_a_film_that_plays_stays_though_something_beside_it_cannot_be_made(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
) -> None:
    meeting, row = await to_compose(0.2)
    folders = Folders(settings.folder)
    put_bytes(folders.film(row.id), 9)
    put_bytes(folders.rendition(row.id, Rendition.SOUND), 5)
    put_bytes(folders.rendition(row.id, Rendition.POSTER), 2)
    sizes = {Rendition.SOUND: 5, Rendition.POSTER: 3, Rendition.HLS: 4}
    known = renditions_out(Outputs(sizes))
    await change(database, row, version=1, size_bytes=9, duration_seconds=0.2, renditions=known)
    await use_up(database, settings, clock)
    await centers.start()
    status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (RecordingState.DAMAGED, Failure.COMPOSITION_FAILED)
    assert [one["name"] for one in (await recording_of(database, meeting)).renditions] == ["sound"]


def put_bytes(path: Path, count: int) -> None:
    path.write_bytes(b"x" * count)


async def test_a_composition_that_another_node_has_taken_is_ended_at_once_whatever_it_is_at(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    to_compose: ToCompose,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meeting, row = await to_compose(0.2)
    monkeypatch.setattr(process, "command", lambda *_: SILENT)
    center = await centers.start()
    child = await a_child()
    clock.advance(timedelta(seconds=settings.lease_seconds + 1))
    async with database.transaction() as session:
        job = await session.get(CompositionJob, row.id)
        assert job is not None
        job.worker = "b" * 32
        job.lease_until = clock() + timedelta(seconds=settings.lease_seconds)
    await until(lambda: child not in children())
    await until(lambda: center._compositions.counters.running == 0)
    assert kept(await job_of(database, row)) == (1, None, True)
    assert (await recording_of(database, meeting)).state is RecordingState.COMPOSING


async def test_a_composition_whose_claim_cannot_be_renewed_ends_before_another_may_have_it(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    to_compose: ToCompose,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await to_compose(0.2)
    monkeypatch.setattr(process, "command", lambda *_: SILENT)
    object.__setattr__(settings, "lease_seconds", 3.0)
    center = await centers.start()
    child = await a_child()
    file = database.url.database
    assert file is not None
    connection = sqlite3.connect(file, PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
    with contextlib.closing(connection) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        await until(lambda: child not in children())
    await until(lambda: center._compositions.counters.running == 0)


async def test_a_server_that_stops_takes_its_composition_with_it_and_gives_the_job_back(
    centers: Centers, database: Database, heard: Heard, to_compose: ToCompose
) -> None:
    meeting, row = await to_compose(2.0)
    await centers.start()
    child = await a_child()
    # The kernel ends it before the server, and shares processors out between sessions.
    await until(lambda: memory_score(child) > memory_score(os.getpid()))
    assert os.getsid(child) == child
    await centers.stop()
    assert child not in children()
    assert kept(await job_of(database, row)) == (0, None, False)
    await centers.start()
    assert (await heard.reaches(meeting.id, *ENDS)).state is RecordingState.READY


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="the kernel groups no sessions")
@pytest.mark.parametrize(
    ("session", "nice"), [([], "nice 7"), (["sh", "-c", '"$@"; :', "sh"], "nice 0")], ids=["own", "another's"]
)
def test_a_session_of_its_own_gives_way_as_a_whole_and_nobody_elses(session: list[str], nice: str) -> None:
    code = (
        "import os; from recordings.background import make_way; make_way(7); "
        "print(os.nice(0), open('/proc/self/autogroup').read())"
    )
    command = ["setsid", "--wait", *session, sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == str(os.nice(0) + 7)
    assert done.stdout.strip().endswith(nice)


WAITING = """
import threading
from recordings.compose import __main__ as main
threading.Thread(target=main._end_with_supervisor, daemon=True).start()
print("up", flush=True)
threading.Event().wait()
"""


async def test_a_composing_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    command = process.command(tmp_path, 5)
    assert command[-4:] == [str(tmp_path), "--nice", "5", "--supervised"]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WAITING, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert await child.stdout.readline() == b"up\n"
    try:
        child.stdin.close()
        assert await asyncio.wait_for(child.wait(), PATIENCE_SECONDS) == 1
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
