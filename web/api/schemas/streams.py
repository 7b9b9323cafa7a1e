"""Stream keys, and the queries of WHIP and WHEP."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from rooms.stream_keys import StreamUse
from web.api.schemas.base import Id, Input, Moment, Output, Text


class StreamKeyCreate(Input):
    """`POST /api/meetings/{id}/stream-keys`; `name` is what everybody in the meeting sees (会场摄像机)."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=64)]
    use: StreamUse = StreamUse.PUBLISH


class StreamKeyOut(Output):
    """One key, without its secret."""

    id: Id
    name: str
    use: StreamUse
    created_at: Moment
    used_at: Moment | None
    online: bool


class NewStreamKeyOut(StreamKeyOut):
    """A new key: `secret` is the bearer token, shown this once, and `path` the address below this server's own."""

    secret: str
    path: str


class StreamKeysOut(Output):
    """All of a meeting's keys that are not revoked; there are at most twenty."""

    items: list[StreamKeyOut]
    next_cursor: None = None


class PublishQuery(Input):
    """`POST .../whip?source=screen` for a device whose first picture is a screen."""

    source: Literal["camera", "screen"] = "camera"


class WatchQuery(Input):
    """`POST .../whep?peerId=` for one participant; without it the picture follows the meeting."""

    peer_id: Id | None = None
