"""What every namespace does in the same way: let in, look up, parse, answer, count."""

import secrets
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from aiohttp import web
from pydantic import ValidationError
from socketio.exceptions import ConnectionRefusedError as ConnectionRefused

from errors import Kind, Problem
from localization import DEFAULT_LANGUAGE, ErrorTexts, Language, choose_language
from media import MediaError
from signaling.answers import Answer, accepted, invalid_fields, invalid_request, media_refusal, refused
from signaling.connection import Connection
from signaling.messages import Message
from signaling.statistics import Counters

log = structlog.get_logger(__name__)

Identity = TypeVar("Identity")
AnyMessage = TypeVar("AnyMessage", bound=Message)
Handler = Callable[[Connection[Identity], AnyMessage], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Entry(Generic[Identity]):
    """One event a client may send: the model of its payload, who answers it, and what it costs of the allowance."""

    model: type[Message]
    handler: Handler[Identity, Any]
    cost: float = 1.0


Table = Mapping[str, Entry[Identity]]


class TableNamespace(Generic[Identity]):
    """A namespace whose events stand in a table; nothing that is not there can be called from outside."""

    name: str

    def __init__(self, table: Table[Identity], counters: Counters, texts: ErrorTexts) -> None:
        self._counters = counters
        self._texts = texts
        self._connections: dict[str, Connection[Identity]] = {}
        self._draining = False
        self._table = table

    # For the namespaces that are made of this

    @abstractmethod
    async def _identify(self, request: web.Request, token: str | None) -> Identity | None:
        """Who opens a connection, by a token or else the request's cookies; None is nobody we know."""

    async def _come(self, connection: Connection[Identity]) -> None:
        """The connection is open."""

    async def _renew(self, connection: Connection[Identity]) -> None:
        """Before each event: Problem unauthenticated when the credential is good no more."""

    @abstractmethod
    async def _gone(self, connection: Connection[Identity]) -> None:
        """The connection is closed, for whatever reason; told again after an event that was being answered then."""

    # For the server

    async def on_connect(self, sid: str, request: web.Request, auth: Any) -> None:
        """Let a connection in, or refuse it with a code that clients understand."""
        language = choose_language(_text(auth, "locale"), request.headers.get("Accept-Language"))
        try:
            connection = Connection(sid, language, await self._admit(request, auth))
        except Problem as problem:
            raise self._refusal(problem, language) from None
        except Exception as error:  # noqa: BLE001 - the client is answered, the log has it
            raise self._refusal(self._failure("connect", error), language) from None
        self._connections[sid] = connection
        await self._come(connection)

    def connection(self, sid: str) -> Connection[Identity] | None:
        """A connection that is there."""
        return self._connections.get(sid)

    def sids(self) -> list[str]:
        """All connections."""
        return list(self._connections)

    async def on_event(self, sid: str, data: Any) -> Answer:
        """Answer one event; whatever happens, there is an answer."""
        connection = self._connections[sid]
        try:
            return await self._answer(connection, data)
        except Exception as error:  # noqa: BLE001 - as above
            return self._refuse(self._failure(_event_name(data), error), connection.language)
        finally:
            if (
                sid not in self._connections
            ):  # lost while it was being answered: what the handler noted goes too
                await self._part(connection)

    def cost(self, data: Any) -> float:
        """What an event costs: what its table says, and as much as any other where it is not in the table."""
        entry = (
            self._table.get(data[0]) if isinstance(data, list) and data and isinstance(data[0], str) else None
        )
        return 1.0 if entry is None else entry.cost

    async def _answer(self, connection: Connection[Identity], data: Any) -> Answer:
        try:
            name, entry, message = self._read(data)
            self._counters.events[self.name, name] += 1
            await self._renew(connection)
            return accepted(await entry.handler(connection, message))
        except Problem as problem:
            return self._refuse(problem, connection.language)
        except MediaError as error:
            return self._refuse(media_refusal(error), connection.language)

    async def on_disconnect(self, sid: str) -> None:
        """Forget a connection."""
        connection = self._connections.pop(sid, None)
        if connection is not None:
            await self._part(connection)

    async def _part(self, connection: Connection[Identity]) -> None:
        try:
            await self._gone(connection)
        except Exception as error:  # noqa: BLE001 - as above
            self._failure("disconnect", error)

    def refuse(self, sid: str, code: str, **details: Any) -> Answer:
        """Word a refusal of the server's own for a connection."""
        connection = self._connections.get(sid)
        kind = Kind.RATE_LIMITED if code == "rate_limited" else Kind.INVALID
        return self._refuse(
            Problem(kind, code, details), connection.language if connection else DEFAULT_LANGUAGE
        )

    def drain(self) -> None:
        """Refuse new connections from now on."""
        self._draining = True

    # Inside

    async def _admit(self, request: web.Request, auth: Any) -> Identity:
        if self._draining:
            raise Problem(Kind.UNAVAILABLE, "server_draining")
        identity = await self._identify(request, _text(auth, "token"))
        if identity is None:
            raise Problem(Kind.UNAUTHENTICATED, "unauthenticated")
        return identity

    def _read(self, data: Any) -> tuple[str, Entry[Identity], Message]:
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise invalid_request(reason="not_an_event")
        name, payloads = data[0], data[1:]
        entry = self._table.get(name)
        if entry is None:
            raise invalid_request(reason="unknown_event", event=name[:64])
        if len(payloads) > 1:
            raise invalid_request(reason="one_payload_expected", event=name)
        try:
            return name, entry, entry.model.model_validate(payloads[0] if payloads else {})
        except ValidationError as error:
            raise invalid_fields(name, error) from None
        except RecursionError:
            raise invalid_request(reason="nested_too_deeply", event=name) from None

    def _refuse(self, problem: Problem, language: Language) -> Answer:
        self._counters.refusals[problem.code] += 1
        return refused(problem, language, self._texts)

    def _refusal(self, problem: Problem, language: Language) -> ConnectionRefused:
        error = self._refuse(problem, language)["error"]
        return ConnectionRefused(error["message"], error)

    def _failure(self, event: str, error: Exception) -> Problem:
        """Log what went wrong in us, under a reference that the client may quote."""
        reference = secrets.token_hex(4)
        log.error(
            "event_failed", namespace=self.name, client_event=event, request_id=reference, exc_info=error
        )
        return Problem(Kind.UNAVAILABLE, "internal_error", {"requestId": reference})


def _text(auth: Any, key: str) -> str | None:
    """A short text in the client's `auth`, which may be anything."""
    value = auth.get(key) if isinstance(auth, dict) else None
    return value if isinstance(value, str) and 0 < len(value) <= 2048 else None  # noqa: PLR2004 - as messages.Secret


def _event_name(data: Any) -> str:
    return data[0][:64] if isinstance(data, list) and data and isinstance(data[0], str) else "?"
