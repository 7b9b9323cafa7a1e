"""What the composing process says, and what is made of it when it says something else."""

import asyncio
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.compose.brief import Brief
from recordings.compose.fonts import find_font
from recordings.compose.lettering import Lettering
from recordings.compose.report import Failed, Finished, Progress, Report, parse, write
from recordings.composing import process
from recordings.losses import Loss
from recordings.renditions import Chapter, Outputs, PreviewStrip, Rendition
from recordings.states import Failure
from tests.patience import PATIENCE_SECONDS

_NOTHING = Brief()


@pytest.mark.parametrize(
    "report",
    [
        Progress(0.25),
        Finished(12.5, Outputs({Rendition.FILM: 1_000}), None),
        Finished(
            12.5,
            Outputs(
                {Rendition.FILM: 1_000, Rendition.PREVIEW: 7},
                (Chapter(0.0, "开始"), Chapter(61.5, "讨论")),
                PreviewStrip(2.0, 10, 6, 160, 90),
            ),
            Failure.DISK_FULL,
            (
                Loss("segment-0001/2", "camera", "SIGSEGV"),
                Loss("segment-0002/1", "microphone", "damaged", 2.5, "李秀兰"),
            ),
        ),
        Failed(Failure.COMPOSITION_FAILED, 'it said: "no"\n'),
        Failed(Failure.COMPOSITION_FAILED, "SIGKILL", counts=False),
    ],
)
def test_what_is_written_is_read(report: Report) -> None:
    assert parse(write(report).encode()) == report


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"[]", b"7", b"null", b'{"progress": "half"}', b'{"progress": NaN}', b'{"progress": null}',
        b'{"failed": "boredom", "detail": ""}', b'{"duration": Infinity, "size": 1, "failure": null}',
        b'{"duration": 1}', b"\xff", b"[" * 50_000,
    ],
)  # fmt: skip
def test_anything_else_is_nothing(line: bytes) -> None:
    assert parse(line) is None


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_line_is_read_or_not(line: bytes) -> None:
    parse(line)


def test_progress_stays_between_nothing_and_all() -> None:
    assert parse(b'{"progress": 7}') == Progress(1.0)
    assert parse(b'{"progress": -7}') == Progress(0.0)


async def said_by(monkeypatch: pytest.MonkeyPatch, program: str, brief: Brief = _NOTHING) -> list[Report]:
    """What comes of a process that runs `program` instead of a composition."""
    monkeypatch.setattr(process, "command", lambda *_: [sys.executable, "-c", program])
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [report async for report in process.run(Path(), 0, brief)]


@pytest.mark.parametrize(
    ("program", "detail"),
    [
        ("import sys; sys.exit('out of luck')", "exit code 1: out of luck"),
        ("import os; os.kill(os.getpid(), 11)", "exit code -11: "),
        ("pass", "exit code 0: "),
        ("print('rubbish', flush=True); import os; os._exit(9)", "exit code 9: "),
        (
            """print('{"duration": 1, "size": 1, "failure": null}', flush=True); import os; os._exit(9)""",
            "exit code 9: ",
        ),
        (
            "print('x' * 100_000); import sys; sys.stderr.write('y' * 100_000); sys.exit(2)",
            "exit code 2: " + "y" * 4_000,
        ),
    ],
)
async def test_a_process_that_ends_otherwise_has_failed(
    monkeypatch: pytest.MonkeyPatch, program: str, detail: str
) -> None:
    (report,) = await said_by(monkeypatch, program)
    assert report == Failed(Failure.COMPOSITION_FAILED, detail)


async def test_both_processes_are_told_all_that_a_broken_disk_took_of_a_large_meeting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spans = tuple((at * 10.0, at * 10.0 + 5.125) for at in range(20))
    lost = tuple(
        Loss(f"segment-0001/{number}", "camera", "damaged", 102.5, "李秀兰", spans) for number in range(4_000)
    )
    standing = Finished(12.5, Outputs({Rendition.FILM: 1_000}), Failure.CAPTURE_UNREADABLE, lost)
    echo = (
        "import sys; from recordings.compose.brief import LONGEST_LINE, read_brief;"
        "from recordings.compose.report import write;"
        "print(write(read_brief(sys.stdin.buffer.readline(LONGEST_LINE)).standing), flush=True)"
    )
    (report,) = await said_by(monkeypatch, echo, Brief(standing=standing))
    assert report == standing


async def test_a_folder_without_anything_is_not_composable(tmp_path: Path) -> None:
    reports = [report async for report in process.run(tmp_path, 0, Brief())]
    assert reports == [Failed(Failure.NOTHING_CAPTURED, "no media")]


def test_names_are_drawn_in_a_font_that_has_them() -> None:
    font = find_font()
    assert font is not None, "install a font with Chinese characters (fonts-noto-cjk)"
    lettering = Lettering(font)
    drawn = [lettering.draw(name, 200, 28, 20, 28) for name in ("张建国", "李秀英", "", "张建国\n")]
    assert (drawn[0] != drawn[1]).any()
    assert (drawn[2] == 28).all()
    assert (drawn[0] == drawn[3]).all()


def test_names_that_are_too_long_are_cut() -> None:
    plane = Lettering(find_font()).draw("很长" * 100, 200, 28, 20, 28)
    assert plane.shape == (28, 200)
    assert (plane[:, :8] == 28).all()
    assert (plane[:, -8:] == 28).all()


def test_without_a_chinese_font_there_are_letters_all_the_same() -> None:
    assert (Lettering(None).draw("Zoë 张", 200, 28, 20, 28) > 180).any()
