"""A running engine, a router in it, and people who join."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aioice.ice
import pytest
from aiortc import MediaStreamTrack

import media.ice
from media import MediaEngine, MediaSettings, Router
from tests.media.peers import Listener, Peer

Join = Callable[..., Awaitable[Peer]]


@pytest.fixture
def settings() -> MediaSettings:
    return MediaSettings(port=0)


@asynccontextmanager
async def started(settings: MediaSettings) -> AsyncIterator[MediaEngine]:
    """An engine as long as the block lasts."""
    engine = MediaEngine(settings)
    await engine.start()
    yield engine
    await engine.stop()
    assert engine.statistics()["counters"].get("control_errors", 0) == 0


@pytest.fixture
async def engine(settings: MediaSettings) -> AsyncIterator[MediaEngine]:
    async with started(settings) as engine:
        yield engine


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def router(engine: MediaEngine, listener: Listener) -> Router:
    return engine.create_router(listener)


@asynccontextmanager
async def joining(router: Router) -> AsyncIterator[Join]:
    """Lets people in, who leave at the end of the block."""
    peers: list[Peer] = []

    async def enter(*tracks: MediaStreamTrack, **options: Any) -> Peer:
        peer = Peer(router, *tracks, **options)
        peers.append(peer)
        return await peer.join()

    yield enter
    for peer in peers:
        await peer.leave()


@pytest.fixture
async def join(router: Router) -> AsyncIterator[Join]:
    async with joining(router) as join:
        yield join


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time runs faster: consent is what finds a peer who moved and, as aioice does, never nominates again."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.5)
    monkeypatch.setattr(media.ice, "STALE_AFTER", 1.5)
