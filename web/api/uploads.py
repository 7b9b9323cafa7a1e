"""Uploads: films made elsewhere, in chunks that survive a line that breaks.

A chunk is `PATCH /api/uploads/{uploadId}` with its bytes as `application/octet-stream`, `Upload-Offset: <where it
begins>` and `Upload-Checksum: sha-256 <base64 of its digest>`, which a browser without TLS leaves out. After a break
GET says where to go on, and `Upload-Fingerprint`, as it was told at the beginning, that it is the same file.
"""

import asyncio
import base64
import binascii
import hashlib
from dataclasses import asdict
from typing import Final

from aiohttp import web

from errors import Kind, Problem
from recordings.uploads import rules
from recordings.uploads.rules import CHUNK_BYTES
from recordings.uploads.views import NewFilm
from web.api.call import Asked, Nothing
from web.api.schemas.base import Page
from web.api.schemas.uploads import UploadCreate, UploadOut

OFFSET: Final = "Upload-Offset"
CHECKSUM: Final = "Upload-Checksum"
FINGERPRINT: Final = "Upload-Fingerprint"
CHUNK_SECONDS: Final = 300.0  # four mebibytes at 14 kB/s
MOST_DIGITS: Final = 16


async def begin(asked: Asked[UploadCreate]) -> UploadOut:
    """Say what comes, and be told where to; refused before the first byte where there is no room for it."""
    wanted = dict(asked.input) | {"persons": tuple(one.named for one in asked.input.persons)}
    found = await asked.services.uploads.begin(asked.caller.person, NewFilm(**wanted))
    return UploadOut.model_validate(asdict(found))


async def uploads(asked: Asked[Nothing]) -> Page[UploadOut]:
    """One's own films on their way."""
    found = await asked.services.uploads.list(asked.caller.person)
    return Page[UploadOut](items=[UploadOut.model_validate(asdict(one)) for one in found])


async def upload(asked: Asked[Nothing]) -> UploadOut:
    """How much has arrived."""
    found = await asked.services.uploads.get(asked.caller.person, asked.path("uploadId"))
    return UploadOut.model_validate(asdict(found))


async def append(asked: Asked[Nothing]) -> UploadOut:
    """The next chunk, as bytes; the last one answers with the recording, or says why the file is refused."""
    request, identifier = asked.request, asked.path("uploadId")
    await asked.services.uploads.get(asked.caller.person, identifier)  # nobody else's bytes are even read
    offset, digest, fingerprint = _offset(request), _digest(request), _fingerprint(request)
    data = await _chunk(request)
    if digest is not None and await asyncio.to_thread(lambda: hashlib.sha256(data).digest()) != digest:
        raise Problem(Kind.CONFLICT, "upload_checksum")
    found = await asked.services.uploads.append(asked.caller.person, identifier, offset, data, fingerprint)
    return UploadOut.model_validate(asdict(found))


async def cancel(asked: Asked[Nothing]) -> None:
    """Throw it away."""
    await asked.services.uploads.cancel(asked.caller.person, asked.path("uploadId"))


def _offset(request: web.Request) -> int:
    text = request.headers.get(OFFSET, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Problem(Kind.INVALID, "upload_header", {"field": OFFSET})
    return int(text)


def _digest(request: web.Request) -> bytes | None:
    """None where the browser cannot make one, as without TLS."""
    if CHECKSUM not in request.headers:
        return None
    method, _, value = request.headers.get(CHECKSUM, "").partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if method.lower() != "sha-256" or len(digest) != hashlib.sha256().digest_size:
        raise Problem(Kind.INVALID, "upload_header", {"field": CHECKSUM})
    return digest


def _fingerprint(request: web.Request) -> str | None:
    text = request.headers.get(FINGERPRINT)
    if text is not None and not rules.FINGERPRINT.fullmatch(text):
        raise Problem(Kind.INVALID, "upload_header", {"field": FINGERPRINT})
    return text


async def _chunk(request: web.Request) -> bytes:
    too_large = Problem(Kind.TOO_LARGE, "upload_too_long", {"limitBytes": CHUNK_BYTES})
    if (request.content_length or 0) > CHUNK_BYTES:
        raise too_large
    data = bytearray()
    try:
        async with asyncio.timeout(CHUNK_SECONDS):
            async for piece in request.content.iter_any():
                data += piece
                if len(data) > CHUNK_BYTES:
                    raise too_large
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return bytes(data)
