"""The whole of signaling as one object: built once by server.py from the services it introduces to each other."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from localization import ErrorTexts
from media import MediaEngine
from members.accounts.service import Accounts
from members.tokens import Tokens
from recordings.center import RecordingCenter
from rooms import Consultations, LiveRooms, Stations
from signaling.background import Background
from signaling.connection_test.echo import Echoes
from signaling.connection_test.namespace import ConnectionTestNamespace, TestBench
from signaling.ice_servers import IceServers
from signaling.rooms.door import Door
from signaling.rooms.floor import Floor
from signaling.rooms.halls import Halls
from signaling.rooms.measures import Measures
from signaling.rooms.namespace import RoomsNamespace, rooms_table
from signaling.rooms.quality import QualityWatch
from signaling.rooms.room_news import RoomNews
from signaling.rooms.stage import Stage
from signaling.rooms.visitor import Doorman
from signaling.settings import SignalingSettings
from signaling.socket_server import SocketServer
from signaling.stations.desks import Desks
from signaling.stations.doorman import StationDoorman
from signaling.stations.namespace import StationsNamespace, stations_table
from signaling.stations.news import StationNews
from signaling.stations.queue_hall import QueueHall
from signaling.stations.watchers import Watchers
from signaling.statistics import Counters, SignalingStatistics
from signaling.streams.streams import Streams

Post = Callable[[Iterable[str], str, Any], None]


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
        texts: ErrorTexts,
        monotonic: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._rooms = rooms
        self._consultations = consultations
        self._counters = Counters()
        self._background = Background()
        self._halls = Halls(media, recordings, self._background, self._poster("/rooms"))
        ice_servers = IceServers(settings.ice_servers, settings.turn_credential_seconds, unix_time)
        self.streams = Streams(rooms, self._halls, ice_servers, monotonic=monotonic)
        self._quality = QualityWatch(self._halls, settings.quality_seconds)
        self._rooms_namespace, self._room_news = self._make_rooms(
            settings, ice_servers, accounts, tokens, texts, unix_time
        )
        self._stations_namespace, self._station_news = self._make_stations(accounts, tokens, stations, texts)
        self._echoes = Echoes(media, settings)
        briefly = IceServers(settings.ice_servers, settings.test_seconds, unix_time)
        bench = TestBench(self._echoes, settings, briefly, self._poster(ConnectionTestNamespace.name))
        tests = ConnectionTestNamespace(
            bench.table(), self._echoes, Doorman(accounts, tokens), self._counters, texts
        )
        self._spaces = (self._rooms_namespace, self._stations_namespace, tests)
        namespaces = {space.name: space for space in self._spaces}
        self._server = SocketServer(settings, self._counters, namespaces, monotonic)
        recordings.set_listener(self._halls)
        self._unsubscribe: list[Callable[[], None]] = []
        self._running: list[asyncio.Task[None]] = []

    def attach(self, app: web.Application) -> None:
        """Add Socket.IO's route, `/socket.io/`, to the application, before it is started."""
        self._server.attach(app)  # type: ignore[no-untyped-call]

    async def start(self) -> None:
        """Begin to listen; before `rooms.start()`, which tells of the meetings that are live already."""
        self._unsubscribe.append(self._rooms.subscribe(self._room_news))
        self._unsubscribe.append(self._consultations.subscribe(self._station_news))
        loop = asyncio.get_running_loop()
        self._running.append(loop.create_task(self._station_news.run(), name="station_news"))
        self._running.append(loop.create_task(self.streams.run(), name="streams"))
        self._running.append(loop.create_task(self._quality.run(), name="quality_watch"))

    async def drain(self, reconnect_after_ms: int) -> None:
        """Tell everybody `serverDraining` and let nobody new in; who is in goes on until `stop`."""
        self.streams.drain()
        for namespace in self._spaces:
            namespace.drain()
            self._server.post(
                namespace.name, namespace.sids(), "serverDraining", {"reconnectAfterMs": reconnect_after_ms}
            )

    async def stop(self) -> None:
        """Cut all connections and close all media; before the services stop. Meetings stay live for the next start."""
        for namespace in self._spaces:
            namespace.drain()
        self.streams.drain()
        await self._server.stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        for task in self._running:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._running.clear()
        self._echoes.close_all()
        self._halls.close_all()
        await self._background.finish()

    def statistics(self) -> SignalingStatistics:
        """Copy the counters."""
        return SignalingStatistics(
            events=dict(self._counters.events),
            refusals=dict(self._counters.refusals),
            dropped=dict(self._counters.dropped),
            connections={space.name: len(space.sids()) for space in self._spaces},
            sessions=self._halls.count(),
        )

    def _make_rooms(
        self,
        settings: SignalingSettings,
        ice_servers: IceServers,
        accounts: Accounts,
        tokens: Tokens,
        texts: ErrorTexts,
        unix_time: Callable[[], float],
    ) -> tuple[RoomsNamespace, RoomNews]:
        doorman = Doorman(accounts, tokens)
        door = Door(
            self._rooms,
            self._halls,
            doorman,
            ice_servers,
            is_alive=lambda sid: self._rooms_namespace.connection(sid) is not None,
        )
        table = rooms_table(
            door,
            Stage(self._halls, settings, ice_servers),
            Floor(self._rooms, self._halls),
            Measures(self._halls, unix_time),
        )
        namespace = RoomsNamespace(table, door, doorman, self._counters, texts)
        return namespace, RoomNews(self._halls, door.admitted, self._disconnect)

    def _make_stations(
        self, accounts: Accounts, tokens: Tokens, stations: Stations, texts: ErrorTexts
    ) -> tuple[StationsNamespace, StationNews]:
        watchers = Watchers()
        desks = Desks(self._consultations, watchers)
        table = stations_table(QueueHall(self._consultations, watchers), desks)
        doorman = StationDoorman(accounts, tokens, stations)
        namespace = StationsNamespace(table, doorman, desks, watchers, self._counters, texts)
        news = StationNews(self._consultations, watchers, namespace.connection, self._poster(namespace.name))
        return namespace, news

    def _poster(self, namespace: str) -> Post:
        """Hall and queue send through this; the server comes into being after them."""

        def post(sids: Iterable[str], event: str, payload: Any) -> None:
            self._server.post(namespace, sids, event, payload)

        return post

    def _disconnect(self, sid: str) -> None:
        self._background.start(self._server.close_connection("/rooms", sid), "disconnect")
