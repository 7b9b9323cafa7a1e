"""The TCP port: opened with a sentence for whoever finds it taken, closed without cutting anybody short."""

import errno
import logging
import ssl

from aiohttp import web
from aiohttp.http import HttpProcessingError

from web.figures import FIGURES, Figures

# Requests that are being answered when the server stops get so long; films and sockets are cut before.
SHUTDOWN_SECONDS = 3.0
# A connection without a request, or with the beginning of one, ends after so long; aiohttp by itself waits an hour. A
# reverse proxy that keeps idle connections should let go first: nginx does after 60 s.
IDLE_SECONDS = 75.0


class _PeopleLeftOut(logging.Filter):
    """What aiohttp says on its own: it names people's addresses, and traces whatever strangers send to an open port."""

    def __init__(self, figures: Figures) -> None:
        super().__init__()
        self._figures = figures

    def filter(self, record: logging.LogRecord) -> bool:
        """Count what was not HTTP or broke off; let the rest through without the address."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | ConnectionError):
            self._figures.malformed()
            return False
        record.msg, record.args = "connection_failed", ()
        return record.levelno >= logging.getLogger().level


class ListenError(Exception):
    """The port cannot be opened; the message says what to do."""


class Listener:
    """The application on one address."""

    def __init__(self, app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        # Each listener has its own, known to nobody by name: a filter stays with the logger that it was added to.
        # Part of what strangers send is told at the lowest level only.
        logger = logging.Logger(__name__, logging.DEBUG)  # noqa: LOG001 - the registry is what it must not be in
        logger.parent = logging.getLogger()
        logger.addFilter(_PeopleLeftOut(app[FIGURES]))
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=logger,
            shutdown_timeout=SHUTDOWN_SECONDS,
            keepalive_timeout=IDLE_SECONDS,
        )
        self._host = host
        self._wanted = port
        self._tls = tls
        self._site: web.TCPSite | None = None

    @property
    def port(self) -> int:
        """The real port, also where 0 was asked for."""
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Open the port; ListenError when it cannot be."""
        await self._runner.setup()
        self._site = web.TCPSite(
            self._runner, self._host, self._wanted, ssl_context=self._tls, reuse_address=True
        )
        try:
            await self._site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ListenError(self._sentence(error)) from error

    async def refuse_new(self) -> None:
        """Take no further connections; those that are open go on."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def stop(self) -> None:
        """Close what is still open."""
        await self._runner.cleanup()

    def _sentence(self, error: OSError) -> str:
        where = f"TCP port {self._wanted} of {self._host}"
        match error.errno:
            case errno.EADDRINUSE:
                return (
                    f"{where} is in use by another program, perhaps by a Huitang that already runs. "
                    "Stop that one, or choose another port with HUITANG_HTTP__PORT."
                )
            case errno.EACCES:
                return (
                    f"{where} may only be opened by root. Choose a port above 1023 with HUITANG_HTTP__PORT, "
                    "or put a reverse proxy in front."
                )
            case errno.EADDRNOTAVAIL:
                return f"{self._host} is no address of this machine. Correct HUITANG_HTTP__HOST."
            case _:
                return f"{where} cannot be opened: {error.strerror or error}. Correct HUITANG_HTTP__HOST."
