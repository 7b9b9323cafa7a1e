"""A process that is a server's recording, and is killed, by SIGKILL, at one step of a composition."""

import asyncio
import os
import signal
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from database import Database, utc_now
from recordings.center import RecordingCenter
from recordings.settings import RecordingSettings


class Killer:
    """Kills its process when a step is reached, of which the log or the interpreter tells."""

    def __init__(self, step: str, folder: Path) -> None:
        self._step = step
        self._folder = folder

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
        self._reached(event["event"])
        return ""

    def on_audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        # Before the records say what has come of it, its files are counted.
        if (
            event == "os.listdir"
            and arguments[0] == str(self._folder)
            and (self._folder / "meeting.mp4").exists()
        ):
            self._reached("files in their places")

    def _reached(self, step: str) -> None:
        if step == self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def serve_until(step: str, url: str, settings: RecordingSettings, folder: Path) -> None:
    """Be a server that composes what waits."""
    killer = Killer(step, folder)
    structlog.configure(processors=[killer])
    sys.addaudithook(killer.on_audit)

    async def serve() -> None:
        center = RecordingCenter(Database(url), settings, utc_now)
        await center.start()
        await asyncio.Event().wait()

    asyncio.run(serve())
