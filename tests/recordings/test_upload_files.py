"""The one file of an upload."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.uploads import files


@given(st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=10)), max_size=20))
def test_a_file_holds_what_was_acknowledged_in_its_order(chunks: list[tuple[int, bytes]]) -> None:
    path = Path("/dev/shm/upload-test")  # noqa: S108
    path.unlink(missing_ok=True)
    files.make(path)
    expected = b""
    for offset, data in chunks:
        if offset == len(expected):
            expected += data
            assert files.append(path, offset, data) == len(expected)
        else:
            with pytest.raises(files.OutOfPlace) as refused:
                files.append(path, offset, data)
            assert refused.value.offset == len(expected)
    assert path.read_bytes() == expected
    path.unlink()
