"""Films that lie in a remote store alone, of which something is lost there. Against a real S3-speaking server."""

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import av
import pytest

from database import Database
from recordings.compose.report import Finished
from recordings.compose.verify import SOUND, verify
from recordings.composing.service import Compositions
from recordings.folders import Folders, bytes_of
from recordings.models import CompositionJob, Recording
from recordings.reconciliation import Reconciliation
from recordings.renditions import FILE_NAMES, Outputs, Rendition, chapters_out, renditions_out
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.stock import look_at_one
from recordings.storage.s3 import S3Store
from recordings.storage.shelf import Shelf
from tests.factories import FakeClock
from tests.recordings.carrying.carrier import Carrier, stored_version
from tests.recordings.conftest import MakeMeeting
from tests.recordings.meetings import composed
from tests.recordings.rows import change
from tests.recordings.test_library import recorded
from tests.recordings.test_renditions import BRIEF, two_people
from tests.recordings.test_storage import Memory, content
from tests.s3 import S3Server

pytestmark = pytest.mark.one_engine

HLS = FILE_NAMES[Rendition.HLS]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A film in every form."""
    folder = tmp_path_factory.mktemp("recording")
    two_people(folder, 2.0)
    return folder, composed(folder, BRIEF)[0]


class There:
    """A recording whose film lies in the store alone, and what looks after it."""

    def __init__(
        self, database: Database, row: Recording, carrier: Carrier, settings: RecordingSettings, clock: FakeClock
    ) -> None:  # fmt: skip
        self.database, self.row, self.carrier, self.shelf = database, row, carrier, carrier.shelf
        self.reconciliation = Reconciliation(database, self.shelf.folders, self.shelf, clock, lambda _: False)
        self.compositions = Compositions(database, settings, self.shelf, clock, lambda *_: None)

    @property
    def store(self) -> S3Store:
        assert self.shelf.remote is not None
        return self.shelf.remote

    async def lose(self, name: str, left: int = 0) -> None:
        """All of a file, or all but its first bytes."""
        key = self.shelf.remote_key(self.row.id, self.row.version, name)
        begin = await content(self.store, key, 0, left)
        await self.store.delete(key)  # a prefix
        if left:
            path = self.shelf.folders.root / "cut"
            path.write_bytes(begin)
            await self.store.put(key, path, "video/mp4", Memory())

    async def look(self) -> int:
        return (await self.reconciliation.run()).lost_films

    async def mend(self) -> Recording:
        """What compositions and the way to the store make of it."""
        while await self.compositions._work_once("a" * 32):
            pass
        await self.carrier.work()
        self.row = await self.now()
        return self.row

    async def now(self) -> Recording:
        async with self.database.reading() as session:
            return await session.get_one(Recording, self.row.id)

    async def all_is_there(self) -> bool:
        """And nothing of it here but what was captured."""
        stock = await look_at_one(self.row, self.shelf)
        return all(map(stock.is_there, stock.wanted)) and not any(stock.here.values())

    async def fetched(self, name: str, to: Path) -> Path:
        entry = await self.store.stat(self.shelf.remote_key(self.row.id, self.row.version, name))
        assert entry is not None
        to.mkdir(exist_ok=True)
        (to / Path(name).name).write_bytes(await content(self.store, entry.key, 0, entry.size))
        return to / Path(name).name


@pytest.fixture
async def there(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders, s3: S3Server,
    made: tuple[Path, Finished],
) -> AsyncIterator[There]:  # fmt: skip
    folder, film = made
    row = await recorded(database, await make_meeting(), clock)
    shutil.copytree(folder, folders.of(row.id))
    await change(
        database, row, ended_at=clock(), size_bytes=film.outputs.sizes[Rendition.FILM], duration_seconds=film.duration,
        renditions=renditions_out(film.outputs), chapters=chapters_out(film.outputs.chapters),
    )  # fmt: skip
    carrier = Carrier(database, folders, s3, clock, keep_local=False)
    await carrier.work()
    async with database.reading() as session:
        row = await session.get_one(Recording, row.id)
    settings = RecordingSettings(folder=folders.root, min_free_bytes=0, niceness=0)
    found = There(database, row, carrier, settings, clock)
    assert await found.all_is_there()
    yield found
    await carrier.shelf.close()


def timed(film: Path) -> list[tuple[str, int, float]]:
    """Every packet: what it is, its bytes, and when."""
    found: list[tuple[str, int, float]] = []
    for kind in ("video", "audio"):
        with av.open(str(film)) as container:
            found.extend(
                (kind, packet.size, float(packet.pts * packet.time_base))
                for packet in container.demux(getattr(container.streams, kind)[0])
                if packet.pts is not None and packet.time_base is not None
            )
    return found


def forget_originals(there: There) -> None:
    for segment in there.shelf.folders.of(there.row.id).glob("segment-*"):
        shutil.rmtree(segment)


@pytest.mark.parametrize(
    ("captured", "losses"),
    [
        (True, [("poster.jpg", 10), ("sound.m4a", 0)]),
        (False, [("preview.jpg", 0), (f"{HLS}/480p.m4s", 1000), (f"{HLS}/240p.m3u8", 0)]),
    ],
    ids=["beside it", "of its sizes"],
)
async def test_whatever_is_lost_beside_a_film_is_made_of_it_and_nobody_is_kept_from_watching(
    there: There, made: tuple[Path, Finished], losses: Sequence[tuple[str, int]], tmp_path: Path, *, captured: bool
) -> None:  # fmt: skip
    if not captured:
        forget_originals(there)
    for name, left in losses:
        await there.lose(name, left)
    assert await there.look() == 1
    assert (await there.now()).state is RecordingState.MENDING
    row = await there.mend()
    assert (row.state, row.failure, row.version) == (RecordingState.READY, None, 2)
    assert await stored_version(there.database, row) == 2
    assert await there.all_is_there()
    assert [entry["name"] for entry in row.renditions] == [one.value for one in made[1].outputs.sizes]
    film = await there.fetched("meeting.mp4", tmp_path / "fetched")
    assert film.read_bytes() == (made[0] / "meeting.mp4").read_bytes(), "the very same"
    verify(await there.fetched("sound.m4a", tmp_path / "fetched"), None, SOUND)
    for size in ("240p", "480p", "720p"):
        await there.fetched(f"{HLS}/{size}.m4s", tmp_path / HLS)
        verify(await there.fetched(f"{HLS}/{size}.m3u8", tmp_path / HLS), row.duration_seconds)
    assert await there.look() == 0


async def test_a_film_of_which_nothing_captured_is_left_is_had_of_its_stream(
    there: There, made: tuple[Path, Finished], tmp_path: Path
) -> None:
    forget_originals(there)
    await there.lose("meeting.mp4")
    assert await there.look() == 1
    row = await there.mend()
    assert (row.state, row.failure, row.version) == (RecordingState.READY, None, 2)
    assert await there.all_is_there()
    film = await there.fetched("meeting.mp4", tmp_path / "fetched")
    assert row.duration_seconds is not None
    verify(film, row.duration_seconds)
    after, before = timed(film), timed(made[0] / "meeting.mp4")
    assert [packet[:2] for packet in after] == [packet[:2] for packet in before], (
        "the same pictures and sounds"
    )
    assert [packet[2] for packet in after] == pytest.approx([packet[2] for packet in before], abs=0.041), (
        "to a frame"
    )
    assert row.chapters == chapters_out(made[1].outputs.chapters)


async def test_what_is_left_of_a_film_for_good_is_damaged_and_what_is_not_is_gone_until_it_is_back(
    there: There, made: tuple[Path, Finished], tmp_path: Path
) -> None:
    forget_originals(there)
    await there.lose(f"{HLS}/720p.m4s", 1000)
    await there.lose("meeting.mp4", 10_000)
    assert await there.look() == 1
    row = await there.mend()
    assert (row.state, row.failure) == (RecordingState.DAMAGED, Failure.FILES_MISSING)
    assert row.size_bytes == 10_000
    assert [entry["name"] for entry in row.renditions] == ["film", "sound", "poster", "preview"]
    assert await there.look() == 0, "that is all there will be"
    await there.lose("meeting.mp4")
    assert await there.look() == 1
    row = await there.now()
    assert (row.state, row.failure) == (RecordingState.FAILED, Failure.FILES_MISSING)
    assert await there.look() == 0
    (tmp_path / "back").write_bytes((made[0] / "meeting.mp4").read_bytes()[:10_000])
    await there.store.put(
        there.shelf.remote_key(row.id, row.version, "meeting.mp4"), tmp_path / "back", "video/mp4", Memory()
    )
    assert (await there.reconciliation.run()).returned == 1


async def test_a_film_is_fetched_to_be_mended_only_where_there_is_room_and_the_store_answers(
    there: There, s3: S3Server, clock: FakeClock
) -> None:
    await there.lose("poster.jpg")
    assert await there.look() == 1
    s3.kill()
    for _ in range(3):
        assert await there.compositions._work_once("a" * 32)
        clock.advance(61)
    row = await there.now()
    assert (row.state, row.failure, row.version) == (RecordingState.READY, None, 1), "what it was"
    await s3.start()
    assert await there.look() == 1, "and found again"
    there.compositions._room._settings = there.compositions._settings.model_copy(
        update={"min_free_bytes": 1 << 60}
    )
    assert await there.compositions._work_once("a" * 32)
    async with there.database.reading() as session:
        assert (await session.get_one(CompositionJob, row.id)).no_room_since is not None
    assert not (there.shelf.folders.of(row.id) / "meeting.mp4").exists()


async def test_a_machine_that_knows_of_no_store_takes_no_film_for_lost(
    there: There, clock: FakeClock
) -> None:
    forget_originals(there)
    await there.lose("poster.jpg")
    assert await there.look() == 1
    settings = there.compositions._settings
    apart = Compositions(there.database, settings, Shelf(settings.folder, None), clock, lambda *_: None)
    for _ in range(settings.attempts):
        assert await apart._work_once("b" * 32)
        clock.advance(61)
    row = await there.now()
    assert (row.state, row.version) == (RecordingState.READY, 1)


async def test_another_bucket_costs_no_film(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders, s3: S3Server
) -> None:
    rows = [await recorded(database, await make_meeting(), clock) for _ in range(10)]
    for row in rows:
        folders.segment(row.id, 1).mkdir(parents=True)
        (folders.segment(row.id, 1) / "track.mkv").write_bytes(b"packets")
        kept = renditions_out(Outputs({Rendition.FILM: 4}))
        await change(database, row, ended_at=clock(), stored_version=1, renditions=kept)
    shelf = Shelf(folders.root, s3.settings.model_copy(update={"prefix": "misspelt/"}))
    reconciliation = Reconciliation(database, folders, shelf, clock, lambda _: False)
    assert (await reconciliation.run()).lost_films == 0
    async with database.reading() as session:
        states = {(await session.get_one(Recording, row.id)).state for row in rows}
    assert states == {RecordingState.READY}
    assert bytes_of(folders.root) == 10 * len(b"packets")
    await shelf.close()
