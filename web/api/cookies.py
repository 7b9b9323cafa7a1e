"""The cookies: never readable by scripts, never sent along by other sites' pages."""

from aiohttp import web

from web.proxies import Seen


def set_cookie(response: web.StreamResponse, name: str, value: str, *, seconds: int, seen: Seen) -> None:
    """Give the browser a cookie for the whole site; Secure where the person's own connection is encrypted."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="Lax", secure=seen.secure
    )


def clear_cookie(response: web.StreamResponse, name: str, *, seen: Seen) -> None:
    """Take it away again."""
    response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=seen.secure)
