"""What a store is: the seam between the library and wherever bytes lie."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

# One read from a store, and so what one viewer takes of the memory.
CHUNK_BYTES: Final = 256 * 1024
Piece = bytes | memoryview


class Fault(StrEnum):
    """Why a store did not do what was asked; stable. `REMEDIES` says what an operator does about it."""

    UNREACHABLE = "unreachable"
    CREDENTIALS = "credentials"
    FORBIDDEN = "forbidden"
    BUCKET_MISSING = "bucket_missing"
    MISSING = "missing"
    CORRUPTED = "corrupted"
    REFUSED = "refused"


REMEDIES: Final = {
    Fault.UNREACHABLE: "The store does not answer. See that it runs, and that HUITANG_STORAGE__ENDPOINT_URL is right.",
    Fault.CREDENTIALS: (
        "The store refused the credentials. Correct HUITANG_STORAGE__ACCESS_KEY and HUITANG_STORAGE__SECRET_KEY, "
        "and see that this machine's clock is right."
    ),
    Fault.FORBIDDEN: (
        "The store does not allow this. Give the account the right to list, read, write and delete in the bucket."
    ),
    Fault.BUCKET_MISSING: "There is no such bucket. Make it, or correct HUITANG_STORAGE__BUCKET.",
    Fault.MISSING: "A file is not in the store any more. If nobody removed it, look at the bucket's life-cycle rules.",
    Fault.CORRUPTED: "What arrived at the store is not what was sent. It is sent again by itself.",
    Fault.REFUSED: "The store refused; the log says what it answered.",
}


class StoreError(Exception):
    """A store did not do what was asked; `detail` is for the log and holds no secret."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail

    @property
    def remedy(self) -> str:
        """What an operator does about it."""
        return REMEDIES[self.fault]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in a store; `size` in bytes. Another file of this name has another `tag`; "" where none is known."""

    key: str
    size: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has arrived: the MD5 of its bytes, in hexadecimal, and what the store calls it."""

    digest: str
    tag: str


@dataclass(slots=True)
class PartialUpload:
    """An upload in parts that may be resumed; `upload_id` is the store's, `parts` what is known to have arrived."""

    key: str
    size: int
    part_bytes: int
    upload_id: str
    parts: dict[int, Part] = field(default_factory=dict)


class Ledger(Protocol):
    """Remembers uploads that are not finished, so that the next attempt goes on where one ended."""

    async def unfinished(self, key: str) -> PartialUpload | None:
        """What is known of an upload to this key."""

    async def begun(self, upload: PartialUpload) -> None:
        """An upload has begun; remembered before its first byte is sent."""

    async def arrived(self, key: str, number: int, part: Part) -> None:
        """A part has arrived, which is not to be sent again."""

    async def ended(self, key: str) -> None:
        """It is finished, or nothing is left of it."""

    async def sent(self, size: int) -> None:
        """So many more bytes have arrived."""


class Store(Protocol):
    """Files by key. Keys are `folder/name` of ASCII letters, digits, `.`, `_`, `-` and `/`.

    Every method raises StoreError and nothing else for what goes wrong outside.
    """

    async def put(self, key: str, path: Path, content_type: str, ledger: Ledger) -> None:
        """Copy a local file into the store, whole or not at all, checked by size and checksum."""

    async def stat(self, key: str) -> Entry | None:
        """The file, or None where there is none."""

    def read(self, entry: Entry, begin: int, end: int) -> AsyncGenerator[Piece]:
        """Bytes begin..end (exclusive) of a file that was found, in pieces of at most CHUNK_BYTES.

        StoreError where it is gone, another one has its name by now, or it comes more slowly than anybody could use it.
        """

    def entries(self, prefix: str) -> AsyncIterator[Entry]:
        """Every file whose key begins with `prefix`."""

    async def folders(self) -> set[str]:
        """The first parts of all keys: the ids of the recordings that have files here, and whatever else lies there."""

    async def delete(self, prefix: str) -> int:
        """Delete every file under `prefix`, which ends with "/", and uploads begun there; answers how many files."""

    async def signed_url(self, key: str, seconds: int) -> str | None:
        """An address at which anybody can read the file for so long; None where the store has no such thing."""

    async def check(self) -> None:
        """Raise StoreError unless the store can be used."""

    async def close(self) -> None:
        """Give connections back."""
