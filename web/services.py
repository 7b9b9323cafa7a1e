"""What handlers may ask: everything below web, built by server.py and handed over as one record."""

from dataclasses import dataclass

from aiohttp import web

from database import Clock, Database
from localization import ErrorTexts
from members.accounts.service import Accounts
from members.cards.service import Cards
from members.organizations.service import Organizations
from members.people.service import Members
from members.tokens import Tokens
from recordings.captions.service import Captions
from recordings.curation import Curation
from recordings.library import Library
from recordings.notices import Notices
from recordings.remaking import Remaking
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.rules import Rules
from recordings.uploads.service import Uploads
from recordings.viewing.service import Viewings
from recordings.viewing.watchers import Watchers
from rooms.attendance.service import Attendance
from rooms.consultations.service import Consultations
from rooms.consultations.stations import Stations
from rooms.live.service import LiveRooms
from rooms.meetings.service import Meetings
from rooms.stream_keys.service import StreamKeys
from signaling.streams.streams import Streams
from web.grants import Grants
from web.throttle import Throttle


@dataclass(frozen=True)
class Services:
    """One of each."""

    database: Database
    accounts: Accounts
    organizations: Organizations
    members: Members
    cards: Cards
    tokens: Tokens
    meetings: Meetings
    live_rooms: LiveRooms
    attendance: Attendance
    stations: Stations
    consultations: Consultations
    library: Library
    curation: Curation
    remaking: Remaking
    captions: Captions
    viewings: Viewings
    uploads: Uploads
    watchers: Watchers
    notices: Notices
    storage_rules: Rules
    deletions: Deletions
    stream_keys: StreamKeys
    streams: Streams
    texts: ErrorTexts
    clock: Clock


@dataclass(frozen=True)
class WebSettings:
    """What the operator says about HTTP."""

    trusted_proxies: tuple[str, ...] = ()
    public_origins: tuple[str, ...] = ()
    guests: bool = True
    session_seconds: int = 60 * 24 * 3600
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    metrics_token: str | None = None
    access_log: bool = False
    media_origin: str | None = None  # the store that browsers fetch films from, where they do


@dataclass(frozen=True)
class Edge:
    """What the machinery in front of the handlers needs."""

    settings: WebSettings
    pairing: Throttle
    tickets: Throttle
    grants: Grants
    devices: Throttle


SERVICES = web.AppKey("services", Services)
EDGE = web.AppKey("edge", Edge)
