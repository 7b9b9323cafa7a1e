"""The whole of signaling as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from signaling.statistics import SignalingStatistics

if TYPE_CHECKING:
    from aiohttp import web

    from media import MediaEngine
    from members import Accounts, Tokens
    from recordings import RecordingCenter
    from rooms import Consultations, LiveRooms, Stations
    from signaling.settings import SignalingSettings


class Texts(Protocol):
    """The sentence for a refusal's code in a language ("zh-CN" or "en"); unknown codes get a general sentence."""

    def __call__(self, code: str, locale: str) -> str:
        """Answer the sentence."""
        ...


class Signaling:
    """Socket.IO for rooms and stations."""

    def __init__(
        self,
        settings: SignalingSettings,
        *,
        accounts: Accounts,
        tokens: Tokens,
        rooms: LiveRooms,
        consultations: Consultations,
        stations: Stations,
        media: MediaEngine,
        recordings: RecordingCenter,
        texts: Texts,
    ) -> None:
        raise NotImplementedError

    def attach(self, app: web.Application) -> None:
        """Add Socket.IO's routes to the application, before it is started."""
        raise NotImplementedError

    async def start(self) -> None:
        """Begin to listen to room, media and recording events."""
        raise NotImplementedError

    async def drain(self, reconnect_after_ms: int) -> None:
        """Tell everybody `serverDraining` and refuse new joins."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Cut all connections and close all media."""
        raise NotImplementedError

    def statistics(self) -> SignalingStatistics:
        """Copy the counters."""
        raise NotImplementedError
