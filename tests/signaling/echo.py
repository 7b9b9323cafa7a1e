"""A server of Socket.IO with a namespace that says back what it hears, for tests of what clients send."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from errors import Kind, Problem
from localization import ErrorTexts
from signaling.connection import Connection
from signaling.messages import ChatText, Message, Nothing
from signaling.namespace import Entry, TableNamespace
from signaling.settings import SignalingSettings
from signaling.socket_server import SocketServer
from signaling.statistics import Counters
from tests.signaling.raw import RawClient

SPACE = "/echo"


class Say(Message):
    text: ChatText


class Echo(TableNamespace[str]):
    """Says back what it hears, to the one who said it; knows whoever has the token "known"."""

    name = SPACE

    def __init__(self, counters: Counters) -> None:
        table = {
            "say": Entry(Say, self.say),
            "fail": Entry(Nothing, self.fail),
            "confuse": Entry(Nothing, self.confuse),
            "refuse": Entry(Nothing, self.refuse_politely),
            "wait": Entry(Nothing, self.wait),
            "shout": Entry(Nothing, self.shout, cost=10),
        }
        super().__init__(table, counters, ErrorTexts.load())
        self.gone: list[str] = []
        self.heard: list[str] = []
        self.go_on = asyncio.Event()

    async def say(self, connection: Connection[str], message: Say) -> Mapping[str, Any]:
        self.heard.append(message.text)
        return {"text": message.text, "by": connection.identity}

    async def fail(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        raise ZeroDivisionError("a secret of ours")

    async def confuse(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        return {"not": object()}

    async def refuse_politely(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        raise Problem(Kind.CONFLICT, "room_locked", {"why": "so"})

    async def wait(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        await self.go_on.wait()
        self.heard.append("waited")
        return {}

    async def shout(self, _connection: Connection[str], _message: Nothing) -> Mapping[str, Any]:
        return {}

    async def _identify(self, request: web.Request, token: str | None) -> str | None:
        if token == "explode":
            raise ZeroDivisionError("a secret of ours")
        if token == "slow":
            await self.go_on.wait()
            return token
        return token if token == "known" else request.cookies.get("known")

    async def _gone(self, connection: Connection[str]) -> None:
        self.gone.append(connection.identity)


class Stand:
    """A server with the echo namespace, and a clock for its buckets that tests own."""

    def __init__(self, settings: SignalingSettings) -> None:
        self.now = 0.0
        self.counters = Counters()
        self.echo = Echo(self.counters)
        self.server = SocketServer(settings, self.counters, {SPACE: self.echo}, lambda: self.now)
        app = web.Application()
        self.server.attach(app)  # type: ignore[no-untyped-call]
        self.http = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.http.make_url("")).rstrip("/")


@asynccontextmanager
async def standing(settings: SignalingSettings) -> AsyncIterator[Stand]:
    """A stand that serves."""
    stand = Stand(settings)
    await stand.http.start_server()
    try:
        yield stand
    finally:
        await stand.server.stop()
        await stand.http.close()


async def is_alive(client: RawClient) -> bool:
    return bool((await client.call(SPACE, "say", {"text": "hello"}))["ok"])
