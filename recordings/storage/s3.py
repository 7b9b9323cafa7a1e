"""The remote store: a bucket of any S3-compatible service."""

import asyncio
import base64
import hashlib
import io
import math
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recordings.storage.ahead import read_ahead
from recordings.storage.connections import Connections, Use
from recordings.storage.pace import read_whole, written
from recordings.storage.settings import StorageSettings
from recordings.storage.store import Entry, Fault, Ledger, Part, PartialUpload, Piece, StoreError

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import ListObjectsV2OutputTypeDef

# S3's own limit is 10,000 parts an upload.
_MOST_PARTS: Final = 9_000
# So long whoever watches, or wants to, waits for a store that says nothing; for a piece of a film twice (`ahead`).
_PATIENCE_SECONDS: Final = 10
# Each for as long as one piece takes: many more than so many watch, and further pieces wait for a moment.
_FILMS: Final = Use(most=256, attempts=1, silent_seconds=_PATIENCE_SECONDS)
# One film at a time is sent, one removed, all are looked for; a part that was sent may take the store a while.
_SILENT_SECONDS: Final = 30
_ANYTHING_ELSE: Final = Use(most=32, attempts=2, silent_seconds=_SILENT_SECONDS)
# For both attempts. Amazon's answers a word now and then while it joins the parts of a large film, for minutes.
_ANSWER_SECONDS: Final = 90
_JOINING_SECONDS: Final = 900
# Of an address by which pieces are fetched; half of it, until a new one is made: a machine's own role may end sooner.
_SIGNED_SECONDS: Final = 600
_MD5: Final = re.compile("[0-9a-f]{32}")
_STRONG_TAG: Final = re.compile('"[^"]+"')
_DELETED_AT_ONCE: Final = 16


class S3Store:
    """One bucket, under one prefix. Connections are made at their first use."""

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        self._bucket = settings.bucket
        self._connections = Connections(settings)

    async def put(self, key: str, path: Path, content_type: str, ledger: Ledger) -> None:
        """Send a file; a large one in parts, of which those that arrived in an earlier attempt are not sent again."""
        size = (await asyncio.to_thread(path.stat)).st_size
        if size <= self._settings.part_bytes:
            await self._put_whole(key, path, size, content_type, ledger)
        else:
            await self._put_parts(key, path, size, content_type, ledger)
        found = await self.stat(key)
        if found is None or found.size != size:
            raise StoreError(Fault.CORRUPTED, f"{found.size if found else 'no'} bytes of {size} arrived")

    async def stat(self, key: str) -> Entry | None:
        """The object's size, or None."""
        try:
            async with self._asking(_PATIENCE_SECONDS) as client:
                found = await client.head_object(Bucket=self._bucket, Key=self._full(key))
        except StoreError as error:
            if error.fault is Fault.MISSING:
                return None
            raise
        return Entry(key, found["ContentLength"], found.get("ETag", ""))

    async def read(self, entry: Entry, begin: int, end: int) -> AsyncGenerator[Piece]:
        """Each piece is asked for by itself: who watches for hours, or stops to, has no connection meanwhile."""
        tag, address, signed = entry.tag, "", -math.inf
        loop = asyncio.get_running_loop()

        async def fetch(begin: int, end: int) -> bytes:
            nonlocal tag, address, signed
            if loop.time() - signed > _SIGNED_SECONDS / 2:
                address, signed = await self._sign(_FILMS, entry.key, _SIGNED_SECONDS), loop.time()
            piece, tag = await self._fetch(address, replace(entry, tag=tag), begin, end)
            return piece

        async with aclosing(read_ahead(fetch, begin, end)) as pieces:
            async for piece in pieces:
                yield piece

    async def _fetch(self, address: str, entry: Entry, begin: int, end: int) -> tuple[bytes, str]:
        """The bytes, and the tag of the object that they are of: the entry's, where that is known already."""
        headers = {"Range": f"bytes={begin}-{end - 1}"}
        if _STRONG_TAG.fullmatch(entry.tag):
            headers["If-Match"] = entry.tag
        async with self._connections.get_part(_FILMS, address, headers, _PATIENCE_SECONDS) as found:
            tag = found.headers.get("ETag", "")
            whole = found.headers.get("Content-Range") == f"bytes {begin}-{end - 1}/{entry.size}"
            if not whole or tag != (entry.tag or tag):  # not every service looks at If-Match
                raise StoreError(Fault.MISSING, "another file")
            piece = await read_whole(found.content, end - begin, _PATIENCE_SECONDS)
            if len(piece) != end - begin:
                raise StoreError(Fault.UNREACHABLE, "cut off")
            return piece, tag

    async def entries(self, prefix: str) -> AsyncIterator[Entry]:
        """A thousand at a time."""
        async for found in self._pages(Prefix=self._full(prefix)):
            for entry in self._listed(found):
                yield entry

    async def between(self, first: str, last: str) -> AsyncIterator[Entry]:
        """Every file in the folders of these names and in those between them, a thousand at a time.

        StoreError for a service that does not list in the order of names (Amazon's directory buckets): there nobody
        could tell where to stop.
        """
        before, end = "", f"{last}/"
        async for found in self._pages(Prefix=self._settings.prefix, StartAfter=self._full(first)):
            for entry in self._listed(found):
                if entry.key < before:
                    raise StoreError(Fault.REFUSED, "it lists in no order")
                before = entry.key
                if entry.key > end and not entry.key.startswith(end):
                    return
                yield entry

    async def folders(self) -> set[str]:
        """The first parts of the keys, asked for as such and not file by file."""
        skip = len(self._settings.prefix)
        names: set[str] = set()
        async for found in self._pages(Prefix=self._settings.prefix, Delimiter="/"):
            names |= {item["Prefix"][skip:].rstrip("/") for item in found.get("CommonPrefixes", [])}
            names |= {entry.key for entry in self._listed(found)}
        return names

    async def _pages(self, **asked: Any) -> AsyncIterator["ListObjectsV2OutputTypeDef"]:
        token: str | None = None
        while True:
            more: Any = {"ContinuationToken": token} if token else {}
            async with self._asking() as client:
                found = await client.list_objects_v2(Bucket=self._bucket, **asked, **more)
            yield found
            token = found.get("NextContinuationToken")
            if not found.get("IsTruncated") or not token:
                return

    def _listed(self, page: "ListObjectsV2OutputTypeDef") -> list[Entry]:
        skip = len(self._settings.prefix)
        return [Entry(item["Key"][skip:], item["Size"]) for item in page.get("Contents", [])]

    async def delete(self, prefix: str) -> int:
        """One by one, some at a time: the call that deletes many at once is not understood by every service."""
        keys = [entry.key async for entry in self.entries(prefix)]
        for begin in range(0, len(keys), _DELETED_AT_ONCE):
            await asyncio.gather(*map(self._delete_one, keys[begin : begin + _DELETED_AT_ONCE]))
        await self._abort_uploads(prefix)
        return len(keys)

    async def _delete_one(self, key: str) -> None:
        async with self._asking() as client:
            await client.delete_object(Bucket=self._bucket, Key=self._full(key))

    async def signed_url(self, key: str, seconds: int) -> str | None:
        """Signed here; the store is not asked."""
        return await self._sign(_ANYTHING_ELSE, key, seconds)

    async def _sign(self, use: Use, key: str, seconds: int) -> str:
        async with self._connections.asking(use) as client:
            return await client.generate_presigned_url(
                "get_object", {"Bucket": self._bucket, "Key": self._full(key)}, ExpiresIn=seconds
            )

    async def check(self) -> None:
        """Ask for one name in the bucket, which tells wrong credentials from a wrong bucket; HEAD cannot."""
        async with self._asking() as client:
            await client.list_objects_v2(Bucket=self._bucket, Prefix=self._settings.prefix, MaxKeys=1)

    async def probe(self, key: str) -> None:
        """Write, read and delete a small file; StoreError where one of them is not allowed."""
        async with self._asking() as client:
            await client.put_object(Bucket=self._bucket, Key=self._full(key), Body=b"huitang")
        async with aclosing(self.read(Entry(key, len(b"huitang")), 0, len(b"huitang"))) as pieces:
            if b"".join([piece async for piece in pieces]) != b"huitang":
                raise StoreError(Fault.CORRUPTED, "the probe")
        await self._delete_one(key)

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    def _full(self, key: str) -> str:
        return self._settings.prefix + key

    async def _put_whole(self, key: str, path: Path, size: int, content_type: str, ledger: Ledger) -> None:
        data = await asyncio.to_thread(path.read_bytes)
        digest = await asyncio.to_thread(_md5, data)
        async with self._sending(data) as (client, body):
            answered = await client.put_object(
                Bucket=self._bucket, Key=self._full(key), Body=body, ContentType=content_type,
                ContentMD5=_base64(digest),
            )  # fmt: skip
        _compare(answered["ETag"], answered.get("ServerSideEncryption"), digest)
        await ledger.sent(size)

    async def _put_parts(self, key: str, path: Path, size: int, content_type: str, ledger: Ledger) -> None:
        upload = await self._resume(key, size, ledger)
        if upload is None:
            upload = await self._begin(key, size, content_type, ledger)
        parts: list[Any] = []
        for number in range(1, math.ceil(size / upload.part_bytes) + 1):
            data = await asyncio.to_thread(_part, path, number, upload.part_bytes)
            digest = await asyncio.to_thread(_md5, data)
            part = upload.parts.get(number)
            if part is None or part.digest != digest.hex():
                part = Part(digest.hex(), await self._send_part(upload, number, data, digest))
                await ledger.arrived(key, number, part)
                await ledger.sent(len(data))
            parts.append({"PartNumber": number, "ETag": part.tag})
        async with self._asking(_JOINING_SECONDS) as client:
            await client.complete_multipart_upload(
                Bucket=self._bucket, Key=self._full(key), UploadId=upload.upload_id,
                MultipartUpload={"Parts": parts},
            )  # fmt: skip
        await ledger.ended(key)

    async def _send_part(self, upload: PartialUpload, number: int, data: bytes, digest: bytes) -> str:
        async with self._sending(data) as (client, body):
            answered = await client.upload_part(
                Bucket=self._bucket, Key=self._full(upload.key), UploadId=upload.upload_id,
                PartNumber=number, Body=body, ContentMD5=_base64(digest),
            )  # fmt: skip
        _compare(answered["ETag"], answered.get("ServerSideEncryption"), digest)
        return answered["ETag"]

    async def _resume(self, key: str, size: int, ledger: Ledger) -> PartialUpload | None:
        """The upload that an earlier attempt began, with those of its parts that the store has as they were sent."""
        upload = await ledger.unfinished(key)
        if upload is None or upload.size != size:
            return None
        try:
            there = await self._parts(upload)
        except StoreError as error:
            if error.fault is not Fault.MISSING:
                raise
            await ledger.ended(key)  # finished just before a crash, or thrown away by the store's own rules
            return None
        upload.parts = {
            number: part for number, part in upload.parts.items() if there.get(number) == _plain(part.tag)
        }
        return upload

    async def _parts(self, upload: PartialUpload) -> dict[int, str]:
        there: dict[int, str] = {}
        marker = 0
        while True:
            more: Any = {"PartNumberMarker": marker} if marker else {}
            async with self._asking() as client:
                found = await client.list_parts(
                    Bucket=self._bucket, Key=self._full(upload.key), UploadId=upload.upload_id, **more
                )
            there |= {part["PartNumber"]: _plain(part["ETag"]) for part in found.get("Parts", [])}
            if not found.get("IsTruncated"):
                return there
            marker = int(found["NextPartNumberMarker"])

    async def _begin(self, key: str, size: int, content_type: str, ledger: Ledger) -> PartialUpload:
        async with self._asking() as client:
            begun = await client.create_multipart_upload(
                Bucket=self._bucket, Key=self._full(key), ContentType=content_type
            )
        part_bytes = max(self._settings.part_bytes, math.ceil(size / _MOST_PARTS))
        upload = PartialUpload(key, size, part_bytes, begun["UploadId"])
        await ledger.begun(upload)
        return upload

    async def _abort_uploads(self, prefix: str) -> None:
        try:
            async with self._asking() as client:
                found = await client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._full(prefix))
        except StoreError as error:
            if error.fault is Fault.REFUSED:
                return  # some services cannot list them; their own rules end what is never finished
            raise
        for upload in found.get("Uploads", []):
            if upload["Key"].startswith(self._full(prefix)):
                async with self._asking() as client:
                    await client.abort_multipart_upload(
                        Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    @asynccontextmanager
    async def _asking(self, seconds: float | None = None) -> AsyncIterator["S3Client"]:
        """For everything but the bytes of films; all of an answer comes within so long, or as long as most may take."""
        bound = asyncio.timeout(seconds or _ANSWER_SECONDS)
        async with self._connections.asking(_ANYTHING_ELSE) as client, bound:
            yield client

    @asynccontextmanager
    async def _sending(self, data: bytes) -> AsyncIterator[tuple["S3Client", io.BytesIO]]:
        """For bytes, which need so long as they need, unless the store takes hardly any."""
        async with (
            self._connections.asking(_ANYTHING_ELSE) as client,
            written(data, _SILENT_SECONDS, _ANSWER_SECONDS) as body,
        ):
            yield client, body


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _part(path: Path, number: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek((number - 1) * size)
        return file.read(size)


def _plain(tag: str) -> str:
    return tag.strip('"')


def _compare(tag: str, encryption: str | None, digest: bytes) -> None:
    """The tag of what was sent is its MD5, or where it is encrypted with keys of a service only looks like one.

    See "ETag" of "Object" in Amazon's API reference.
    """
    is_md5 = encryption in {None, "AES256"} and _MD5.fullmatch(_plain(tag))
    if is_md5 and _plain(tag) != digest.hex():
        raise StoreError(Fault.CORRUPTED, "another checksum")
