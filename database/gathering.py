"""Single questions to the records, asked in bunches when many come at one moment."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Final, Generic, TypeVar

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")

MOST_AT_ONCE: Final = 100
"""Questions of a bunch: reading the answers holds the event loop for some 10 ms."""


class Gathering(Generic[Question, Answer]):
    """Who asks while others are being answered is answered with all who do, by one reading that begins afterwards.

    Alone nobody waits; in a crowd the records are read a few times instead of once a head, each of whose readings
    would go through a thread several times and wait for the interpreter's lock each time.
    """

    def __init__(
        self, answer: Callable[[Collection[Question]], Awaitable[Mapping[Question, Answer]]]
    ) -> None:
        """`answer` reads what there is to say of each question, and leaves out those of which there is nothing."""
        self._answer = answer
        self._waiting: list[tuple[Question, asyncio.Future[Answer | None]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer | None:
        """The answer as it stands now or later; None where there is none. Raises what the reading raised."""
        future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="gathering")
        return await future

    async def _read(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._tell(asked)
        finally:
            self._reading = None

    async def _tell(self, asked: list[tuple[Question, asyncio.Future[Answer | None]]]) -> None:
        """Answer those who still wait: whoever was cancelled meanwhile does not."""
        try:
            found = await self._answer({question for question, _ in asked})
        except Exception as error:  # noqa: BLE001 - it is theirs who asked
            for _, future in asked:
                if not future.done():
                    future.set_exception(error)
            return
        for question, future in asked:
            if not future.done():
                future.set_result(found.get(question))
