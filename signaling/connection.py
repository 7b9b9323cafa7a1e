"""One Socket.IO connection to one namespace, and who opened it."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from localization import Language

Identity = TypeVar("Identity")


@dataclass(eq=False)
class Connection(Generic[Identity]):
    """`sid` is Socket.IO's name for it; it dies with the WebSocket, so nothing lasting is keyed by it."""

    sid: str
    language: Language
    identity: Identity
