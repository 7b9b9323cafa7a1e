"""Figures of the HTTP side, and the registry that /metrics prints."""

import asyncio
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.registry import Collector

# From "answered from memory" to "the person has given up".
BUCKETS: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# From "nothing to do" to "people notice"; one that stands for seconds shows in what the log calls slow.
LAG_BUCKETS: Final = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1, 5)
LAG_EVERY_SECONDS: Final = 0.5


class Figures:
    """One registry a server: nothing global, so that tests can make many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "huitang_http_request_seconds",
            "Time to answer, by call and status",
            ("call", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )

        self._malformed = Counter(
            "huitang_http_malformed_requests",
            "Requests that were not HTTP, or broke off",
            registry=self.registry,
        )

        self._lag = Histogram(
            "huitang_event_loop_lag_seconds",
            "How much later than asked for the event loop wakes a task",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )

    async def watch_the_loop(self) -> None:
        """For ever: see how late it is; signaling and ICE wait as long."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_SECONDS
            await asyncio.sleep(LAG_EVERY_SECONDS)
            self._lag.observe(max(0.0, loop.time() - due))

    def malformed(self) -> None:
        """Count one request that never became one."""
        self._malformed.inc()

    def observe(self, call: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(call, str(status)).observe(seconds)

    def add(self, collector: Collector) -> None:
        """Let `collector` be asked whenever /metrics is read."""
        self.registry.register(collector)


FIGURES = web.AppKey("figures", Figures)
