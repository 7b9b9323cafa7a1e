"""/healthz: the process answers. /readyz: what it needs is there, so people may be sent to it."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import structlog
from aiohttp import hdrs, web

Check = Callable[[], Awaitable[bool]]

CHECK_SECONDS: Final = 3.0

logger = structlog.get_logger(__name__)


class Health:
    """Named checks; each answers whether its thing is there."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._draining = False

    def drain(self) -> None:
        """From now on nobody new should be sent here."""
        self._draining = True

    def add_routes(self, app: web.Application) -> None:
        """Both addresses."""
        app.router.add_get("/healthz", self.alive, name="healthz")
        app.router.add_get("/readyz", self.ready, name="readyz")

    async def alive(self, _request: web.Request) -> web.StreamResponse:
        """The event loop turns."""
        return _answer({"status": "ok"}, 200)

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """200 when everything is there, else 503; which of the checks failed is in both."""
        names = list(self._checks)
        found = await asyncio.gather(*(self._run(name) for name in names))
        checks = dict(zip(names, found, strict=True))
        ready = all(checks.values()) and not self._draining
        status = "ready" if ready else "draining" if self._draining else "not_ready"
        return _answer({"status": status, "checks": checks}, 200 if ready else 503)

    async def _run(self, name: str) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await self._checks[name]()
        except Exception as error:  # noqa: BLE001 - a check that fails in any way says no, and why stands in the log
            logger.warning("check_failed", check=name, error=repr(error))
            return False


def disk_check(folder: Path, minimum_bytes: int) -> Check:
    """Whether the disk of `folder` has room."""

    async def has_room() -> bool:
        usage = await asyncio.to_thread(shutil.disk_usage, folder)
        return usage.free >= minimum_bytes

    return has_room


def _answer(body: Mapping[str, object], status: int) -> web.Response:
    return web.json_response(body, status=status, headers={hdrs.CACHE_CONTROL: "no-store"})
