"""Files that stay open: what their names mean now, and when they are let go."""

import os
from pathlib import Path

import pytest

from recordings.storage.open_files import KEPT_SECONDS, MOST_OPEN, OpenFile, OpenFiles
from tests.recordings.conftest import until


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def content(file: OpenFile) -> bytes:
    return os.pread(file.descriptor, 100, 0)


def is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


async def test_a_file_is_opened_once_for_all_who_read_it(tmp_path: Path) -> None:
    files, path = OpenFiles(), written(tmp_path / "film", b"a film")
    first = await files.get(path)
    assert await files.get(path) is first
    assert (content(first), first.size) == (b"a film", 6)
    files.close()


async def test_a_name_that_means_another_file_now_is_answered_with_that_one(tmp_path: Path) -> None:
    files, path = OpenFiles(), written(tmp_path / "film", b"before")
    before = await files.get(path)
    (tmp_path / "anew").write_bytes(b"anew")
    (tmp_path / "anew").replace(path)
    assert content(await files.get(path)) == b"anew"
    assert content(before) == b"before", "who reads it still reads the same one to its end"
    files.close()


async def test_what_was_removed_is_not_there_though_it_was_open(tmp_path: Path) -> None:
    files, path = OpenFiles(), written(tmp_path / "film", b"a film")
    descriptor = (await files.get(path)).descriptor
    Path(path).unlink()
    with pytest.raises(FileNotFoundError):
        await files.get(path)
    await until(lambda: is_closed(descriptor))
    with pytest.raises(FileNotFoundError):
        await files.get(str(tmp_path))  # a folder is no file


async def test_what_nobody_has_read_for_a_while_is_closed(tmp_path: Path) -> None:
    files = OpenFiles()
    unused = (await files.get(written(tmp_path / "unused", b""))).descriptor
    used = await files.get(written(tmp_path / "used", b""))
    files._files[str(tmp_path / "unused")].used -= KEPT_SECONDS
    files._sweep()
    await until(lambda: is_closed(unused))
    assert not is_closed(used.descriptor)
    files.close()


async def test_only_so_many_stay_open(tmp_path: Path) -> None:
    files = OpenFiles()
    paths = [written(tmp_path / str(number), b"") for number in range(MOST_OPEN + 1)]
    opened = [await files.get(path) for path in paths[:2]]
    assert await files.get(paths[0]) is opened[0]
    for path in paths[2:]:
        await files.get(path)
    assert await files.get(paths[0]) is opened[0]
    assert await files.get(paths[1]) is not opened[1], "it was the longest unused"
    files.close()
