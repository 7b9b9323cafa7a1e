"""What callers did wrong. Every error has a stable snake_case `code` and JSON `details` without personal data.

The edge answers `InvalidMedia` like 422, `UnknownMedia` like 404, the other two like 409. The codes:

| code | class | means |
|---|---|---|
| invalid_rtp_parameters | InvalidMedia | details.field names what is wrong in rtpParameters, details.reason says how |
| invalid_rtp_capabilities | InvalidMedia | likewise |
| invalid_dtls_parameters | InvalidMedia | likewise |
| invalid_direction, invalid_kind, invalid_layers, invalid_priority | InvalidMedia | likewise |
| unsupported_codec | InvalidMedia | the router does not forward details.mimeType in this shape |
| cannot_consume | InvalidMedia | the client's capabilities hold no codec of the producer |
| producer_not_found | UnknownMedia | no such producer in this router |
| wrong_direction | WrongMediaState | produce on a recv transport, consume on a send transport |
| already_connected | WrongMediaState | connect() twice with different parameters |
| duplicate_stream | WrongMediaState | another producer of the transport has this SSRC, MID or RID |
| media_closed | WrongMediaState | the object (details.what) is closed |
| engine_stopped | WrongMediaState | the engine is not running |
| too_many_transports, too_many_producers, too_many_consumers, too_many_taps | MediaLimitReached | details.limit |
| media_overloaded | MediaLimitReached | the plane has no room left |
"""

from collections.abc import Mapping
from typing import Any


class MediaError(ValueError):
    """The root: something was asked of the SFU that cannot be done."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(f"{code}: {details}" if details else code)
        self.code = code
        self.details: Mapping[str, Any] = details


class InvalidMedia(MediaError):  # noqa: N818
    """The parameters are wrong in themselves; `details["field"]` is the JSON path of what is wrong."""


class UnknownMedia(MediaError):  # noqa: N818
    """The named object does not exist here."""


class WrongMediaState(MediaError):  # noqa: N818
    """The object's state does not allow it."""


class MediaLimitReached(MediaError):  # noqa: N818
    """A bound of `MediaLimits` or of the plane would be passed."""


class MediaStartFailed(OSError):  # noqa: N818
    """The engine could not start: the port is in use, or no address could be bound. The text says what to do."""
