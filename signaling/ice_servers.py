"""The STUN and TURN servers a client is told of, with credentials that expire where the server shares a secret."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from signaling.settings import IceServer


def ice_servers(servers: Iterable[IceServer], user: str, expires_at: int) -> list[dict[str, Any]]:
    """RTCPeerConnection's `iceServers`; `user` is any name for the log of the TURN server, `expires_at` Unix seconds.

    The scheme is draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`.
    """
    return [_ice_server(server, f"{expires_at}:{user}") for server in servers]


def _ice_server(server: IceServer, expiring_user: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"urls": list(server.urls)}
    if server.secret is not None:
        # SHA-1 is what the scheme and every TURN server use; as an HMAC it still stands.
        digest = hmac.new(server.secret.encode(), expiring_user.encode(), hashlib.sha1).digest()
        answer |= {"username": expiring_user, "credential": base64.b64encode(digest).decode()}
    elif server.username is not None:
        answer |= {"username": server.username, "credential": server.credential or ""}
    return answer
