"""Which web pages may open a connection: browsers send cookies with a WebSocket whoever's page opened it."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit


class OriginCheck:
    """Lets in the page's own host, and the public origins an operator named; called by Engine.IO with each request.

    Host is compared without the scheme: behind a proxy that ends TLS the page is https and the request http. The
    request is aiohttp's own, so forwarded hosts count only where web's middleware took them from a named proxy.
    """

    def __init__(self, public_origins: Iterable[str]) -> None:
        self._public = frozenset(origin.rstrip("/").lower() for origin in public_origins)

    def __call__(self, origin: str | None, environ: Mapping[str, Any]) -> bool:
        """Whether the `Origin` header of this request is one of ours; None where no browser asks."""
        return origin is not None and self.allows(origin, str(environ["aiohttp.request"].host))

    def allows(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may talk to a server asked as `host`."""
        if origin.lower() in self._public:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()
