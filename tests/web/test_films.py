"""The film itself over HTTP: whole, in parts, as a stream; to whoever may watch it, as long as he may."""

import asyncio
import os
import re
from email.parser import BytesParser
from pathlib import Path
from time import monotonic

import av
import pytest
from aiohttp import ClientPayloadError
from sqlalchemy import update
from yarl import URL

from members.policy import Audience
from recordings.compose.film import PicturePart, Reel, Size
from recordings.compose.hls import package
from recordings.folders import Folders
from recordings.models import Recording
from recordings.renditions import Outputs, Rendition, renditions_out
from recordings.states import RecordingState
from rooms.meetings.models import Invitation
from tests.recordings.films import sound_alone
from tests.web.conftest import House, Village
from tests.web.test_recordings import FILM, record
from web.grants import GRANT_SECONDS
from web.services import EDGE


@pytest.mark.parametrize(
    ("asked", "status", "answered", "part"),
    [
        (None, 200, None, slice(None)),
        ("bytes=0-", 206, "bytes 0-10239/10240", slice(0, None)),
        ("bytes=0-99", 206, "bytes 0-99/10240", slice(0, 100)),
        ("bytes=5000-5001", 206, "bytes 5000-5001/10240", slice(5000, 5002)),
        ("bytes=-100", 206, "bytes 10140-10239/10240", slice(-100, None)),
        ("bytes=10000-99999", 206, "bytes 10000-10239/10240", slice(10000, None)),
        ("bytes=0-9,5-20", 206, "bytes 0-20/10240", slice(0, 21)),
        ("potatoes=1-2", 200, None, slice(None)),
    ],
)
async def test_the_film_comes_whole_or_in_parts(
    house: House, village: Village, asked: str | None, status: int, answered: str | None, part: slice
) -> None:
    row = await record(house, village)
    headers = {"Range": asked} if asked else {}
    async with village.party_member.client.get(
        f"/api/recordings/{row.id}/media", headers=headers
    ) as response:
        assert response.status == status
        assert response.content_type == "video/mp4"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers.get("Content-Range") == answered
        assert "private" in response.headers["Cache-Control"]
        assert await response.read() == FILM[part]


@pytest.mark.parametrize(
    "asked", ["bytes=20000-", "bytes=5-2", "bytes=x-y", "bytes=-", "bytes=0-1" + ",3-4" * 20]
)
async def test_a_part_that_is_not_there_is_refused_with_the_size(
    house: House, village: Village, asked: str
) -> None:
    row = await record(house, village)
    refused = await village.party_member.get(f"/api/recordings/{row.id}/media", headers={"Range": asked})
    assert refused.status == 416
    assert refused.headers["Content-Range"] == "bytes */10240"


async def test_a_film_that_is_known_is_not_sent_again(house: House, village: Village) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/media"
    async with village.party_member.client.get(path) as first:
        etag = first.headers["ETag"]
        await first.read()
    async with village.party_member.client.get(path, headers={"If-None-Match": etag}) as again:
        assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{etag}", 206),
        ("  {etag} ", 206),
        ('"another"', 200),
        ("W/{etag}", 200),  # a weak one promises no bytes
        ("{etag}, {etag}", 200),
        ("*", 200),
        ("Fri, 27 Nov 2026 08:00:00 GMT", 200),
        ("Fri, 27 Nov 1998 08:00:00 GMT", 200),
    ],
)
async def test_a_part_comes_only_of_the_very_film_that_the_rest_is_of(
    house: House, village: Village, condition: str, status: int
) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/media"
    async with village.party_member.client.get(path) as first:
        etag = first.headers["ETag"]
    assert re.fullmatch('"[!-~]+"', etag), "strong"
    wanted = {"Range": "bytes=10-19", "If-Range": condition.format(etag=etag)}
    async with village.party_member.client.get(path, headers=wanted) as found:
        assert (found.status, await found.read()) == (status, FILM[10:20] if status == 206 else FILM)


async def test_of_several_parts_none_is_of_a_film_that_came_meanwhile(house: House, village: Village) -> None:
    """Be it as large as the one before, and the records not know of it yet."""
    row = await record(house, village)
    film = Folders(house.recordings).film(row.id)
    await asyncio.to_thread(os.truncate, film, 200_000_000)  # more than any buffer on the way holds
    parts = {"Range": "bytes=0-99999999,150000000-150000009"}
    async with village.party_member.client.get(f"/api/recordings/{row.id}/media", headers=parts) as sent:
        assert sent.status == 206
        await sent.content.readexactly(100_000)
        other = film.with_name("anew")
        await asyncio.to_thread(other.touch)
        await asyncio.to_thread(os.truncate, other, 200_000_000)
        await asyncio.to_thread(other.replace, film)
        with pytest.raises(ClientPayloadError):
            await sent.content.read()


async def test_the_film_is_kept_from_others(house: House, village: Village) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/media"
    assert (await village.nobody.get(path)).code == "not_signed_in"
    for caller in (village.sibling_secretary, village.other_committee, village.resident):
        assert (await caller.get(path)).code == "recording_not_found"
    for caller in (village.district, village.committee, village.secretary):
        assert (await caller.get(path)).status == 200


async def test_a_film_that_is_not_composed_is_a_conflict(house: House, village: Village) -> None:
    row = await record(house, village, RecordingState.COMPOSING)
    refused = await village.party_member.get(f"/api/recordings/{row.id}/media")
    assert (refused.status, refused.code) == (409, "recording_not_playable")
    assert refused.body["error"]["details"] == {"state": "composing"}


async def streamed(house: House, row: Recording) -> None:
    """Give the recording a stream of two seconds in two sizes."""

    def make() -> None:
        folder = Folders(house.recordings).of(row.id)
        sound = sound_alone(folder / "sound.m4a")
        reels = {}
        for size in (Size(320, 180, 100_000), Size(160, 90, 50_000)):
            part = PicturePart(folder / size.name, size)
            for _ in range(50):
                part.add(av.VideoFrame(size.width, size.height, "yuv420p"))
            part.finish()
            reels[size] = Reel([(0, folder / size.name)], sound, 2.0)
        package(reels, folder / "hls")

    await asyncio.to_thread(make)
    async with house.database.transaction() as session:
        kept = await session.get_one(Recording, row.id)
        kept.renditions = renditions_out(Outputs({Rendition.FILM: len(FILM), Rendition.HLS: 5}))


def divide(hls: Path) -> None:
    """As recordings made earlier have it: the head and each segment are files of their own."""
    for playlist in hls.glob("*p.m3u8"):
        text, film = playlist.read_text(), playlist.with_suffix(".m4s")
        whole = film.read_bytes()
        head = re.search(r'URI="([^"]+)",BYTERANGE="(\d+)@0"', text)
        assert head is not None
        film.with_name(f"{film.stem}-init.mp4").write_bytes(whole[: int(head[2])])
        text = text.replace(head[0], f'URI="{film.stem}-init.mp4"')
        for number, part in enumerate(re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n", text)):
            size, begin = map(int, part)
            piece = film.with_name(f"{film.stem}-{number:05}.m4s")
            piece.write_bytes(whole[begin : begin + size])
            text = text.replace(f"#EXT-X-BYTERANGE:{size}@{begin}\n{film.name}\n", f"{piece.name}\n")
        playlist.write_text(text)
        film.unlink()


@pytest.mark.parametrize("divided", [False, True], ids=["in one file", "in many"])
async def test_a_player_plays_the_stream_and_changes_its_size(
    house: House, village: Village, divided: bool
) -> None:
    row = await record(house, village)
    await streamed(house, row)
    if divided:
        await asyncio.to_thread(divide, Folders(house.recordings).of(row.id) / "hls")
    caller = village.party_member
    assert (await caller.get(f"/api/recordings/{row.id}")).body["renditions"] == ["film", "hls"]
    master = str(caller.client.make_url(f"/api/recordings/{row.id}/hls/master.m3u8"))
    cookies = "; ".join(f"{one.key}={one.value}" for one in caller.client.session.cookie_jar)

    def play() -> list[tuple[int, int]]:
        with av.open(master, options={"headers": f"Cookie: {cookies}\r\n"}) as container:
            counted = [0] * len(container.streams)
            for packet in container.demux():
                counted[packet.stream.index] += len(packet.decode())
            return [(one.height, counted[one.index]) for one in container.streams.video]

    assert sorted(await asyncio.to_thread(play)) == [(90, 50), (180, 50)]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl"),
        ("180p.m3u8", "application/vnd.apple.mpegurl"),
        ("180p.m4s", "video/iso.segment"),
    ],
)
async def test_a_file_of_the_stream_is_had_as_the_film_is(
    house: House, village: Village, file: str, kind: str
) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/hls/{file}"
    assert (await village.party_member.get(path)).code == "rendition_not_found"
    await streamed(house, row)
    content = (Folders(house.recordings).of(row.id) / "hls" / file).read_bytes()
    async with village.party_member.client.get(path) as found:
        assert (found.status, found.content_type, await found.read()) == (200, kind, content)
        assert "private" in found.headers["Cache-Control"]
        etag = found.headers["ETag"]
    async with village.party_member.client.get(path, headers={"If-None-Match": etag}) as again:
        assert again.status == 304
    async with village.party_member.client.get(path, headers={"Range": "bytes=2-5"}) as part:
        assert (part.status, await part.read()) == (206, content[2:6])
    assert (await village.nobody.get(path)).code == "not_signed_in"
    assert (await village.sibling_secretary.get(path)).code == "recording_not_found"


async def test_playlists_come_compressed_to_who_takes_it(house: House, village: Village) -> None:
    row = await record(house, village)
    await streamed(house, row)
    for file, coding in (("180p.m3u8", "gzip"), ("180p.m4s", None)):
        path = f"/api/recordings/{row.id}/hls/{file}"
        content = (Folders(house.recordings).of(row.id) / "hls" / file).read_bytes()
        async with village.party_member.client.get(path, headers={"Accept-Encoding": "gzip"}) as found:
            assert found.headers.get("Content-Encoding") == coding
            assert await found.read() == content
        async with village.party_member.client.get(path, headers={"Accept-Encoding": "identity"}) as found:
            assert (found.headers.get("Content-Encoding"), await found.read()) == (None, content)


@pytest.mark.parametrize("file", ["media", "hls/180p.m4s"])
async def test_a_player_is_told_that_the_film_is_another_one(
    house: House, village: Village, file: str
) -> None:
    row = await record(house, village)
    await streamed(house, row)
    path = f"/api/recordings/{row.id}/{file}"
    version = (await village.party_member.get(f"/api/recordings/{row.id}")).body["version"]
    async with village.party_member.client.get(f"{path}?version={version}") as found:
        assert found.status == 200
    other = await village.party_member.get(f"{path}?version={version + 1}")
    assert (other.status, other.code) == (409, "recording_renewed")
    assert (await village.party_member.get(f"{path}?version=-1")).status == 422


async def test_nothing_but_the_stream_is_had_by_its_call(house: House, village: Village) -> None:
    row = await record(house, village)
    await streamed(house, row)
    for trick in (
        "..", "%2e%2e", "../meeting.mp4", "..%2fmeeting.mp4", "%2e%2e%2fmeeting.mp4", "..%5cmeeting.mp4", "meeting.mp4",
        "180p.m3u8%00", "180p.m3u8%0a", "", "180p", "x" * 65, "%2fetc%2fpasswd", "180p-1.m4s",
    ):  # fmt: skip
        url = URL(f"/api/recordings/{row.id}/hls/{trick}", encoded=True)
        async with village.party_member.client.get(url) as answered:
            assert answered.status == 404, trick


async def test_several_parts_come_in_one_answer(house: House, village: Village) -> None:
    row = await record(house, village)
    headers = {"Range": "bytes=0-9,5000-5009"}
    async with village.party_member.client.get(f"/api/recordings/{row.id}/media", headers=headers) as found:
        assert (found.status, found.content_type) == (206, "multipart/byteranges")
        body = await found.read()
        message = BytesParser().parsebytes(
            b"Content-Type: " + found.headers["Content-Type"].encode() + b"\r\n\r\n" + body
        )
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert [(part["Content-Range"], part.get_payload(decode=True)) for part in parts] == [
        ("bytes 0-9/10240", FILM[:10]), ("bytes 5000-5009/10240", FILM[5000:5010]),
    ]  # fmt: skip


async def test_head_tells_of_the_film_without_sending_it(house: House, village: Village) -> None:
    row = await record(house, village)
    head = await village.party_member(
        "HEAD", f"/api/recordings/{row.id}/media", headers={"Range": "bytes=0-9"}
    )
    assert (head.status, head.headers["Content-Length"], head.headers["Content-Type"]) == (
        200, "10240", "video/mp4",
    )  # fmt: skip


async def test_ranges_ask_the_records_once_and_a_right_taken_away_bites_within_seconds(
    house: House, village: Village
) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/media"
    assert (await village.party_member.get(path)).status == 200
    async with house.database.transaction() as session:
        (await session.get_one(Recording, row.id)).audience = Audience.INVITED
        await session.execute(update(Invitation).values(struck=True))
    assert (await village.party_member.get(path)).status == 200, "known from a moment ago"
    assert (await village.nobody.get(path)).status == 401, "and to nobody else"
    house.server.app[EDGE].grants._now = lambda: monotonic() + GRANT_SECONDS
    assert (await village.party_member.get(path)).status == 404


async def test_a_film_whose_end_is_not_there_any_more_is_cut_off_and_not_filled_with_words(
    house: House, village: Village
) -> None:
    row = await record(house, village)
    film = Folders(house.recordings).film(row.id)
    await asyncio.to_thread(os.truncate, film, 200_000_000)
    async with village.party_member.client.get(f"/api/recordings/{row.id}/media") as sent:
        assert await sent.content.readexactly(len(FILM)) == FILM
        await asyncio.to_thread(os.truncate, film, len(FILM))
        with pytest.raises(ClientPayloadError):
            await sent.content.read()


@pytest.mark.parametrize("now", [None, FILM + b"anew"], ids=["deleted", "made anew"])
async def test_of_a_film_that_is_another_one_by_now_nothing_more_is_sent(
    house: House, village: Village, now: bytes | None
) -> None:
    row = await record(house, village)
    film, path = Folders(house.recordings).film(row.id), f"/api/recordings/{row.id}/media"
    part = {"Range": "bytes=0-9"}
    async with village.party_member.client.get(path, headers=part) as sent:
        assert await sent.read() == FILM[:10]
    if now is None:
        await asyncio.to_thread(film.unlink)
    else:
        await asyncio.to_thread(film.with_name("anew").write_bytes, now)
        await asyncio.to_thread(film.with_name("anew").replace, film)
    refused = await village.party_member.get(path, headers=part)
    assert (refused.status, refused.code) == (503, "store_unavailable")
    house.server.app[EDGE].grants._now = lambda: monotonic() + GRANT_SECONDS
    async with house.database.transaction() as session:
        (await session.get_one(Recording, row.id)).version += 1
    async with village.party_member.client.get(path, headers=part) as sent:
        if now is None:
            assert sent.status == 409
        else:
            assert await sent.read() == now[:10]


async def test_an_empty_film_is_sent_whole_and_has_no_parts(house: House, village: Village) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/media"
    await asyncio.to_thread(os.truncate, Folders(house.recordings).film(row.id), 0)
    async with village.party_member.client.get(path) as whole:
        assert (whole.status, await whole.read()) == (200, b"")
    refused = await village.party_member.get(path, headers={"Range": "bytes=0-"})
    assert (refused.status, refused.headers["Content-Range"]) == (416, "bytes */0")


async def test_a_film_that_is_being_sent_stops_when_the_right_is_taken_away(
    house: House, village: Village
) -> None:
    row = await record(house, village)
    film = Folders(house.recordings).film(row.id)
    await asyncio.to_thread(os.truncate, film, 200_000_000)  # more than any buffer on the way holds
    async with village.party_member.client.get(f"/api/recordings/{row.id}/media") as sent:
        assert await sent.content.readexactly(len(FILM)) == FILM
        house.server.app[EDGE].grants._now = lambda: monotonic() + GRANT_SECONDS
        assert len(await sent.content.readexactly(20_000_000)) == 20_000_000, "asked again, and still granted"
        async with house.database.transaction() as session:
            (await session.get_one(Recording, row.id)).audience = Audience.INVITED
            await session.execute(update(Invitation).values(struck=True))
        house.server.app[EDGE].grants._now = lambda: monotonic() + 2 * GRANT_SECONDS
        with pytest.raises(ClientPayloadError):
            await sent.content.read()


@pytest.mark.parametrize("change", [{"downloadable": False}, {"version": 2}], ids=["forbidden", "made anew"])
async def test_a_download_stops_when_it_is_not_allowed_any_more_or_the_film_is_another(
    house: House, village: Village, change: dict[str, object]
) -> None:
    row = await record(house, village)
    await village.secretary("PATCH", f"/api/recordings/{row.id}", {"downloadable": True})
    await asyncio.to_thread(os.truncate, Folders(house.recordings).film(row.id), 200_000_000)
    async with village.party_member.client.get(f"/api/recordings/{row.id}/download") as sent:
        assert await sent.content.readexactly(len(FILM)) == FILM
        house.server.app[EDGE].grants._now = lambda: monotonic() + GRANT_SECONDS
        assert len(await sent.content.readexactly(20_000_000)) == 20_000_000, "asked again, and still allowed"
        async with house.database.transaction() as session:
            await session.execute(update(Recording).values(**change))
        house.server.app[EDGE].grants._now = lambda: monotonic() + 2 * GRANT_SECONDS
        with pytest.raises(ClientPayloadError):
            await sent.content.read()


async def test_a_film_is_taken_away_only_where_its_settings_say_so(house: House, village: Village) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/download"
    assert (await village.party_member.get(path)).code == "download_not_allowed"
    assert (await village.secretary.get(path)).code == "download_not_allowed"
    changed = await village.secretary("PATCH", f"/api/recordings/{row.id}", {"downloadable": True})
    assert changed.body["downloadable"]
    assert (await village.sibling_secretary.get(path)).code == "recording_not_found"
    async with village.party_member.client.get(path) as response:
        assert response.status == 200
        disposition = response.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename=\"recording.mp4\"; filename*=UTF-8''%E5")
        assert await response.read() == FILM
    async with village.party_member.client.get(f"/api/recordings/{row.id}/media") as response:
        assert "Content-Disposition" not in response.headers
