"""Sheets of a layer above, which members knows nothing about, imported with its own: all of them or nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from members.importing.report import Count
from members.importing.sheets import Sheet


class FurtherSheets(Protocol):
    """What else an import reads and writes."""

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The kinds of files, told apart from all others by their columns."""

    async def write(
        self, session: AsyncSession, rows: Mapping[str, Sequence[Any]], now: datetime
    ) -> Mapping[str, Count]:
        """Put rows, given by the file of their sheet, into the records; answers what to report, by name.

        Organizations, members, accounts and roles of the same import are in the session already. Raises ImportRefused
        with every mistake found; the caller rolls back.
        """
