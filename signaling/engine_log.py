"""What python-engineio and python-socketio log, in our log: their failures, not their chatter."""

import sys
from typing import Any

import structlog

from signaling.statistics import Counters

log = structlog.get_logger(__name__)

# What their parsers raise on a client's nonsense (long polling only; a WebSocket's frames are checked before).
PARSING = (ValueError, KeyError, IndexError, UnicodeError, RecursionError)


class EngineLog:
    """The part of `logging.Logger` that the two libraries use. Refused requests are a client's affair: debug level."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def info(self, *_: Any) -> None:
        """A line for every packet: not kept."""

    debug = info

    def warning(self, message: str, *_: Any) -> None:
        """Without the arguments: they are ids and a client's own words."""
        log.debug("socketio_warning", about=message)

    error = warning

    def exception(self, message: str, *_: Any) -> None:
        """Called from an except block of theirs."""
        raised = sys.exc_info()[1]
        if isinstance(raised, PARSING):
            self._counters.dropped["malformed_packet"] += 1
        else:
            log.error("socketio_failed", about=message, exc_info=raised)
