"""/metrics, in Prometheus' text format, for the operator's own machines only."""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isinf
from typing import Final, Protocol

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
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


class Source(Collector):
    """Asks one part of the program whenever /metrics is read."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """Its families."""
        return self._read()


Values = float | Mapping[str, float] | Mapping[tuple[str, str], float]


class Buckets(Protocol):
    """A cumulative histogram: (upper bound, how many), the last one unbounded; and the sum."""

    @property
    def buckets(self) -> Sequence[tuple[float, int]]: ...  # noqa: D102 - see above

    @property
    def total(self) -> float: ...  # noqa: D102


def gauge(name: str, meaning: str, values: Values, *labels: str) -> Metric:
    """What rises and falls; with labels, a value for each label value, or each pair of two."""
    return _fill(GaugeMetricFamily(f"{PREFIX}_{name}", meaning, labels=labels), values)


def counter(name: str, meaning: str, values: Values, *labels: str) -> Metric:
    """What only ever grows; the text format ends its name with _total."""
    return _fill(CounterMetricFamily(f"{PREFIX}_{name}", meaning, labels=labels), values)


def histogram(name: str, meaning: str, counts: Buckets | Mapping[str, Buckets], *labels: str) -> Metric:
    """How often it was how large."""
    family = HistogramMetricFamily(f"{PREFIX}_{name}", meaning, labels=labels)
    for key, found in counts.items() if isinstance(counts, Mapping) else [(None, counts)]:
        buckets = [("+Inf" if isinf(bound) else str(float(bound)), count) for bound, count in found.buckets]
        family.add_metric([key] if key is not None else [], buckets, found.total)
    return family


def _fill(family: GaugeMetricFamily | CounterMetricFamily, values: Values) -> Metric:
    if not isinstance(values, Mapping):
        family.add_metric([], values)
        return family
    for key, value in values.items():
        family.add_metric([key] if isinstance(key, str) else list(key), value)
    return family
