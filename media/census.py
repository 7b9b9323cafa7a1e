"""What an engine has and has counted, in one dictionary for operators."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from media.plane import DROP_REASONS, PlaneStatistics
from media.router import Router
from media.tally import QualityTallies

_TRAFFIC = (
    "packets_received",
    "bytes_received",
    "packets_sent",
    "bytes_sent",
    "send_calls",
    "gso_messages",
    "passed_on",
)


def census(
    routers: Sequence[Router],
    planes: Sequence[PlaneStatistics],
    counters: Mapping[str, int],
    tallies: QualityTallies,
) -> dict[str, Any]:
    """Numbers now, counts since the start, and histograms (`media.tally.Counts`).

    Now: `routers`, `transports`, `producers`, `consumers`, `tcp_connections`; `transport_states` by state,
    `producer_kinds` by kind. Counts: `traffic` by name, with what became of losses; `drops` by reason, all of them;
    `work` of the planes' threads besides packets; `tcp`, what became of connections; `counters`: stun_*, ice_*,
    dtls_*, control_*, listener_*, and plane_* for the plane's events. Histograms: `grades` by direction,
    `round_trips` in seconds, `available` in bits a second.
    """
    transports = [transport for router in routers for transport in router.transports.values()]
    kinds = Counter(producer.kind for router in routers for producer in router.producers.values())
    return {
        "routers": len(routers),
        "transports": len(transports),
        "transport_states": dict(Counter(transport.state.value for transport in transports)),
        "producers": kinds.total(),
        "producer_kinds": dict(kinds),
        "consumers": sum(len(transport.consumers) for transport in transports),
        "tcp_connections": sum(plane.tcp_connections for plane in planes),
        "traffic": {name: sum(getattr(plane, name) for plane in planes) for name in _TRAFFIC}
        | _added(plane.repair for plane in planes),
        "drops": dict.fromkeys(DROP_REASONS, 0) | _added(plane.drops for plane in planes),
        "work": _added(plane.work for plane in planes),
        "tcp": _added(plane.tcp for plane in planes),
        "counters": {**counters, "stun_consented": sum(plane.consents for plane in planes)},
        "grades": {direction: tally.counts() for direction, tally in tallies.grades.items()},
        "round_trips": tallies.round_trip_seconds.counts(),
        "available": tallies.available_bps.counts(),
    }


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
