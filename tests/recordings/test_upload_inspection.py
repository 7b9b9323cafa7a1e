"""Films are looked at by processes that may fail in any way: whose fault it is, the film's or the machine's."""

import asyncio
import contextlib
import errno
import json
import os
from pathlib import Path

import pytest

from errors import Kind, Problem
from recordings.uploads import inspection
from recordings.uploads.inspection import AT_ONCE, Inspector
from recordings.uploads.rules import Facts, Refusal
from tests.recordings import films


async def test_the_probe_is_a_process_of_its_own_and_says_what_the_film_is(tmp_path: Path) -> None:
    film = films.film(tmp_path / "film; rm -rf $(pwd) --")
    inspector = Inspector()
    found = await inspector.inspect(film)
    assert isinstance(found, Facts)
    assert found.video_codec == "h264"
    assert found.seconds == pytest.approx(2.0, abs=0.1)
    assert await inspector.inspect(films.sound_alone(tmp_path / "song")) is Refusal.NO_PICTURE


def saying(**answer: object) -> str:
    return f"echo '{json.dumps(answer)}'"


@pytest.mark.parametrize(
    ("program", "after"),
    [
        pytest.param("exit 1", 1, id="it crashed"),
        pytest.param("kill -SEGV $$", 1, id="it crashed in a library"),
        pytest.param("kill -XCPU $$", 1, id="it takes too much time"),
        pytest.param("echo what", 1, id="it makes no sense"),
        pytest.param("kill -KILL $$", 3, id="the machine has no memory, or the film takes all of it"),
        pytest.param(saying(hindered=errno.ENOMEM), 3, id="there is no memory, or not so much"),
        pytest.param("exec sleep 60", 3, id="the machine has other things to do"),
        pytest.param(saying(hindered=errno.EIO), None, id="the disk does not read"),
        pytest.param(saying(hindered=errno.EMFILE), None, id="there are no files more"),
    ],
)
async def test_what_the_machine_lacks_is_no_fault_of_the_film_unless_it_always_does(
    monkeypatch: pytest.MonkeyPatch, program: str, after: int | None
) -> None:
    """`after` so many looks the film is refused; until then it is to be looked at again."""
    monkeypatch.setattr(inspection, "command", lambda _path: ["sh", "-c", program])
    monkeypatch.setattr(inspection, "_SECONDS", 0.2 if "sleep" in program else 120.0)
    inspector = Inspector()
    for look in range(1, 5):
        if look == after:
            assert await inspector.inspect(Path("film")) is Refusal.TOO_COSTLY
            return
        with pytest.raises(Problem) as later:
            await inspector.inspect(Path("film"))
        assert (later.value.kind, later.value.code) == (Kind.UNAVAILABLE, "upload_being_checked")
        assert later.value.details["retryAfter"] == 10
    assert after is None


async def test_a_film_that_was_looked_at_at_last_has_been_hindered_by_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspector, film = Inspector(), films.film(tmp_path / "film")
    with monkeypatch.context() as patch:
        patch.setattr(inspection, "command", lambda _path: ["sh", "-c", "kill -KILL $$"])
        for _ in range(2):
            with pytest.raises(Problem):
                await inspector.inspect(film)
    assert isinstance(await inspector.inspect(film), Facts)


async def test_no_more_films_are_looked_at_at_once_than_the_machine_bears(tmp_path: Path) -> None:
    inspector = Inspector()
    slow = [tmp_path / f"{number}" for number in range(AT_ONCE + 1)]
    for path in slow:
        os.mkfifo(path)
    asked = [asyncio.create_task(inspector.inspect(path)) for path in slow]
    # Each process opens its file, and waits for what somebody writes.
    first = [await asyncio.to_thread(path.open, "wb") for path in slow[:AT_ONCE]]
    assert not is_looked_at(slow[-1])
    with pytest.raises(Problem) as refused:
        await inspector.inspect(slow[0])
    assert (refused.value.kind, refused.value.code) == (Kind.UNAVAILABLE, "upload_being_checked")
    for writer in first:
        writer.close()
    last = await asyncio.to_thread(slow[-1].open, "wb")
    assert is_looked_at(slow[-1])
    last.close()
    assert await asyncio.gather(*asked) == [Refusal.NOT_A_FILM] * len(slow)


def is_looked_at(path: Path) -> bool:
    """Whether there is a process to which the path was given."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(path).encode() in command.read_bytes():
                return True
    return False
