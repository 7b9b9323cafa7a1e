"""Encoders and players: stream keys for hosts, WHIP (RFC 9725) and WHEP for whoever has one."""

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from aiohttp import hdrs, web

from errors import Kind, Problem
from rooms.stream_keys import Device, NewStreamKey, StreamUse
from signaling.streams.streams import Opened, Patched
from web.api.call import Asked, Nothing
from web.api.caller import bearer
from web.api.schemas.streams import (
    NewStreamKeyOut,
    PublishQuery,
    StreamKeyCreate,
    StreamKeyOut,
    StreamKeysOut,
    WatchQuery,
)
from web.refusals import from_problem, refusal

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
PATHS: Final = {StreamUse.PUBLISH: "whip", StreamUse.WATCH: "whep"}

# Statuses that the RFC names and no Kind has: section 4.2 for an offer that is no SDP, 4.3.1 for If-Match.
STATUSES: Final = {
    "malformed_sdp": 400,
    "stream_precondition_missing": 428,
    "stream_precondition_failed": 412,
}
RETRY_SECONDS: Final = 10
"""After which a device may ask again whether the meeting has begun."""

ENTITY_TAG: Final = re.compile(r'(?:^|[,\s])"?([^",\s]+)')
"""Ours need no other characters. A weak one (W/"...") is none of ours: If-Match compares strongly (RFC 9110 13.1.1)."""

StreamHandler = Callable[[Asked[Any]], Awaitable[web.StreamResponse]]


def refusing(handler: StreamHandler) -> StreamHandler:
    """Refuse with the statuses and headers of the RFC."""

    @wraps(handler)
    async def answered(asked: Asked[Any]) -> web.StreamResponse:
        try:
            return await handler(asked)
        except Problem as problem:
            return _refused(asked, problem)

    return answered


async def create_stream_key(asked: Asked[StreamKeyCreate]) -> NewStreamKeyOut:
    """Make a stream key; its secret is in this answer and nowhere else."""
    meeting_id, wanted = asked.path("meetingId"), asked.input
    made: NewStreamKey = await asked.services.stream_keys.create(
        asked.caller.person, meeting_id, wanted.name, wanted.use
    )
    shown = StreamKeyOut.model_validate(made.view).model_dump()
    path = f"/api/meetings/{meeting_id}/{PATHS[wanted.use]}"
    return NewStreamKeyOut(**shown, secret=made.secret, path=path)


async def stream_keys(asked: Asked[Nothing]) -> StreamKeysOut:
    """The meeting's stream keys, and which devices are there now."""
    found = await asked.services.stream_keys.list(asked.caller.person, asked.path("meetingId"))
    return StreamKeysOut(items=[StreamKeyOut.model_validate(one) for one in found])


async def revoke_stream_key(asked: Asked[Nothing]) -> None:
    """Revoke a key; its device's media end at once."""
    await asked.services.stream_keys.revoke(asked.caller.person, asked.path("meetingId"), asked.path("keyId"))


@refusing
async def publish(asked: Asked[PublishQuery]) -> web.StreamResponse:
    """WHIP: an encoder's offer; the answer is SDP, its session's address stands in Location."""
    device = await _device(asked, StreamUse.PUBLISH)
    screen = asked.input.source == "screen"
    return await _created(
        asked, device, await asked.services.streams.publish(device, asked.text, screen=screen)
    )


@refusing
async def watch(asked: Asked[WatchQuery]) -> web.StreamResponse:
    """WHEP: a player's offer; the answer is SDP, its session's address stands in Location."""
    device = await _device(asked, StreamUse.WATCH)
    peer_id = asked.input.peer_id
    return await _created(
        asked, device, await asked.services.streams.watch(device, asked.text, peer_id=peer_id)
    )


@refusing
async def patch_publisher(asked: Asked[Nothing]) -> web.StreamResponse:
    """WHIP: trickle (204) or ICE restart (200 with the new credentials)."""
    return await _patch(asked, StreamUse.PUBLISH)


@refusing
async def patch_watcher(asked: Asked[Nothing]) -> web.StreamResponse:
    """WHEP: trickle (204) or ICE restart (200 with the new credentials)."""
    return await _patch(asked, StreamUse.WATCH)


@refusing
async def end_publisher(asked: Asked[Nothing]) -> web.StreamResponse:
    """WHIP: the encoder stops."""
    return await _end(asked, StreamUse.PUBLISH)


@refusing
async def end_watcher(asked: Asked[Nothing]) -> web.StreamResponse:
    """WHEP: the player stops."""
    return await _end(asked, StreamUse.WATCH)


async def look_at_publishing(asked: Asked[Nothing]) -> None:
    """WHIP's address has nothing to show, and says so without an error (RFC 9725 section 4.1)."""


async def look_at_publisher(asked: Asked[Nothing]) -> None:
    """As above, of a session's address."""


async def look_at_watching(asked: Asked[Nothing]) -> None:
    """As above, of WHEP's address."""


async def look_at_watcher(asked: Asked[Nothing]) -> None:
    """As above, of a session's address."""


async def _patch(asked: Asked[Nothing], use: StreamUse) -> web.StreamResponse:
    device = await _device(asked, use)
    done: Patched = asked.services.streams.patch(
        device, asked.path("streamId"), _if_match(asked.request), asked.text
    )
    if done.fragment is None:
        return web.Response(status=204, headers={hdrs.CACHE_CONTROL: "no-store"})
    headers = {hdrs.CONTENT_TYPE: FRAGMENT, hdrs.ETAG: f'"{done.etag}"', hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(body=done.fragment.encode(), headers=headers)


async def _end(asked: Asked[Nothing], use: StreamUse) -> web.StreamResponse:
    device = await _device(asked, use)
    await asked.services.streams.end(device, asked.path("streamId"))
    return web.Response(status=200, headers={hdrs.CACHE_CONTROL: "no-store"})


async def _device(asked: Asked[Any], use: StreamUse) -> Device:
    asked.edge.devices.take(asked.seen.remote)
    return await asked.services.stream_keys.authenticate(asked.path("meetingId"), bearer(asked.request), use)


async def _created(asked: Asked[Any], device: Device, opened: Opened) -> web.StreamResponse:
    await asked.services.stream_keys.used(device)
    response = web.Response(body=opened.sdp.encode(), status=201, headers={hdrs.CONTENT_TYPE: SDP})
    path = f"/api/meetings/{device.meeting_id}/{PATHS[device.use]}/{opened.stream_id}"
    response.headers[hdrs.LOCATION] = path
    response.headers[hdrs.ETAG] = f'"{opened.etag}"'
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers["Accept-Patch"] = FRAGMENT
    for server in opened.ice_servers:
        for url in server["urls"]:
            response.headers.add(hdrs.LINK, _link(url, server))
    return response


def _link(url: str, server: dict[str, Any]) -> str:
    """RFC 9725 section 4.6: an ICE server as a link."""
    link = f'<{url}>; rel="ice-server"'
    if "username" in server:
        link += f'; username="{server["username"]}"; credential="{server["credential"]}"'
        link += '; credential-type="password"'
    return link


def _if_match(request: web.Request) -> list[str] | None:
    """The entity tags, also "*" for any, with or without the quotation marks; None without the header."""
    values = request.headers.getall(hdrs.IF_MATCH, None)
    return None if values is None else ENTITY_TAG.findall(",".join(values))


def _refused(asked: Asked[Any], problem: Problem) -> web.StreamResponse:
    texts, language = asked.services.texts, asked.language
    status = STATUSES.get(problem.code)
    if status is not None:
        return refusal(status, problem.code, texts, language, problem.details)
    response = from_problem(problem, texts, language)
    if problem.kind is Kind.UNAUTHENTICATED:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"  # RFC 6750 section 3
    if problem.code == "meeting_not_started":
        response.headers[hdrs.RETRY_AFTER] = str(RETRY_SECONDS)
    return response
