"""Our values as JSON, and the ICE servers that clients are told of."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from signaling.ice_servers import IceServers
from signaling.settings import IceServer
from signaling.wire import wire


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    colour_name: Colour


@dataclass(frozen=True)
class Outer:
    inner_items: tuple[Inner, ...]
    started_at: datetime
    room_token: str | None


def test_views_become_camel_case_json_with_times_in_utc() -> None:
    shanghai = timezone(timedelta(hours=8))
    view = Outer((Inner(Colour.RED),), datetime(2026, 11, 23, 19, 30, 0, 123456, tzinfo=shanghai), None)
    assert json.loads(json.dumps(wire(view))) == {
        "innerItems": [{"colourName": "red"}],
        "startedAt": "2026-11-23T11:30:00.123Z",
        "roomToken": None,
    }


def test_a_turn_server_with_a_secret_gives_each_participant_credentials_that_expire() -> None:
    server = IceServer(urls=("turn:turn.example.org:3478",), secret="shared")
    [answer] = IceServers([server], 3600, lambda: 1_699_996_400.9).of("peer1")
    digest = hmac.new(b"shared", b"1700000000:peer1", hashlib.sha1).digest()
    assert answer == {
        "urls": ["turn:turn.example.org:3478"],
        "username": "1700000000:peer1",
        "credential": base64.b64encode(digest).decode(),
    }


def test_plain_servers_are_told_as_they_are() -> None:
    servers = [
        IceServer(urls=("stun:stun.example.org",)),
        IceServer(urls=("turn:t.example.org",), username="u", credential="c"),
    ]
    assert IceServers(servers, 3600, lambda: 0).of("peer1") == [
        {"urls": ["stun:stun.example.org"]},
        {"urls": ["turn:t.example.org"], "username": "u", "credential": "c"},
    ]
