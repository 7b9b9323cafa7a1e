"""Echoes: who tests his connection now, and what belongs to him."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from errors import Kind, Problem
from media import Consumer, MediaEngine, MediaEvent, Router, Transport
from signaling.limits import TokenBucket
from signaling.settings import SignalingSettings

MAX_TRANSPORTS = 10  # there and back by each of five ways, which are opened together
MAX_PRODUCERS = 5
MAX_CONSUMERS = 5
MAX_REMEMBERED = 4096
"""Sources whose allowance is remembered; the one not seen for longest is forgotten, and has a full one again."""


class _Quiet:
    def on_media_event(self, event: MediaEvent) -> None:
        """The client sees for himself what becomes of his media."""


@dataclass(eq=False)
class Echo:
    """One person's router."""

    router: Router
    source: str
    ends_at: float
    timer: asyncio.TimerHandle

    def transport(self, transport_id: str) -> Transport:
        """Problem transport_not_found."""
        transport = self.router.transport(transport_id)
        if transport is None:
            raise Problem(Kind.NOT_FOUND, "transport_not_found")
        return transport

    def consumer(self, consumer_id: str) -> Consumer:
        """Problem consumer_not_found."""
        for transport in self.router.transports.values():
            if consumer_id in transport.consumers:
                return transport.consumers[consumer_id]
        raise Problem(Kind.NOT_FOUND, "consumer_not_found")

    def require_room(self, code: str, now: int, limit: int) -> None:
        """A Problem of that code when there are as many as may be."""
        if now >= limit:
            raise Problem(Kind.CONFLICT, code, {"limit": limit})


class Echoes:
    """All echoes, by the connection that opened each; `now` is the event loop's clock, in seconds."""

    def __init__(self, media: MediaEngine, settings: SignalingSettings) -> None:
        self._media = media
        self._settings = settings
        self._by_sid: dict[str, Echo] = {}
        self._sources: Counter[str] = Counter()
        self._allowances: OrderedDict[str, TokenBucket] = OrderedDict()

    def open(self, sid: str, source: str, on_over: Callable[[], None]) -> Echo:
        """Begin a test; `on_over` is called when its time is up.

        Problems: test_begun, too_many_tests with `retryAfter` seconds.
        """
        if sid in self._by_sid:
            raise Problem(Kind.CONFLICT, "test_begun")
        loop = asyncio.get_running_loop()
        wait = self._wait(source, loop.time())
        if wait:
            raise Problem(Kind.RATE_LIMITED, "too_many_tests", {"retryAfter": max(1, round(wait))})
        seconds = self._settings.test_seconds
        echo = Echo(
            self._media.create_router(_Quiet()),
            source,
            loop.time() + seconds,
            loop.call_later(seconds, self._over, sid, on_over),
        )
        self._by_sid[sid] = echo
        self._sources[source] += 1
        return echo

    def find(self, sid: str) -> Echo:
        """The connection's echo; Problem test_not_begun, also when its time is up."""
        echo = self._by_sid.get(sid)
        if echo is None:
            raise Problem(Kind.CONFLICT, "test_not_begun")
        return echo

    def close(self, sid: str) -> None:
        """End a test; nothing where there is none."""
        echo = self._by_sid.pop(sid, None)
        if echo is None:
            return
        echo.timer.cancel()
        self._sources -= Counter([echo.source])
        echo.router.close()

    def close_all(self) -> None:
        """End them all."""
        for sid in list(self._by_sid):
            self.close(sid)

    def _wait(self, source: str, now: float) -> float:
        """For how many seconds this source may not begin a test; a begun one is paid for."""
        settings = self._settings
        if len(self._by_sid) >= settings.max_tests or self._sources[source] >= settings.max_tests_of_source:
            return max(1.0, min(echo.ends_at for echo in self._by_sid.values()) - now)
        allowance = self._allowances.pop(source, None) or TokenBucket.full(
            settings.test_burst, settings.tests_per_minute / 60, now
        )
        self._allowances[source] = allowance
        if len(self._allowances) > MAX_REMEMBERED:
            self._allowances.popitem(last=False)
        return allowance.take(now)

    def _over(self, sid: str, on_over: Callable[[], None]) -> None:
        self.close(sid)
        on_over()
