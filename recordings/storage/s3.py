"""The remote store: a bucket of any S3-compatible service, spoken to through aiobotocore.

aiobotocore is imported when the store is first used: it takes half a second, which a server without a remote store has
no reason to spend.
"""

import asyncio
import base64
import contextlib
import hashlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recordings.storage.settings import StorageSettings
from recordings.storage.store import CHUNK_BYTES, Entry, Fault, Ledger, PartialUpload, Piece, StoreError

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

# S3's own limit is 10,000 parts an upload.
_MOST_PARTS: Final = 9_000
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 30
# As many viewers at once read through this server; further ones wait for a connection.
_MOST_CONNECTIONS: Final = 256
# A read that breaks off in the middle goes on from there so often before the viewer is cut off.
_READ_ATTEMPTS: Final = 3
_MD5_LENGTH: Final = 32
_DELETED_AT_ONCE: Final = 16

_FAULTS: Final = {
    "InvalidAccessKeyId": Fault.CREDENTIALS,
    "SignatureDoesNotMatch": Fault.CREDENTIALS,
    "AuthorizationHeaderMalformed": Fault.CREDENTIALS,
    "RequestTimeTooSkewed": Fault.CREDENTIALS,
    "ExpiredToken": Fault.CREDENTIALS,
    "InvalidToken": Fault.CREDENTIALS,
    "AccessDenied": Fault.FORBIDDEN,
    "NoSuchBucket": Fault.BUCKET_MISSING,
    "NoSuchKey": Fault.MISSING,
    "NoSuchUpload": Fault.MISSING,
    "BadDigest": Fault.CORRUPTED,
    "InvalidDigest": Fault.CORRUPTED,
    "SlowDown": Fault.UNREACHABLE,
    "ServiceUnavailable": Fault.UNREACHABLE,
    "InternalError": Fault.UNREACHABLE,
    "RequestTimeout": Fault.UNREACHABLE,
    # What HEAD can say at most.
    "403": Fault.FORBIDDEN,
    "404": Fault.MISSING,
    "500": Fault.UNREACHABLE,
    "503": Fault.UNREACHABLE,
}


class S3Store:
    """One bucket, under one prefix. The connection is made at the first use."""

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        self._bucket = settings.bucket
        self._stack = AsyncExitStack()
        self._client: S3Client | None = None
        self._opening = asyncio.Lock()

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
            async with self._asking() as client:
                found = await client.head_object(Bucket=self._bucket, Key=self._full(key))
        except StoreError as error:
            if error.fault is Fault.MISSING:
                return None
            raise
        return Entry(key, found["ContentLength"])

    async def read(self, entry: Entry, begin: int, end: int) -> AsyncGenerator[Piece]:
        """The bytes as they come; a connection that breaks is made anew from there."""
        attempts = _READ_ATTEMPTS
        while begin < end:
            try:
                async with aclosing(self._read_once(entry.key, begin, end)) as pieces:
                    async for piece in pieces:
                        yield piece
                        begin += len(piece)
            except StoreError as error:
                attempts -= 1
                if error.fault is not Fault.UNREACHABLE or not attempts:
                    raise

    async def _read_once(self, key: str, begin: int, end: int) -> AsyncGenerator[Piece]:
        async with self._asking() as client:
            span = f"bytes={begin}-{end - 1}"
            found = await client.get_object(Bucket=self._bucket, Key=self._full(key), Range=span)
            async with found["Body"] as body:
                while begin < end:
                    piece = await body.read(min(CHUNK_BYTES, end - begin))
                    if not piece:
                        raise StoreError(Fault.UNREACHABLE, "it broke off")
                    yield piece
                    begin += len(piece)

    async def entries(self, prefix: str) -> AsyncIterator[Entry]:
        """A thousand at a time."""
        skip = len(self._settings.prefix)
        token: str | None = None
        while True:
            more: Any = {"ContinuationToken": token} if token else {}
            async with self._asking() as client:
                found = await client.list_objects_v2(Bucket=self._bucket, Prefix=self._full(prefix), **more)
            for item in found.get("Contents", []):
                yield Entry(item["Key"][skip:], item["Size"])
            token = found.get("NextContinuationToken")
            if not found.get("IsTruncated") or not token:
                return

    async def folders(self) -> set[str]:
        """The first parts of the keys, asked for as such and not file by file."""
        skip = len(self._settings.prefix)
        names: set[str] = set()
        token: str | None = None
        while True:
            more: Any = {"ContinuationToken": token} if token else {}
            async with self._asking() as client:
                found = await client.list_objects_v2(
                    Bucket=self._bucket, Prefix=self._settings.prefix, Delimiter="/", **more
                )
            names |= {item["Prefix"][skip:].rstrip("/") for item in found.get("CommonPrefixes", [])}
            names |= {item["Key"][skip:] for item in found.get("Contents", [])}
            token = found.get("NextContinuationToken")
            if not found.get("IsTruncated") or not token:
                return names

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
        async with self._asking() as client:
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
        self._client = None
        await self._stack.aclose()

    def _full(self, key: str) -> str:
        return self._settings.prefix + key

    async def _put_whole(self, key: str, path: Path, size: int, content_type: str, ledger: Ledger) -> None:
        data = await asyncio.to_thread(path.read_bytes)
        digest = await asyncio.to_thread(_md5, data)
        async with self._asking() as client:
            answered = await client.put_object(
                Bucket=self._bucket, Key=self._full(key), Body=data, ContentType=content_type,
                ContentMD5=_base64(digest),
            )  # fmt: skip
        _compare(answered["ETag"], digest)
        await ledger.sent(size)

    async def _put_parts(self, key: str, path: Path, size: int, content_type: str, ledger: Ledger) -> None:
        upload, there = await self._resume(key, size, ledger)
        if upload is None:
            upload = await self._begin(key, size, content_type, ledger)
        parts: list[Any] = []
        for number in range(1, math.ceil(size / upload.part_bytes) + 1):
            data = await asyncio.to_thread(_part, path, number, upload.part_bytes)
            digest = await asyncio.to_thread(_md5, data)
            tag = there.get(number)
            if tag is None or not _same(tag, digest):
                tag = await self._send_part(upload, number, data, digest)
                await ledger.sent(len(data))
            parts.append({"PartNumber": number, "ETag": tag})
        async with self._asking() as client:
            await client.complete_multipart_upload(
                Bucket=self._bucket, Key=self._full(key), UploadId=upload.upload_id or "",
                MultipartUpload={"Parts": parts},
            )  # fmt: skip
        await ledger.ended(key)

    async def _send_part(self, upload: PartialUpload, number: int, data: bytes, digest: bytes) -> str:
        async with self._asking() as client:
            answered = await client.upload_part(
                Bucket=self._bucket, Key=self._full(upload.key), UploadId=upload.upload_id or "",
                PartNumber=number, Body=data, ContentMD5=_base64(digest),
            )  # fmt: skip
        _compare(answered["ETag"], digest)
        return answered["ETag"]

    async def _resume(
        self, key: str, size: int, ledger: Ledger
    ) -> tuple[PartialUpload | None, dict[int, str]]:
        """The upload that an earlier attempt began, with the tags of the parts that arrived; None for none."""
        upload = await ledger.unfinished(key)
        if upload is None or upload.upload_id is None or upload.size != size:
            return None, {}
        try:
            return upload, await self._parts(upload)
        except StoreError as error:
            if error.fault is not Fault.MISSING:
                raise
        await ledger.ended(key)  # finished just before a crash, or thrown away by the store's own rules
        return None, {}

    async def _parts(self, upload: PartialUpload) -> dict[int, str]:
        there: dict[int, str] = {}
        marker = 0
        while True:
            more: Any = {"PartNumberMarker": marker} if marker else {}
            async with self._asking() as client:
                found = await client.list_parts(
                    Bucket=self._bucket, Key=self._full(upload.key), UploadId=upload.upload_id or "", **more
                )
            there |= {part["PartNumber"]: part["ETag"] for part in found.get("Parts", [])}
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
    async def _asking(self) -> AsyncIterator["S3Client"]:
        """The client; whatever it raises becomes a StoreError."""
        client = self._client or await self._open()
        with _faults():
            yield client

    async def _open(self) -> "S3Client":
        async with self._opening:
            if self._client is not None:
                return self._client
            factory = await asyncio.to_thread(_client_factory, self._settings)
            client: S3Client = await self._stack.enter_async_context(factory())
            self._client = client
            return client


def _client_factory(settings: StorageSettings) -> Any:
    """Import the library and read its tables of the service, all of it away from the event loop."""
    from aiobotocore.config import AioConfig  # noqa: PLC0415 - see above
    from aiobotocore.session import get_session  # noqa: PLC0415

    session = get_session()
    for table in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        session.get_component("data_loader").load_service_model("s3", table)
    config = AioConfig(
        signature_version="s3v4",
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_MOST_CONNECTIONS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        s3={"addressing_style": settings.addressing},
        # The newer checksums are sent in a way that many services do not understand; MD5 is understood by all.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    secret = settings.secret_key.get_secret_value() if settings.secret_key else None
    return lambda: session.create_client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=secret,
        config=config,
    )


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    from aiohttp import ClientError as ConnectionBroke  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise StoreError(_FAULTS.get(code, Fault.REFUSED), f"{code} {status}") from error
    except NoCredentialsError as error:
        raise StoreError(Fault.CREDENTIALS, "none given") from error
    except (BotoCoreError, ConnectionBroke, TimeoutError, OSError) as error:
        raise StoreError(Fault.UNREACHABLE, type(error).__name__) from error


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _part(path: Path, number: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek((number - 1) * size)
        return file.read(size)


def _same(tag: str, digest: bytes) -> bool:
    return tag.strip('"') == digest.hex()


def _compare(tag: str, digest: bytes) -> None:
    """The tag of a part is its MD5, but for encrypted buckets, whose tags are something else of another form."""
    plain = tag.strip('"')
    is_md5 = len(plain) == _MD5_LENGTH and all(character in "0123456789abcdef" for character in plain)
    if is_md5 and plain != digest.hex():
        raise StoreError(Fault.CORRUPTED, "another checksum")
