"""The benchmark of capture alone captures all of what it counts."""

from pathlib import Path

from bench.capturing import PEOPLE, measure


def test_a_second_of_ten_people_is_captured(tmp_path: Path) -> None:
    assert "for 2600 packets a second" in measure(tmp_path, 1)
    assert len(list(tmp_path.glob("*/*.mkv"))) == 2 * PEOPLE
