"""/metrics, in Prometheus' text format, for the operator's own machines only."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from errors import Kind, Problem
from web.api.caller import bearer
from web.proxies import SEEN, networks, within
from web.services import WebSettings

PREFIX: Final = "huitang"


class MetricsPage:
    """Prints the registry to who may see it: an address of the named networks, or whoever has the token."""

    def __init__(self, registry: CollectorRegistry, settings: WebSettings) -> None:
        self._registry = registry
        self._networks = networks(settings.metrics_networks)
        self._token = settings.metrics_token

    def add_routes(self, app: web.Application) -> None:
        """One address."""
        app.router.add_get("/metrics", self.show, name="metrics")

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The figures of this moment."""
        if not self._may(request):
            raise Problem(Kind.FORBIDDEN, "metrics_refused")
        return web.Response(
            body=generate_latest(self._registry),
            headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST, hdrs.CACHE_CONTROL: "no-store"},
        )

    def _may(self, request: web.Request) -> bool:
        token = bearer(request)
        if self._token is not None and token is not None:
            return hmac.compare_digest(token.encode(), self._token.encode())
        seen = request[SEEN]
        # A proxy on this machine that is not named as trusted makes the whole world look like 127.0.0.1.
        return not seen.through_unknown_proxy and within(seen.remote, self._networks)


class Numbers(Collector):
    """Asks one part of the program for its numbers whenever /metrics is read.

    `read` answers {name: value} or {name: {label value: value}}; names in `counters` only ever grow.
    """

    def __init__(
        self,
        part: str,
        read: Callable[[], Mapping[str, float | Mapping[str, float]]],
        *,
        label: str = "name",
        counters: frozenset[str] = frozenset(),
    ) -> None:
        self._part = part
        self._read = read
        self._label = label
        self._counters = counters

    def collect(self) -> Iterable[Metric]:
        """One family a name."""
        for name, value in self._read().items():
            family = CounterMetricFamily if name in self._counters else GaugeMetricFamily
            full = f"{PREFIX}_{self._part}_{name}"
            labelled = isinstance(value, Mapping)
            metric = family(full, f"{name} of {self._part}", labels=[self._label] if labelled else None)
            for key, number in value.items() if isinstance(value, Mapping) else [(None, value)]:
                metric.add_metric([str(key)] if key is not None else [], number)
            yield metric
