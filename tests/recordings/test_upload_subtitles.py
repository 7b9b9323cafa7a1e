"""What becomes of the subtitles that stand in a film made elsewhere."""

from pathlib import Path

import pytest

from database import Database
from members.policy import RoleName
from recordings import repository
from recordings.captions.rules import CaptionsFile
from recordings.captions.service import Captions, of_recording, understood
from recordings.captions.webvtt import MOST_BYTES, MOST_CUES, Cue, fitting, parse, write
from recordings.compose.report import Finished
from recordings.composing import process
from recordings.models import Recording
from recordings.renditions import Outputs, Rendition
from recordings.uploads import conversion
from recordings.uploads.subtitles import read_subtitles
from tests.factories import FakeClock, Records, Tree
from tests.recordings import films
from tests.recordings.conftest import ENDS, Centers, Heard, ToCompose
from tests.recordings.films import Subtitles
from tests.recordings.rows import change
from tests.recordings.test_composing import saying

SAID = ((100, 600, "同志们\n请坐"), (700, 1500, "a < b & c"))
READ = (Cue(0.1, 0.6, "同志们\n请坐"), Cue(0.7, 1.5, "a < b & c"))


def read(path: Path, begin: float = 0.0) -> list[tuple[str, str, tuple[Cue, ...]]]:
    """As the library takes them."""
    found = understood(read_subtitles(path, begin, 2.0, "字幕"))
    return [(one.language, one.label, parse(one.text)) for one in found]


@pytest.mark.parametrize(("container", "codec"), [("mp4", "mov_text"), ("matroska", "subrip")])
def test_subtitles_of_a_film_become_captions(tmp_path: Path, container: str, codec: str) -> None:
    track = Subtitles(codec, "chi", SAID)
    [(language, label, cues)] = read(films.subtitled(tmp_path / "film", track, container=container))
    assert (language, label) == ("zh-CN", "中文")
    assert [cue.text for cue in cues] == [cue.text for cue in READ]
    for cue, said in zip(cues, READ, strict=True):
        assert (cue.begin, cue.end) == pytest.approx((said.begin, said.end), abs=0.05), (
            "containers shift a frame"
        )


def test_a_film_is_converted_with_its_subtitles_and_a_second_attempt_has_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)  # this process has more to do
    source = films.subtitled(tmp_path / "film", Subtitles("mov_text", "chi", SAID))
    folder = tmp_path / "recording"
    folder.mkdir()
    made = conversion.convert(folder, source, lambda _: None)
    assert [(one.language, parse(one.text)) for one in made.captions] == [("zh-CN", READ)]
    assert conversion.convert(folder, source, lambda _: None) == made, "of its note"


def test_each_is_offered_under_a_language_of_its_own(tmp_path: Path) -> None:
    tracks = [
        Subtitles("subrip", "chi", SAID, "简体"),
        Subtitles("subrip", "zho", SAID),
        Subtitles("subrip", "eng", SAID),
        Subtitles("subrip", "", SAID),
        Subtitles("subrip", "kor", SAID),
        Subtitles("subrip", "eng", ()),
        Subtitles("dvd_subtitle", "fra", SAID),  # pictures of text
    ]
    found = read(films.subtitled(tmp_path / "film", *tracks, container="matroska"))
    assert [(language, label) for language, label, _ in found] == [
        ("zh-CN", "简体"), ("zh-track2", "中文 2"), ("en", "English"), ("und", "字幕"), ("kor", "kor"),
    ]  # fmt: skip


def test_they_stay_with_the_pictures_and_within_the_film(tmp_path: Path) -> None:
    cues = (
        (500, 900, "before"),
        (900, 1400, "at the beginning"),
        (2900, 9000, "at the end"),
        (9000, 9500, "after"),
    )
    path = films.subtitled(
        tmp_path / "film", Subtitles("subrip", "chi", cues), container="matroska", start=25
    )
    [(_, _, shown)] = read(path, begin=1.0)
    assert [cue.text for cue in shown] == ["at the beginning", "at the end"]
    assert shown[0].begin == 0
    assert shown[1].end == pytest.approx(2.0)


def test_a_line_that_never_ends_ends_with_the_next_or_when_it_has_been_read(tmp_path: Path) -> None:
    cues = ((100, 100, "one"), (600, 600, "two"))
    path = films.subtitled(tmp_path / "film", Subtitles("subrip", "chi", cues), container="matroska")
    [(_, _, shown)] = read(path)
    assert [(cue.text, round(cue.end - cue.begin, 1)) for cue in shown] == [("one", 0.5), ("two", 1.4)]


def test_a_file_of_captions_takes_as_many_as_players_bear() -> None:
    many = [Cue(at, at + 1, "x") for at in range(MOST_CUES + 5)]
    assert len(parse(write(fitting(many)))) <= MOST_CUES
    long = [Cue(at, at + 1, "字" * 1000) for at in range(500)]
    kept = write(fitting(long))
    assert MOST_BYTES * 0.9 < len(kept.encode()) <= MOST_BYTES
    assert parse(kept)


@pytest.mark.parametrize(
    ("language", "label", "text"),
    [
        ("../../etc", "中文", write(READ)),
        ("zh", "", write(READ)),
        ("zh", "x" * 41, write(READ)),
        ("zh", "中文", "<script>"),
        ("zh", "中文", "WEBVTT\n\n00:00:01.000 --> 00:00:00.000\nbackwards"),
    ],
)
def test_what_whoever_read_the_film_says_goes_no_further_than_an_upload(
    language: str, label: str, text: str
) -> None:
    whole = CaptionsFile("en", "English", write(READ))
    assert understood([CaptionsFile(language, label, text), whole]) == (whole,)


@pytest.mark.one_engine
async def test_they_are_offered_with_the_film_and_not_again_when_somebody_has_taken_them_away(
    centers: Centers,
    database: Database,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
    records: Records,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secretary = await records.actor((RoleName.SECRETARY, tree.branch))
    meeting, row = await to_compose(0.2)
    await change(database, row, uploader_account_id=secretary.account_id)
    found = (CaptionsFile("zh-CN", "中文", write(READ)), CaptionsFile("en", "English", write(READ)))
    made = Finished(1.0, Outputs({Rendition.FILM: 1}), None, captions=found)
    monkeypatch.setattr(process, "command", lambda *_: saying(made))
    captions = Captions(database, clock)
    await captions.put(secretary, row.id, "en", "Ours", "WEBVTT\n\n00:01.000 --> 00:02.000\nours\n")
    center = await centers.start()
    await heard.reaches(meeting.id, *ENDS)
    assert parse(await captions.text(secretary, row.id, "zh-CN")) == READ
    assert "ours" in await captions.text(secretary, row.id, "en")

    await captions.remove(secretary, row.id, "zh-CN")
    async with database.transaction() as session:
        await repository.enqueue(session, await session.get_one(Recording, row.id), clock())
    heard.told.clear()
    center._compositions.wake()
    await heard.reaches(meeting.id, *ENDS)
    async with database.reading() as session:
        assert [one.language for one in await of_recording(session, row.id)] == ["en"]
