"""Logs: one event a line on standard error, as JSON or for the eyes, from structlog and from the libraries alike.

Events carry ids, never names, passwords, tokens, telephone numbers or addresses of people; the aiohttp access log,
which would write addresses, is not used, and what aiohttp's server says of failed requests is cleaned of them.
"""

import logging
import sys
from typing import Final, Literal, TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "console", "json"]

# Libraries that tell of every packet or query at their debug and info levels.
QUIET: Final = (
    "aioice",
    "aiortc",
    "aiosqlite",
    "asyncio",
    "engineio",
    "socketio",
    "sqlalchemy",
    "alembic",
    "libav",
)


def configure(level: Level, style: Format, stream: TextIO = sys.stderr) -> None:
    """Set up structlog and the standard library's logging, once, at the start of the process."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(style, stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("aiohttp.server").filters[:] = [_Strangers()]
    logging.captureWarnings(capture=True)


class _Strangers(logging.Filter):
    """Anybody can send what is no HTTP; aiohttp would write an error each time, with the address and the bytes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop what is the sender's fault; of what is ours keep all but the address."""
        if record.exc_info is not None and isinstance(record.exc_info[1], HttpProcessingError):
            return False
        if isinstance(record.msg, str) and "request from %s" in record.msg:
            record.msg, record.args = "Error handling request", ()
        return True


def _rendering(style: Format, stream: TextIO) -> list[Processor]:
    if style == "json" or (style == "auto" and not stream.isatty()):
        return [
            structlog.processors.dict_tracebacks,
            _one_line,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the other one prints local variables
        )
    ]


def _one_line(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Local variables of a traceback may hold anything about anybody: only places and messages are kept."""
    for error in event.get("exception", []):
        for frame in error.get("frames", []):
            frame.pop("locals", None)
    return event
