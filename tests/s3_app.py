"""The store's program as the tests start it: what it keeps may be encrypted, and had by pages of one origin."""

import os
import re

from nanio.app import build_app  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALLOWED_ORIGIN = "ALLOWED_ORIGIN"
ENCRYPTED = "ENCRYPTED"

_MIRRORED = str.maketrans("0123456789abcdef", "fedcba9876543210")
_TAG = re.compile(r"(<ETag>[^<]*?)([0-9a-f]{32})")
_REPLACED = "<Error><Code>PreconditionFailed</Code><Message>If-Match</Message></Error>"


def build() -> Starlette:
    """For uvicorn; settings come from the environment."""
    app: Starlette = build_app()
    if origin := os.environ.get(ALLOWED_ORIGIN):
        app.add_middleware(
            CORSMiddleware, allow_origins=[origin], allow_methods=["GET"], allow_headers=["Range"]
        )
    if os.environ.get(ENCRYPTED):
        app.add_middleware(Encrypted)
    return app


class Encrypted:
    """As Amazon's own answers of what is encrypted with keys of its service: tags look like MD5s, and are none.

    Also as there, If-Match is looked at.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = Headers(scope=scope).get("if-match")
        told, xml = True, False

        async def hear() -> Message:
            message = await receive()
            if scope["method"] == "POST" and message["type"] == "http.request":
                message["body"] = mirrored(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            nonlocal told, xml
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                xml = headers.get("content-type") == "application/xml"
                if tag := headers.get("etag"):
                    headers["etag"] = tag.translate(_MIRRORED)
                    headers["x-amz-server-side-encryption"] = "aws:kms"
                    told = wanted is None or wanted == headers["etag"]
                if not told:
                    await Response(_REPLACED, 412, media_type="application/xml")(scope, receive, send)
            elif xml:
                message["body"] = mirrored(message.get("body", b""))
            if told:
                await send(message)

        await self._app(scope, hear, tell)


def mirrored(body: bytes) -> bytes:
    """The same with every tag changed, and changed back the second time."""
    return _TAG.sub(lambda found: found[1] + found[2].translate(_MIRRORED), body.decode()).encode()
