"""Answers a file of a recording: whole, in one part or in several, from whichever store has it (RFC 9110, 13 and 14).

Bytes are read a piece at a time, never waiting for the disk on the event loop, and the next piece only when the viewer
has taken the last, or begins to: a viewer costs one piece of memory, or two of a remote store's, however long the film
and slow the line. They are copied and not given to sendfile(2), which would wait for the disk here, and not where it
would help: behind TLS there is none.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final

import structlog
from aiohttp import ETag, hdrs, web

from errors import Kind, Problem
from recordings.renditions import PLAYLIST_TYPE
from recordings.storage.store import StoreError
from recordings.views import MediaFile
from web.attachment import attachment
from web.ranges import ByteRange, NotSatisfiable, parse_ranges

# The file never changes once composed, but who may watch can: ask every time, send nothing twice.
MEDIA_CACHING: Final = "private, no-cache"

Permit = Callable[[], Awaitable[bool]]
"""Whether who asked may still have it."""

_log = structlog.get_logger(__name__)


async def answer_media(
    request: web.Request, media: MediaFile, permit: Permit | None = None
) -> web.StreamResponse:
    """The file, or the parts of it that Range asks for, unless the browser has it already.

    `permit` is asked before every piece: a browser takes the whole film with one request, as slowly as it plays it.
    Where browsers may be sent to the store itself, the address to go to, signed for a short while.
    """
    if _is_known(request, media):
        return web.Response(status=304, headers=_headers(media))
    try:
        ranges = parse_ranges(_range_header(request, media), media.entry.size)
    except NotSatisfiable:
        raise web.HTTPRequestRangeNotSatisfiable(
            headers={hdrs.CONTENT_RANGE: f"bytes */{media.entry.size}"}
        ) from None
    if media.signed_seconds is not None and request.method == hdrs.METH_GET:
        return await _elsewhere(media, media.signed_seconds)
    if ranges is not None and len(ranges) > 1:
        return await _send_several(request, media, ranges, permit)
    return await _send_one(request, media, ranges[0] if ranges else None, permit)


def _headers(media: MediaFile) -> dict[str, str]:
    headers: dict[str, str] = {
        hdrs.ETAG: media.etag,
        hdrs.CACHE_CONTROL: MEDIA_CACHING,
        hdrs.ACCEPT_RANGES: "bytes",
    }
    if media.download_name is not None:
        headers[hdrs.CONTENT_DISPOSITION] = attachment(media.download_name, "recording.mp4")
    return headers


def _is_known(request: web.Request, media: MediaFile) -> bool:
    """If-None-Match, compared weakly (RFC 9110 section 13.1.2)."""
    tags: Sequence[ETag] = request.if_none_match or ()
    return any(tag.value in {"*", media.etag.strip('"')} for tag in tags)


def _range_header(request: web.Request, media: MediaFile) -> str | None:
    """Range, where it counts: with GET, and with If-Range only for the very same file (RFC 9110 section 13.1.5)."""
    if request.method != hdrs.METH_GET:
        return None
    condition = request.headers.get(hdrs.IF_RANGE)
    if condition is not None and condition.strip() != media.etag:
        return None
    return request.headers.get(hdrs.RANGE)


async def _elsewhere(media: MediaFile, seconds: int) -> web.StreamResponse:
    try:
        address = await media.store.signed_url(media.entry.key, seconds)
    except StoreError as error:
        raise _unavailable(error) from error
    if address is None:
        raise Problem(Kind.UNAVAILABLE, "store_unavailable")
    return web.Response(status=307, headers={hdrs.LOCATION: address, hdrs.CACHE_CONTROL: "private, no-store"})


async def _send_one(
    request: web.Request, media: MediaFile, part: ByteRange | None, permit: Permit | None
) -> web.StreamResponse:
    begin, end = part or (0, media.entry.size)
    response = web.StreamResponse(status=200 if part is None else 206, headers=_headers(media))
    response.content_type = media.content_type
    response.content_length = end - begin
    if part is not None:
        response.headers[hdrs.CONTENT_RANGE] = _content_range(part, media.entry.size)
    elif media.content_type == PLAYLIST_TYPE:  # of two hours 100 kB, in which hardly anything is new
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        response.enable_compression()
    if request.method != hdrs.METH_HEAD:
        await _copy(request, response, media, (begin, end), permit)
    return await _ended(request, response)


async def _send_several(
    request: web.Request, media: MediaFile, ranges: Sequence[ByteRange], permit: Permit | None
) -> web.StreamResponse:
    """multipart/byteranges (RFC 9110 section 14.6)."""
    boundary = secrets.token_hex(12)
    heads = [
        f"\r\n--{boundary}\r\n{hdrs.CONTENT_TYPE}: {media.content_type}\r\n"
        f"{hdrs.CONTENT_RANGE}: {_content_range(part, media.entry.size)}\r\n\r\n".encode()
        for part in ranges
    ]
    tail = f"\r\n--{boundary}--\r\n".encode()
    response = web.StreamResponse(status=206, headers=_headers(media))
    response.headers[hdrs.CONTENT_TYPE] = f"multipart/byteranges; boundary={boundary}"
    response.content_length = sum(map(len, heads)) + sum(end - begin for begin, end in ranges) + len(tail)
    await response.prepare(request)
    for head, part in zip(heads, ranges, strict=True):
        await response.write(head)
        await _copy(request, response, media, part, permit)
    await response.write(tail)
    return await _ended(request, response)


async def _copy(
    request: web.Request,
    response: web.StreamResponse,
    media: MediaFile,
    part: ByteRange,
    permit: Permit | None,
) -> None:
    """The head goes out with the first piece: a store that does not answer before can be told of as such.

    What goes wrong in the middle can only cut the connection: players then ask for the rest, and are told.
    """
    try:
        async with aclosing(media.store.read(media.entry, *part)) as pieces:
            async for piece in pieces:
                if permit is not None and not await permit():
                    raise _cut(request)
                if not response.prepared:
                    await response.prepare(request)
                await response.write(piece)
                del piece  # so that the store can lend its memory to the next
    except StoreError as error:
        if not response.prepared:
            raise _unavailable(error) from error
        _log.warning("media_cut_off", fault=error.fault.value, detail=error.detail, remedy=error.remedy)
        raise _cut(request) from error


def _cut(request: web.Request) -> ConnectionResetError:
    """Let nothing more through, not even what waits to be sent; a refusal would be taken for a part of the film."""
    if request.transport is not None:
        request.transport.abort()
    return ConnectionResetError("cut off")


async def _ended(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if not response.prepared:  # of a file that is empty, or only asked about
        await response.prepare(request)
    await response.write_eof()
    return response


def _content_range(part: ByteRange, size: int) -> str:
    return f"bytes {part[0]}-{part[1] - 1}/{size}"


def _unavailable(error: StoreError) -> Problem:
    _log.warning("store_unreadable", fault=error.fault.value, remedy=error.remedy)
    return Problem(Kind.UNAVAILABLE, "store_unavailable")
