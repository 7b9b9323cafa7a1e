"""The cookies that web sets and signaling reads."""

from typing import Final

SESSION_COOKIE: Final = "huitang_session"
STATION_COOKIE: Final = "huitang_station"
