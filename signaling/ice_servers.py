"""The STUN and TURN servers a client is told of, with credentials that expire where the server shares a secret."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Any

from signaling.settings import IceServer


class IceServers:
    """Tells each client of the servers, with credentials that are good from now on.

    The scheme is draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`.
    """

    def __init__(self, servers: Iterable[IceServer], seconds: float, unix_time: Callable[[], float]) -> None:
        """`seconds` is how long credentials are good for."""
        self._servers = tuple(servers)
        self._seconds = seconds
        self._unix_time = unix_time

    def of(self, user: str) -> list[dict[str, Any]]:
        """RTCPeerConnection's `iceServers`; `user` is any name for the log of the TURN server."""
        expiring_user = f"{int(self._unix_time() + self._seconds)}:{user}"
        return [_ice_server(server, expiring_user) for server in self._servers]


def _ice_server(server: IceServer, expiring_user: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"urls": list(server.urls)}
    if server.secret is not None:
        # SHA-1 is what the scheme and every TURN server use; as an HMAC it still stands.
        digest = hmac.new(server.secret.encode(), expiring_user.encode(), hashlib.sha1).digest()
        answer |= {"username": expiring_user, "credential": base64.b64encode(digest).decode()}
    elif server.username is not None:
        answer |= {"username": server.username, "credential": server.credential or ""}
    return answer
