"""What /metrics shows of each part: names, and what they mean. No figure is about a person or a meeting."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.metrics_core import Metric

from database import Database
from media import MediaEngine
from recordings.views import RecordingStatistics
from rooms.live.answers import RoomStatistics
from signaling import SignalingStatistics
from web.metrics import counter, gauge, histogram

# Of the counters of ICE and DTLS: the family by the first word of a counter's name.
_OUTCOMES = {
    "stun": ("media_stun_checks", "STUN checks, by what became of them"),
    "ice": ("media_ice_events", "Addresses that transports moved to"),
    "dtls": ("media_dtls_handshakes", "DTLS handshakes and their datagrams, by what became of them"),
    "control": ("media_control_failures", "Datagrams and ticks of the control plane that failed"),
    "listener": ("media_listener_failures", "Media events that could not be told on"),
    "plane": (
        "media_plane_events",
        "What the data plane told: producers that began, fell silent, changed layers",
    ),
}


def media(engine: MediaEngine) -> Iterable[Metric]:
    """The SFU and its data plane."""
    found = engine.statistics()
    yield gauge("media_routers", "Rooms with media", found["routers"])
    yield gauge("media_transports", "Clients' transports by state", found["transport_states"], "state")
    yield gauge("media_producers", "Tracks received, by kind", found["producer_kinds"], "kind")
    yield gauge("media_consumers", "Tracks sent on", found["consumers"])
    yield gauge("media_tcp_connections", "Open TCP connections of the media port", found["tcp_connections"])
    yield counter(
        "media_dropped_packets", "Packets dropped by the data plane, by reason", found["drops"], "reason"
    )
    yield counter("media_work", "What the data plane did besides packets", found["work"], "kind")
    yield counter("media_tcp_events", "What became of TCP connections", found["tcp"], "event")
    yield from _traffic(found["traffic"])
    yield from _outcomes(found["counters"])
    yield from _qualities(found)


def _traffic(found: Mapping[str, int]) -> Iterable[Metric]:
    yield counter("media_received_packets", "Datagrams received by the data plane", found["packets_received"])
    yield counter("media_received_bytes", "Bytes of those", found["bytes_received"])
    yield counter("media_sent_packets", "Datagrams sent by the data plane", found["packets_sent"])
    yield counter("media_sent_bytes", "Bytes of those", found["bytes_sent"])
    yield counter("media_send_calls", "System calls that sent them", found["send_calls"])
    yield counter(
        "media_segmented_messages", "Messages that the kernel cut into datagrams (GSO)", found["gso_messages"]
    )
    yield counter(
        "media_passed_on_packets",
        "Datagrams handed to the thread whose transport they are",
        found["passed_on"],
    )
    ways = {"received": found["nacks_received"], "sent": found["nacks_sent"]}
    yield counter(
        "media_nacks", "NACK messages: received from subscribers, sent to publishers", ways, "direction"
    )
    ways = {"received": found["key_frame_requests_received"], "sent": found["key_frame_requests_sent"]}
    yield counter("media_key_frame_requests", "PLI and FIR, likewise", ways, "direction")
    yield counter("media_key_frames", "Key frames received", found["key_frames"])
    yield counter(
        "media_retransmitted_packets", "Packets sent again on a NACK", found["packets_retransmitted"]
    )
    yield counter("media_repaired_packets", "Lost packets restored by RTX or RED", found["packets_recovered"])


def _outcomes(counters: Mapping[str, int]) -> Iterable[Metric]:
    by_family: dict[str, dict[str, float]] = {family: {} for family in _OUTCOMES}
    for name, count in counters.items():
        family, _, outcome = name.partition("_")
        if family in by_family:
            by_family[family][outcome] = count
        else:  # none is lost, whoever forgot to give it a family
            by_family["control"][name] = count
    for family, (name, meaning) in _OUTCOMES.items():
        yield counter(name, meaning, by_family[family], "outcome")


def _qualities(found: Mapping[str, Any]) -> Iterable[Metric]:
    grades = {"up": found["grades"]["send"], "down": found["grades"]["recv"]}
    yield histogram(
        "media_quality_grade",
        "Grades 0 (nothing passes) to 5 (good), a second of a transport each",
        grades,
        "direction",
    )
    yield histogram(
        "media_round_trip_seconds",
        "Round trips to subscribers, a second of a transport each",
        found["round_trips"],
    )
    yield histogram(
        "media_available_bits_per_second",
        "What the paths to subscribers are estimated to bear, a second of a transport each",
        found["available"],
    )


def rooms(found: RoomStatistics) -> Iterable[Metric]:
    """Live rooms."""
    yield gauge("rooms_live", "Live rooms", found.rooms)
    yield gauge("rooms_participants", "Who is in them, devices each for itself", found.peers)
    yield gauge("rooms_waiting", "Who waits to be let in", found.waiting)
    yield counter("rooms_heartbeat_failures", "Writings of attendance that failed", found.heartbeat_failures)


def signaling(found: SignalingStatistics) -> Iterable[Metric]:
    """Socket.IO."""
    yield counter("signaling_events", "Clients' events", found.events, "namespace", "event")
    yield counter("signaling_refusals", "Events refused, by code", found.refusals, "code")
    yield counter("signaling_dropped", "Packets and connections dropped, by reason", found.dropped, "reason")
    yield gauge("signaling_connections", "Open connections", found.connections, "namespace")
    yield gauge("signaling_sessions", "Participants by state", found.sessions, "state")


def recordings(found: RecordingStatistics, unkept: Mapping[str, int]) -> Iterable[Metric]:
    """Capture, composition, storage; by step of the work, recordings of which that made no sense."""
    yield gauge("recordings_capturing_meetings", "Meetings being recorded", found.capturing_meetings)
    yield gauge("recordings_capturing_tracks", "Tracks being recorded", found.capturing_tracks)
    yield counter("recordings_captured_packets", "Packets written", found.captured_packets)
    yield counter("recordings_captured_bytes", "Bytes of those", found.captured_bytes)
    lost = {
        "network": found.lost_packets,
        "overflow": found.overflowed_packets,
        "malformed": found.malformed_packets,
    }
    yield counter(
        "recordings_missing_packets", "Packets that are not in recordings, by reason", lost, "reason"
    )
    yield counter("recordings_failed_captures", "Times a disk stopped a capture", found.failed_captures)
    yield gauge("recordings_stopped_captures", "Meetings not recorded for a disk", found.stopped_captures)
    depth = {"running": found.running_compositions, "waiting": found.waiting_compositions}
    yield gauge("recordings_composition_jobs", "Films being made, and waiting to be", depth, "state")
    ended = {"finished": found.finished_compositions, "failed": found.failed_compositions}
    yield counter("recordings_compositions", "Films made, and given up", ended, "outcome")
    yield gauge(
        "recordings_storage_jobs_waiting", "What waits to go to the remote store", found.storage_waiting
    )
    done = {"published": found.storage_published, "removed": found.storage_removed}
    yield counter(
        "recordings_storage_jobs", "What was carried to the remote store, and removed there", done, "outcome"
    )
    yield counter(
        "recordings_storage_failed_attempts",
        "Attempts that the remote store did not take",
        found.storage_failed_attempts,
    )
    yield counter("recordings_storage_sent_bytes", "Bytes carried there", found.storage_sent_bytes)
    yield counter(
        "recordings_unkept", "Times that a step of the work went wrong with one recording", unkept, "step"
    )


def records(database: Database) -> Iterable[Metric]:
    """The database's connections."""
    found = database.pool()
    yield gauge(
        "database_connections", "Connections of the pool", {"busy": found.busy, "idle": found.idle}, "state"
    )
    yield gauge("database_connections_most", "How many there may be", found.most)
