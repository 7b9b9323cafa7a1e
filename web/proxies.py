"""Who really asks, and under which name: the request as seen in front of the reverse proxies one trusts.

X-Forwarded-For, -Proto and -Host count only when the connection comes from a named proxy; anybody else could write
them. Each proxy appends, so the client is the last address of X-Forwarded-For that is not itself a proxy's.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

FORWARDED_FOR = "X-Forwarded-For"
MARKS = (FORWARDED_FOR, hdrs.X_FORWARDED_PROTO, hdrs.X_FORWARDED_HOST, hdrs.FORWARDED)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Seen:
    """The outside of a request: `remote` is an address without port ("" for a Unix socket)."""

    scheme: str
    host: str
    remote: str
    through_unknown_proxy: bool

    @property
    def origin(self) -> str:
        """What a browser that is on this site sends as Origin."""
        default = ":443" if self.scheme == "https" else ":80"
        return f"{self.scheme}://{self.host.lower().removesuffix(default)}"

    @property
    def secure(self) -> bool:
        """Whether the person's own connection is encrypted."""
        return self.scheme == "https"


SEEN = web.RequestKey("seen", Seen)


class Proxies:
    """The reverse proxies that are trusted."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._networks = networks(trusted)

    def middleware(self) -> Middleware:
        """From here on `request.scheme`, `.host` and `.remote` are the person's own; `request[SEEN]` has them all."""

        @web.middleware
        async def see(request: web.Request, handler: Handler) -> web.StreamResponse:
            seen = self.seen(request)
            if (seen.scheme, seen.host, seen.remote) != (request.scheme, request.host, request.remote):
                request = request.clone(scheme=seen.scheme, host=seen.host, remote=seen.remote)
            request[SEEN] = seen
            return await handler(request)

        return see

    def seen(self, request: web.BaseRequest) -> Seen:
        """How the person's own software sees this request."""
        remote = request.remote or ""
        if not within(remote, self._networks):
            marked = any(mark in request.headers for mark in MARKS)
            return Seen(_direct_scheme(request), _direct_host(request), remote, through_unknown_proxy=marked)
        scheme = _last(request, hdrs.X_FORWARDED_PROTO).lower()
        return Seen(
            scheme if scheme in {"http", "https"} else _direct_scheme(request),
            _last(request, hdrs.X_FORWARDED_HOST) or _direct_host(request),
            self._client(request) or remote,
            through_unknown_proxy=False,
        )

    def _client(self, request: web.BaseRequest) -> str | None:
        hops = [
            part.strip() for value in request.headers.getall(FORWARDED_FOR, []) for part in value.split(",")
        ]
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                return None
            if not within(str(address), self._networks):
                return str(address)
        return None


def networks(values: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks in text, parsed; ValueError when one is neither."""
    return tuple(ipaddress.ip_network(value, strict=False) for value in values)


def within(remote: str, allowed: Sequence[Network]) -> bool:
    """Whether the address lies in one of the networks; an IPv4 address that came over IPv6 counts as IPv4."""
    address = _address(remote)
    return address is not None and any(
        address.version == network.version and address in network for network in allowed
    )


@lru_cache(maxsize=1024)  # who asks once asks again, and parsing is dear
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _last(request: web.BaseRequest, header: str) -> str:
    values = request.headers.getall(header, [])
    return values[-1].rpartition(",")[2].strip() if values else ""


def _direct_scheme(request: web.BaseRequest) -> str:
    return "https" if request.secure else "http"


def _direct_host(request: web.BaseRequest) -> str:
    return request.headers.get(hdrs.HOST, "")
