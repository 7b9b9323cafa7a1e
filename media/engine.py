"""The engine: the media port, the certificate, the plane threads and their pumps."""

import asyncio
import errno
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog

from media.addresses import (
    IpAddress,
    announced_addresses,
    ice_candidates,
    listened_addresses,
    machine_addresses,
)
from media.capabilities import router_capabilities
from media.census import census
from media.context import RouterContext
from media.errors import MediaStartFailed, WrongMediaState
from media.events import MediaListener
from media.identity import DtlsIdentity
from media.known_capabilities import KnownCapabilities
from media.memory import give_back
from media.plane import Exchange, Handle, Plane
from media.pump import Pump
from media.router import Router
from media.settings import MediaSettings
from media.tally import QualityTallies

_log = structlog.get_logger(__name__)

# Audio levels are read this often: twice in the shortest word, and five times before the floor changes hands.
HEAR_SECONDS = 0.2
# Consent and quality are looked at every so many readings: once a second.
TICK_EVERY = 5
# Once a minute memory is given back, where so many handshakes were done with since; each had some 75 KiB.
TRIM_EVERY = 60 * TICK_EVERY
WORTH_TRIMMING = 20


class MediaEngine:
    """Owns the planes. Build it, `await start()`, create routers, `await stop()`; stopped, it stays so."""

    def __init__(self, settings: MediaSettings) -> None:
        self.settings = settings
        self._capabilities = router_capabilities()
        self._known = KnownCapabilities()
        self._counters: Counter[str] = Counter()
        self._tallies = QualityTallies()
        self._pumps: list[Pump] = []
        self._routers: dict[str, tuple[Router, Pump]] = {}
        self._identity: DtlsIdentity | None = None
        self._addresses: list[IpAddress] = []
        self._ticker: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port, of UDP and TCP, clients are told; the real one where the settings say 0."""
        return self._running()[0].plane.port

    async def start(self) -> None:
        """Bind the port and start the plane threads; raises MediaStartFailed (an OSError) with what to do."""
        settings, machine = self.settings, machine_addresses()
        try:
            addresses = announced_addresses(settings.announced_addresses, settings.bind_addresses, machine)
        except ValueError as error:
            raise MediaStartFailed(f"HUITANG_MEDIA__ANNOUNCED_ADDRESSES: {error}") from error
        if not addresses:
            raise MediaStartFailed("No address to announce: set HUITANG_MEDIA__ANNOUNCED_ADDRESSES.")
        self._addresses = addresses
        self._identity = DtlsIdentity.generate(settings.srtp_profiles)
        listened = listened_addresses(settings.bind_addresses, settings.announced_addresses, machine)
        self._pumps = [Pump(plane, self._counters) for plane in _open_planes(settings, listened)]
        for pump in self._pumps:
            pump.start()
        self._ticker = asyncio.create_task(self._tick_for_ever(), name="media-ticker")
        _log.info("media_started", port=self.port, planes=len(self._pumps), candidates=len(addresses))

    async def stop(self) -> None:
        """Close every router, say goodbye to the clients, stop the threads. Idempotent."""
        ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.cancel()
            await asyncio.wait([ticker])
        for router, _ in list(self._routers.values()):
            router.close()
        for pump in self._pumps:
            pump.stop()
        self._pumps = []

    def create_router(self, listener: MediaListener) -> Router:
        """A new room's worth of media, on the plane with the fewest transports. WrongMediaState engine_stopped."""
        rooms = Counter(id(pump) for _, pump in self._routers.values())
        # Of those opened at the same minute nobody has transports yet.
        pump = min(self._running(), key=lambda one: (len(one.by_handle), rooms[id(one)]))
        if self._identity is None:
            raise WrongMediaState("engine_stopped")
        context = RouterContext(
            router_id=uuid.uuid4().hex,
            pump=pump,
            identity=self._identity,
            capabilities=self._capabilities,
            known=self._known,
            limits=self.settings.limits,
            candidates=lambda: ice_candidates(self._addresses, pump.plane.port, tcp=self.settings.tcp),
            listener=listener,
            floor=self._add_floor(pump.plane),
            tallies=self._tallies,
        )
        router = Router(context, lambda gone: self._routers.pop(gone.id, None) and None)
        self._routers[router.id] = (router, pump)
        return router

    def statistics(self) -> dict[str, Any]:
        """Now and since the start: see media.census."""
        routers = [router for router, _ in self._routers.values()]
        planes = [pump.plane.statistics() for pump in self._pumps]
        return census(routers, planes, self._counters, self._tallies)

    def _add_floor(self, plane: Plane) -> Handle | None:
        settings = self.settings
        if settings.loudest_microphones == 0:
            return None
        return plane.add_floor(settings.loudest_microphones, int(settings.loudest_hold_seconds * 1e6))

    def _running(self) -> list[Pump]:
        if not self._pumps:
            raise WrongMediaState("engine_stopped")
        return self._pumps

    async def _tick_for_ever(self) -> None:
        count = trimmed = 0
        while True:
            await asyncio.sleep(HEAR_SECONDS)
            count += 1
            for pump in self._pumps:
                levels = dict(pump.plane.audio_levels())
                for router in [router for router, its_pump in self._routers.values() if its_pump is pump]:
                    self._tick(router, levels, whole=count % TICK_EVERY == 0)
            if count % TRIM_EVERY == 0 and self._counters["dtls_settled"] - trimmed >= WORTH_TRIMMING:
                trimmed = self._counters["dtls_settled"]
                await asyncio.to_thread(give_back)

    def _tick(self, router: Router, levels: dict[Handle, int], *, whole: bool) -> None:
        now = time.monotonic()
        try:
            router.hear(levels, now)
            if whole:
                router.tick(now)
        except Exception:  # noqa: BLE001 - one room's trouble is not the others'
            self._counters["control_errors"] += 1
            _log.exception("media_tick_failed", router_id=router.id)


def _open_planes(settings: MediaSettings, addresses: Sequence[str]) -> list[Plane]:
    """One plane a thread, all on one port."""
    threads = max(1, settings.plane_threads)
    exchange = Exchange(threads) if threads > 1 else None
    planes: list[Plane] = []
    port = settings.port
    for _ in range(threads):
        try:
            planes.append(Plane(addresses, port, tcp=settings.tcp, exchange=exchange))
            port = planes[0].port
        except OSError as error:
            for plane in planes:
                plane.stop()
            raise MediaStartFailed(_advice(error, port)) from error
    return planes


def _advice(error: OSError, port: int) -> str:
    protocol = "TCP" if "TCP" in str(error.strerror) else "UDP"
    if error.errno == errno.EADDRINUSE:
        without = " HUITANG_MEDIA__TCP=false does without TCP." if protocol == "TCP" else ""
        return (
            f"{protocol} port {port} is in use: stop the other program or set HUITANG_MEDIA__PORT to a free one."
            f"{without}"
        )
    if error.errno == errno.EACCES:
        return f"{protocol} port {port} needs more rights: set HUITANG_MEDIA__PORT to 1024 or higher."
    if error.errno == errno.EADDRNOTAVAIL:
        return "No media address belongs to this machine: check HUITANG_MEDIA__BIND_ADDRESSES."
    return f"The media port {port} could not be opened: {error}"
