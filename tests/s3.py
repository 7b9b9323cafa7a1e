"""A real S3-speaking server of the tests' own: it checks signatures, keeps parts on its disk, and can be killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from aiohttp import ClientError, ClientSession

from recordings.storage.settings import MEBIBYTE, StorageSettings
from tests.patience import PATIENCE_SECONDS
from tests.s3_app import ALLOWED_ORIGIN, ENCRYPTED

ROOT = Path(__file__).parents[1]
ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key-of-some-length"
BUCKET = "recordings"
PART_BYTES = 5 * MEBIBYTE


class S3Server:
    """One server process on a folder; `start` again goes on with what was there."""

    def __init__(self, folder: Path, port: int, *, encrypted: bool = False) -> None:
        self._folder = folder
        self._encrypted = encrypted
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.allowed_origin = ""  # whose pages' scripts may read what is in it, from the next start on

    @property
    def settings(self) -> StorageSettings:
        """How to reach it."""
        return StorageSettings(
            bucket=BUCKET, endpoint_url=self.url, access_key=ACCESS_KEY, secret_key=SECRET_KEY,
            part_bytes=PART_BYTES, prefix="huitang/",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start where it does not run, and wait until it answers."""
        if self._process is not None:
            return
        (self._folder / BUCKET).mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.to_thread(self._spawn)
        async with asyncio.timeout(PATIENCE_SECONDS), ClientSession() as session:
            while True:
                try:
                    async with session.get(self.url):
                        return
                except ClientError:
                    await asyncio.sleep(0.05)

    def kill(self) -> None:
        """The store is gone from one moment to the next."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", "tests.s3_app:build", "--host", "127.0.0.1",
             "--port", str(self._port), "--log-level", "error"],
            cwd=ROOT,
            env={**os.environ, "NANIO_DATA_DIR": str(self._folder), "NANIO_ACCESS_KEY": ACCESS_KEY,
                 "NANIO_SECRET_KEY": SECRET_KEY, ALLOWED_ORIGIN: self.allowed_origin,
                 ENCRYPTED: "yes" if self._encrypted else ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
