"""Who was let in to which film a moment ago, so that a player's many requests do not each ask the records.

A grant lives GRANT_SECONDS from the check, however often it is used: a right that is taken away bites within that time.
Many are asked about at once, in a few queries for all: those who watch when the first of their grants ends, and those
who are new when they come one after the other.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Final, NamedTuple

from members.accounts import Accounts
from recordings.library import Library
from recordings.renditions import Rendition
from recordings.views import MediaFile, OpenedRecording

GRANT_SECONDS: Final = 5.0
MOST_GRANTS: Final = 10_000
# Those whose grant will have ended this soon are asked about with the first: so all come to end together.
_ALONG_SECONDS: Final = GRANT_SECONDS / 2
# Who has not come for so long is forgotten; the next request is a first one.
_FORGOTTEN_SECONDS: Final = 60.0
# Reading so many from the records holds the event loop for some 5 ms.
_AT_ONCE: Final = 50
# Newcomers are asked about this far apart, the first of them at once: nobody sees a picture that comes so much later,
# and when a lecture is put out two hundred people ask for it within seconds.
GATHER_SECONDS: Final = 0.1
# Whoever comes while so many wait to be asked about asks for himself.
MOST_NEWCOMERS: Final = 1_000


class Visit(NamedTuple):
    """Who wants which film, and how: the key of the session (no token is kept as it is), the id, the query."""

    session: str
    recording_id: str
    query: str


@dataclass(slots=True)
class Grant:
    """One who was let in, until `ends` on the monotonic clock; `files` were looked for already, by piece.

    `used`: since the records were asked.
    """

    opened: OpenedRecording
    ends: float
    used: bool = True
    files: dict[tuple[Rendition, str | None], MediaFile] = field(default_factory=dict)


Ask = Callable[[Collection[Visit]], Awaitable[Mapping[Visit, OpenedRecording]]]
"""Which of these visits are let in now, and to what."""

Pause = Callable[[float], Awaitable[None]]
"""Wait so many seconds."""


def asking(accounts: Accounts, library: Library) -> Ask:
    """Ask the records themselves."""

    async def ask(visits: Collection[Visit]) -> Mapping[Visit, OpenedRecording]:
        people = await accounts.holders({visit.session for visit in visits})
        asked = {visit: (people.get(visit.session), visit.recording_id) for visit in visits}
        opened = await library.open_all(set(asked.values()))
        return {visit: opened[one] for visit, one in asked.items() if one in opened}

    return ask


class Grants:
    """By visit; the oldest go where there are too many."""

    def __init__(self, now: Callable[[], float], ask: Ask, pause: Pause = asyncio.sleep) -> None:
        self._now = now
        self._ask = ask
        self._pause = pause
        self._granted: OrderedDict[Visit, Grant] = OrderedDict()
        self._asking = asyncio.Lock()
        self._newcomers: dict[
            Visit, int | None
        ] = {}  # in the order in which they came, each with his version
        self._entering = asyncio.Lock()
        self._entered = -inf

    def end(self) -> float:
        """When what is granted now ends, on the clock of `ended`."""
        return self._now() + GRANT_SECONDS

    def ended(self, end: float) -> bool:
        """Whether it is to be asked about again."""
        return self._now() >= end

    async def find(self, visit: Visit) -> Grant | None:
        """The grant, asked about again where it had ended; None for who never had one, or has it no more."""
        grant = self._granted.get(visit)
        if grant is not None and self._now() >= grant.ends:
            grant.used = True
            async with self._asking:  # where somebody else has asked meanwhile, this one was among them
                if self._now() >= grant.ends:
                    await self._ask_again()
            grant = self._granted.get(visit)
        if grant is not None:
            grant.used = True
        return grant

    async def enter(self, visit: Visit, version: int | None) -> Grant | None:
        """The grant of a newcomer, asked about together with whoever comes within the same moment.

        None for who is not let in, or wants another `version` of the film than there is: why, his own call tells.
        """
        if len(self._newcomers) >= MOST_NEWCOMERS:
            return None
        self._newcomers[visit] = version
        try:
            async with (
                self._entering
            ):  # in turn, so this one is among the first where nobody has asked about him yet
                if visit in self._newcomers:
                    await self._gather()
                    await self._let_in(dict(islice(self._newcomers.items(), _AT_ONCE)))
        finally:
            self._newcomers.pop(visit, None)
        return self._granted.get(visit)

    def note(self, visit: Visit, opened: OpenedRecording, since: float | None = None) -> Grant:
        """It was checked `since` then, or now, and granted."""
        self._granted.pop(visit, None)
        checked = self._now() if since is None else since
        granted = self._granted[visit] = Grant(opened, checked + GRANT_SECONDS)
        while len(self._granted) > MOST_GRANTS:
            self._granted.popitem(last=False)
        return granted

    async def _gather(self) -> None:
        wait = self._entered + GATHER_SECONDS - self._now()
        if wait > 0 and len(self._newcomers) < _AT_ONCE:
            await self._pause(wait)

    async def _let_in(self, some: dict[Visit, int | None]) -> None:
        """Where the records do not answer, the next of them asks again."""
        self._entered = asked = self._now()
        opened = await self._ask(some)
        for visit, version in some.items():
            self._newcomers.pop(visit, None)
            one = opened.get(visit)
            if one is not None and version in {None, one.version}:
                self.note(visit, one, asked)

    async def _ask_again(self) -> None:
        """Ask about all whose grant has ended or soon will, and who have come since it was asked about."""
        now = self._now()
        ending = [
            (visit, grant) for visit, grant in self._granted.items() if grant.ends <= now + _ALONG_SECONDS
        ]
        for visit, grant in ending:
            if grant.ends + _FORGOTTEN_SECONDS < now and not grant.used:
                del self._granted[visit]
        coming = [(visit, grant) for visit, grant in ending if grant.used]
        for start in range(0, len(coming), _AT_ONCE):
            await self._ask_about(dict(coming[start : start + _AT_ONCE]))

    async def _ask_about(self, some: dict[Visit, Grant]) -> None:
        """Another film under the same name is another grant, which the next request asks for."""
        asked = self._now()
        opened = await self._ask(some)
        for visit, grant in some.items():
            if opened.get(visit) == grant.opened:
                grant.ends, grant.used = asked + GRANT_SECONDS, False
            elif self._granted.get(visit) is grant:
                del self._granted[visit]
