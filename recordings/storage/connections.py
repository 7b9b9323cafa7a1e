"""Connections to an S3-compatible service, through aiobotocore.

aiobotocore is imported when the first is made: it takes half a second, which a server without a remote store has no
reason to spend.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from recordings.storage.settings import StorageSettings
from recordings.storage.store import Fault, StoreError

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from aiohttp import ClientResponse
    from types_aiobotocore_s3 import S3Client

_CONNECT_SECONDS: Final = 5
_PARTIAL: Final = 206

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
    # Of a film that another one has replaced.
    "PreconditionFailed": Fault.MISSING,
    "InvalidRange": Fault.MISSING,
    "BadDigest": Fault.CORRUPTED,
    "InvalidDigest": Fault.CORRUPTED,
    "SlowDown": Fault.UNREACHABLE,
    "ServiceUnavailable": Fault.UNREACHABLE,
    "InternalError": Fault.UNREACHABLE,
    "RequestTimeout": Fault.UNREACHABLE,
    # What HEAD can say at most, and `get_part` looks at.
    "403": Fault.FORBIDDEN,
    "404": Fault.MISSING,
    "412": Fault.MISSING,
    "416": Fault.MISSING,
    "408": Fault.UNREACHABLE,
    "429": Fault.UNREACHABLE,
    "500": Fault.UNREACHABLE,
    "502": Fault.UNREACHABLE,
    "503": Fault.UNREACHABLE,
    "504": Fault.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Use:
    """What connections are for: how many there are at once, how often something is asked, and how long is waited."""

    most: int
    attempts: int
    silent_seconds: int


class Connections:
    """Those of one use never wait for those of another. Each kind is made at its first use, also after a `close`."""

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._session: AioSession | None = None
        self._clients: dict[Use, S3Client] = {}
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def asking(self, use: Use) -> AsyncIterator["S3Client"]:
        """The client; whatever it raises becomes a StoreError, and a TimeoutError as well."""
        client = self._clients.get(use) or await self._open(use)
        with _faults():
            yield client

    @asynccontextmanager
    async def get_part(
        self, use: Use, address: str, headers: dict[str, str], seconds: float
    ) -> AsyncIterator["ClientResponse"]:
        """What is at a signed address, by the connections of that use; without all that a call of its own would cost.

        StoreError where no part of a file begins within so many seconds, and as for `asking`.
        """
        async with self.asking(use) as client:
            from botocore.awsrequest import AWSPreparedRequest  # noqa: PLC0415 - imported by now

            request = AWSPreparedRequest("GET", address, headers, None, stream_output=True)  # type: ignore[no-untyped-call]
            # With its certificates and proxies, and none of the work that aiobotocore does for each call of its own.
            connections = client._endpoint.http_session  # noqa: SLF001
            async with asyncio.timeout(seconds):
                answered = (await connections.send(request)).raw
            async with answered:
                if answered.status != _PARTIAL:
                    raise StoreError(_FAULTS.get(str(answered.status), Fault.REFUSED), str(answered.status))
                yield answered

    async def close(self) -> None:
        """Close all."""
        self._clients.clear()
        await self._stack.aclose()

    async def _open(self, use: Use) -> "S3Client":
        async with self._opening:
            if use in self._clients:
                return self._clients[use]
            if self._session is None:
                self._session = await asyncio.to_thread(_make_session)
            from botocore.handlers import add_expect_header  # noqa: PLC0415 - imported by now

            made = _client(self._session, self._settings, use)
            client: S3Client = await self._stack.enter_async_context(made)
            # Not every service says that it may be sent what a file is read for, and until then nothing would be.
            client.meta.events.unregister("before-call.s3", add_expect_header)
            self._clients[use] = client
            return client


def _make_session() -> "AioSession":
    """Import the library and read its tables of the service, all of it away from the event loop."""
    from aiobotocore.session import get_session  # noqa: PLC0415 - see above

    session: AioSession = get_session()
    for table in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        session.get_component("data_loader").load_service_model("s3", table)
    return session


def _client(session: "AioSession", settings: StorageSettings, use: Use) -> Any:
    from aiobotocore.config import AioConfig  # noqa: PLC0415 - see above

    config = AioConfig(
        signature_version="s3v4",
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=use.silent_seconds,
        max_pool_connections=use.most,
        retries={"total_max_attempts": use.attempts, "mode": "standard"},
        s3={"addressing_style": settings.addressing},
        # The newer checksums are sent in a way that many services do not understand; MD5 is understood by all.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.create_client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
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
