"""What /metrics makes of a media engine that has something to do."""

from collections import Counter

from prometheus_client import CollectorRegistry

import metering
from media import MediaEngine, MediaSettings
from media.plane import DROP_REASONS
from tests.media.peers import Listener
from tests.media.samples import microphone
from web.metrics import Source


async def test_objects_and_outcomes_are_figures() -> None:
    engine = MediaEngine(MediaSettings(port=0, bind_addresses=("127.0.0.1",)))
    await engine.start()
    try:
        transport = engine.create_router(Listener()).create_transport("send")
        transport.produce("audio", microphone())
        engine._counters += Counter(stun_malformed=3, novelty=1)
        engine._tallies.take("recv", 2, 50_000, 800_000)
        registry = CollectorRegistry()
        registry.register(Source(lambda: metering.media(engine)))
        found = {
            (sample.name.removeprefix("huitang_media_"), *sample.labels.values()): sample.value
            for family in registry.collect()
            for sample in family.samples
        }
    finally:
        await engine.stop()
    assert found["routers",] == 1
    assert found["transports", "new"] == 1
    assert found["producers", "audio"] == 1
    reasons = {
        reason: count
        for (name, *labels), count in found.items()
        if name == "dropped_packets_total"
        for reason in labels
    }
    assert reasons == dict.fromkeys(DROP_REASONS, 0)
    assert found["stun_checks_total", "malformed"] == 3
    assert found["control_failures_total", "novelty"] == 1
    assert [found["quality_grade_bucket", "down", le] for le in ("1.0", "2.0", "+Inf")] == [0, 1, 1]
    assert found["round_trip_seconds_sum",] == 0.05
    assert found["available_bits_per_second_bucket", "1000000.0"] == 1
