"""The engine: the UDP port, the certificate, the plane threads and their pump."""

from typing import Any

from media.events import MediaListener
from media.router import Router
from media.settings import MediaSettings


class MediaEngine:
    """Owns the planes. Build it, `await start()`, create routers, `await stop()`."""

    def __init__(self, settings: MediaSettings) -> None:
        self.settings = settings

    @property
    def port(self) -> int:
        """The UDP port clients are told; the real one where the settings say 0."""
        raise NotImplementedError

    async def start(self) -> None:
        """Bind the port and start the plane threads; raises MediaStartFailed (an OSError) with what to do."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close every router, say goodbye to the clients, stop the threads. Idempotent."""
        raise NotImplementedError

    def create_router(self, listener: MediaListener) -> Router:
        """A new room's worth of media, on the plane with the fewest transports."""
        raise NotImplementedError

    def statistics(self) -> dict[str, Any]:
        """`{"routers", "transports", "producers", "consumers", "counters": {name: int}}`; counters only ever grow."""
        raise NotImplementedError
