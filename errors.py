"""The one error that crosses package borders: what was wrong, under a stable code, in terms an edge can answer.

The rules and records raise `Problem`; the edges (web/api, signaling) turn it into an HTTP status or a Socket.IO
acknowledgement, with the text of `code` from locales/*/errors.json. Parsers raise ValueError.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What sort of refusal it is; each edge maps these to its own statuses."""

    INVALID = "invalid"  # 422: the request itself is wrong; details name the field
    UNAUTHENTICATED = "unauthenticated"  # 401
    FORBIDDEN = "forbidden"  # 403
    NOT_FOUND = "not_found"  # 404: absent, or one may not know of it
    CONFLICT = "conflict"  # 409: the state does not allow it
    TOO_LARGE = "too_large"  # 413
    RATE_LIMITED = "rate_limited"  # 429: details carry retryAfter in seconds
    UNAVAILABLE = "unavailable"  # 503: full disk, draining


class Problem(Exception):  # noqa: N818 - it names a refusal, as RFC 9457 does, not a failure of ours
    """A refusal with a stable snake_case `code`; `details` is JSON and holds no personal data."""

    def __init__(self, kind: Kind, code: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.kind = kind
        self.code = code
        self.details: dict[str, Any] = dict(details or {})

    def __repr__(self) -> str:
        return f"Problem({self.kind.value}, {self.code!r}, {self.details!r})"
