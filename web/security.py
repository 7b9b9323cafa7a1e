"""What browsers are told and asked, so that other sites can neither act in our people's names nor frame our pages."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import hdrs, web

from errors import Kind, Problem
from web.proxies import Seen

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# Styles in attributes are what Element Plus measures text areas with; everything else comes from our own files.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; "
    "media-src 'self' blob: mediastream:; "
    "font-src 'self' data:; "
    "connect-src 'self'; "
    "worker-src 'self' blob:; "
    "object-src 'none'; "
    "base-uri 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'"
)
PERMISSIONS_POLICY: Final = (
    "camera=(self), "
    "microphone=(self), "
    "display-capture=(self), "
    "autoplay=(self), "
    "fullscreen=(self), "
    "screen-wake-lock=(self), "
    "geolocation=(), "
    "payment=(), "
    "usb=()"
)
HEADERS: Final = {
    "Server": "Huitang",  # what it is made of, and which version, is nobody's business
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": PERMISSIONS_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


OnPrepare = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def security_headers(media_origin: str | None = None) -> OnPrepare:
    """Adds them to every answer just before its headers go out (aiohttp's on_response_prepare)."""
    headers = dict(HEADERS)
    if media_origin is not None:
        policy = CONTENT_SECURITY_POLICY
        for directive in ("media-src", "connect-src"):  # what the browser loads, and the player's own script
            policy = policy.replace(f"{directive} 'self'", f"{directive} 'self' {media_origin}")
        headers["Content-Security-Policy"] = policy

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers[name] = value

    return add


def require_own_origin(request: web.BaseRequest, seen: Seen, public_origins: Sequence[str]) -> None:
    """Refuse an unsafe call that another site's page makes: Problem FORBIDDEN.

    Browsers name the page's origin with every unsafe call; programs that are no browsers send none and carry no
    cookies of somebody else's, so they pass.
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            raise Problem(Kind.FORBIDDEN, "origin_refused")
        return
    if origin.lower() not in {seen.origin, *(known.lower() for known in public_origins)}:
        raise Problem(Kind.FORBIDDEN, "origin_refused")
