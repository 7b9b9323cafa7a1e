"""`Shelf`: finds a recording's file in whichever store has it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recordings.folders import Folders
from recordings.storage.local import LocalStore
from recordings.storage.s3 import S3Store
from recordings.storage.settings import StorageSettings
from recordings.storage.store import Entry, Store

ORIGINALS: Final = "originals"


@dataclass(frozen=True, slots=True)
class Found:
    """A file and the store that has it; `signed_seconds` where browsers may be sent to the store itself."""

    store: Store
    entry: Entry
    signed_seconds: int | None = None


class Shelf:
    """The local store, and the remote one where there is one.

    Locally a version replaces the one before; remotely each has a folder of its own, so that nobody ever reads half of
    one and half of another.
    """

    def __init__(self, folder: Path, settings: StorageSettings | None) -> None:
        self.local = LocalStore(folder)
        self.folders = Folders(folder)
        self.remote: S3Store | None = S3Store(settings) if settings is not None else None
        self._settings = settings

    @property
    def stores(self) -> tuple[Store, ...]:
        """Every store."""
        return (self.local,) if self.remote is None else (self.local, self.remote)

    @property
    def keeps_local(self) -> bool:
        """Whether films stay on the disk that are in the remote store too."""
        return self._settings is None or self._settings.keep_local

    @staticmethod
    def remote_key(recording_id: str, version: int, name: str) -> str:
        """Where a version's file lies in the remote store."""
        return f"{recording_id}/v{version}/{name}"

    async def find(self, recording_id: str, version: int, stored_version: int, name: str) -> Found | None:
        """The file of this version, here or else there; None for none. Asks the remote store only where it must."""
        here = await self.local.stat(f"{recording_id}/{name}")
        if here is not None:
            return Found(self.local, here)
        if self.remote is None or not stored_version:
            return None
        there = await self.remote.stat(self.remote_key(recording_id, min(version, stored_version), name))
        if there is None:
            return None
        signed = self._settings is not None and self._settings.serve == "signed"
        return Found(self.remote, there, self._settings.signed_seconds if signed and self._settings else None)

    async def close(self) -> None:
        """Give connections back."""
        for store in self.stores:
            await store.close()
