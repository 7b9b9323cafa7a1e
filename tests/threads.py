"""Waits for aiosqlite's threads, one a connection, so that none outlives its test's event loop."""

import asyncio
import threading

from tests.patience import PATIENCE_SECONDS


async def sqlite_threads_ended() -> bool:
    """Whether every SQLite connection of this process is closed, or is so within a moment."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, PATIENCE_SECONDS)
            if thread.is_alive():
                return False
    return True
