"""One node: its parts built from the configuration, started in order, stopped in the opposite one."""

import asyncio
import ssl
from collections.abc import Awaitable
from typing import Final

import structlog
from pydantic import SecretStr

import metering
from config import Config
from database import Database, utc_now
from errors import Problem
from localization import ErrorTexts
from media import MediaEngine, MediaSettings
from members.accounts import Accounts, AccountSettings
from members.cards import Cards
from members.organizations import Organizations
from members.people import Members
from members.tokens import Tokens, load_secret
from recordings.captions.service import Captions
from recordings.center import RecordingCenter
from recordings.curation import Curation
from recordings.library import Library
from recordings.notices import Notices
from recordings.remaking import Remaking
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.keeper import Keeper
from recordings.upkeep.room import require_room_to_record
from recordings.upkeep.rules import Rules
from recordings.upkeep.uptime import UptimeCounter
from recordings.uploads.service import Uploads
from recordings.viewing.service import Viewings
from recordings.viewing.watchers import Watchers
from rooms import (
    Attendance,
    Consultations,
    ConsultationSettings,
    LiveRooms,
    Meetings,
    RoomSettings,
    Stations,
    StreamKeys,
)
from signaling import IceServer, Signaling, SignalingSettings
from startup import StartFailed, recording_settings, storage_settings
from web import tls
from web.application import create_app
from web.figures import Figures
from web.health import Health, disk_check
from web.listener import Listener
from web.metrics import Source
from web.pages import ClientPages
from web.services import Services, WebSettings

RECONNECT_AFTER_MS: Final = 3_000  # a restart of this program takes about two seconds
DRAIN_SECONDS: Final = 0.3  # for the word to reach people before their connections are cut
STEP_SECONDS: Final = 8.0  # for each part to stop; a stop takes half a minute at the very worst
HOUSEKEEPING_SECONDS: Final = 3600.0
MEBIBYTE: Final = 1024 * 1024

logger = structlog.get_logger(__name__)


class Node:
    """Everything that runs; `database` is migrated already."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        texts = ErrorTexts.load()
        tokens = Tokens(_secret(config), utc_now)
        self._accounts = accounts = Accounts(database, utc_now)
        self._started: set[str] = set()
        self._chores: tuple[asyncio.Task[None], ...] = ()
        self.media = MediaEngine(_media_settings(config))
        cards = Cards(database, utc_now)
        attendance = Attendance(database, cards, utc_now)
        guests = ConsultationSettings(guests=config.consultations.guests)
        self.consultations = Consultations(database, tokens, cards, utc_now, guests)
        stations = Stations(database, utc_now)
        rooms = RoomSettings(grace=config.rooms.grace_seconds)
        self.rooms = LiveRooms(database, tokens, cards, self.consultations, utc_now, rooms)
        recordings = recording_settings(config)
        self.recordings = RecordingCenter(database, recordings, utc_now)
        self._uploads = Uploads(database, recordings, utc_now, self.recordings.wake)
        self.signaling = Signaling(
            _signaling_settings(config),
            accounts=accounts,
            tokens=tokens,
            rooms=self.rooms,
            consultations=self.consultations,
            stations=stations,
            media=self.media,
            recordings=self.recordings,
            texts=texts,
        )
        viewings = Viewings(database, attendance, cards, utc_now)
        deletions = Deletions(database, utc_now, config.recordings.keep_days)
        self.keeper = Keeper(database, deletions, viewings, UptimeCounter(database), utc_now)
        services = Services(
            database=database,
            accounts=accounts,
            organizations=Organizations(database),
            members=Members(database),
            cards=cards,
            tokens=tokens,
            meetings=Meetings(database, tokens, utc_now, require_room_to_record),
            live_rooms=self.rooms,
            attendance=attendance,
            stations=stations,
            consultations=self.consultations,
            library=Library(database, self.recordings.shelf, utc_now),
            uploads=self._uploads,
            curation=Curation(database),
            remaking=Remaking(database, self.recordings.shelf.folders, utc_now, self.recordings.wake),
            captions=Captions(database, utc_now),
            viewings=viewings,
            watchers=Watchers(database),
            notices=Notices(database, utc_now, config.recordings.keep_days),
            storage_rules=Rules(database, utc_now, config.recordings.keep_days),
            deletions=deletions,
            stream_keys=StreamKeys(database, self.rooms, utc_now),
            streams=self.signaling.streams,
            texts=texts,
            clock=utc_now,
        )
        minimum_free = config.recordings.minimum_free_mebibytes * MEBIBYTE
        self.health = Health(
            {
                "database": self._database_answers,
                "media": self._media_runs,
                "disk": disk_check(config.data_dir, minimum_free),
            }
        )
        pages = ClientPages()
        self._figures = _figures(self)
        app = create_app(
            services, _web_settings(config), health=self.health, figures=self._figures, pages=pages
        )
        self.signaling.attach(app)
        self.http = Listener(app, config.http.host, config.http.port, _tls(config))

    @property
    def secure(self) -> bool:
        """Whether this process itself does TLS."""
        return self.config.tls.certificate is not None or self.config.tls.self_signed

    async def start(self) -> None:
        """Start every part; when one cannot, stop those before it and raise what it said."""
        # Signaling before what tells it of the meetings that a crash left live; the door to the outside last.
        starts = (
            ("media", self._open_media_port),
            ("recordings", self._open_recordings),
            ("signaling", self.signaling.start),
            ("consultations", self.consultations.start),
            ("rooms", self.rooms.start),
            ("keeper", self.keeper.start),
            ("http", self.http.start),
        )
        try:
            for part, begin in starts:
                await begin()
                self._started.add(part)
        except BaseException:
            await self.stop()
            raise
        self._chores = (
            asyncio.create_task(self._keep_house(), name="housekeeping"),
            asyncio.create_task(self._figures.watch_the_loop(), name="loop_lag"),
        )
        logger.info("started", http_port=self.http.port, media_port=self.media.port, tls=self.secure)

    async def _open_media_port(self) -> None:
        try:
            await self.media.start()
        except OSError as error:  # media's own, and it says what to do
            raise StartFailed(str(error)) from error

    async def _open_recordings(self) -> None:
        try:
            await self.recordings.start()
        except OSError as error:
            raise StartFailed(
                f"The recordings' folder cannot be used ({error}). Correct its rights, or HUITANG_RECORDINGS__FOLDER."
            ) from error

    async def drain(self) -> None:
        """Send nobody here any more, and tell who is here to come back in a moment."""
        self.health.drain()
        await self._within("signaling", self.signaling.drain(RECONNECT_AFTER_MS))
        await asyncio.sleep(DRAIN_SECONDS)

    async def stop(self) -> None:
        """Stop what was started, each part within its time: connections first; see docs/closing.md."""
        for chore in self._chores:
            chore.cancel()
        stops = (
            ("http", self.http.refuse_new),
            ("signaling", self.signaling.stop),
            ("keeper", self.keeper.stop),
            ("recordings", self.recordings.stop),
            ("rooms", self.rooms.stop),
            ("consultations", self.consultations.stop),
            ("media", self.media.stop),
            ("http", self.http.stop),
        )
        for part, end in stops:
            if part in self._started:
                await self._within(part, end())
        self._started.clear()
        logger.info("stopped")

    async def _within(self, part: str, work: Awaitable[None]) -> None:
        """A part that fails or hangs while it stops must not keep the others from stopping."""
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await work
        except Exception:
            logger.exception("stop_failed", part=part)

    async def _keep_house(self) -> None:
        while True:
            try:
                await self._accounts.delete_expired_sessions()
                await self._uploads.sweep()
            except Problem as problem:
                logger.warning("housekeeping_failed", code=problem.code)
            except Exception:
                logger.exception("housekeeping_failed")
            await asyncio.sleep(HOUSEKEEPING_SECONDS)

    async def _database_answers(self) -> bool:
        await self.database.check()
        return True

    async def _media_runs(self) -> bool:
        return self.media.port > 0


def _secret(config: Config) -> str:
    try:
        return load_secret(config.data_dir)
    except (OSError, ValueError) as error:  # members' own, and it says what to do
        raise StartFailed(str(error)) from error


def _figures(node: Node) -> Figures:
    """What /metrics shows of each part."""
    figures = Figures()
    figures.add(Source(lambda: metering.media(node.media)))
    figures.add(Source(lambda: metering.rooms(node.rooms.statistics())))
    figures.add(
        Source(
            lambda: metering.recordings(
                node.recordings.statistics(), node.recordings.unkept() | node.keeper.unkept()
            )
        )
    )
    figures.add(Source(lambda: metering.signaling(node.signaling.statistics())))
    figures.add(Source(lambda: metering.records(node.database)))
    return figures


def _media_settings(config: Config) -> MediaSettings:
    media = config.media
    return MediaSettings(
        port=media.port,
        tcp=media.tcp,
        bind_addresses=media.bind_addresses,
        announced_addresses=media.announced_addresses,
        plane_threads=media.plane_threads,
        loudest_microphones=media.loudest_microphones,
        loudest_hold_seconds=media.loudest_hold_seconds,
    )


def _signaling_settings(config: Config) -> SignalingSettings:
    ice = config.ice
    server = IceServer(ice.urls, ice.username, _text(ice.credential), _text(ice.secret))
    return SignalingSettings(
        public_origins=config.http.public_origins, ice_servers=(server,) if ice.urls else ()
    )


def _web_settings(config: Config) -> WebSettings:
    return WebSettings(
        trusted_proxies=config.http.trusted_proxies,
        public_origins=config.http.public_origins,
        guests=config.consultations.guests,
        session_seconds=int(AccountSettings().session_lifetime.total_seconds()),
        metrics_networks=config.metrics.networks,
        metrics_token=_text(config.metrics.token),
        access_log=config.log.access,
        media_origin=stored.browsers_origin if (stored := storage_settings(config)) else None,
    )


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _tls(config: Config) -> ssl.SSLContext | None:
    wanted = config.tls
    try:
        if wanted.self_signed:
            return tls.context(*tls.self_signed(config.data_dir, utc_now()))
        if wanted.certificate is not None and wanted.key is not None:
            return tls.context(wanted.certificate, wanted.key)
    except (OSError, ssl.SSLError) as error:
        raise StartFailed(
            f"The TLS certificate cannot be used ({error}). HUITANG_TLS__CERTIFICATE and HUITANG_TLS__KEY must name "
            "readable PEM files that belong together."
        ) from error
    return None
