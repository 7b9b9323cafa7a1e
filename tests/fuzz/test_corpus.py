"""The fuzzer's seeds: what is committed is what is generated, and all of it is valid. And what it found, once more."""

import random

import pytest

from media import plane
from media.stun import parse_binding_request, peek_local_ufrag
from tests.fuzz.checks import Checks
from tests.fuzz.conference import UFRAG, Conference
from tests.fuzz.guidance import CORPUS, FOUND, read_inputs
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import target_for
from tests.fuzz.wire import Wire, frames

SEEDS = seeds()
PACKETS = [
    (folder, name) for folder, files in SEEDS.items() if folder not in {"framing", "stun"} for name in files
]
FOUND_FILES = read_inputs(FOUND)
FOUND_INPUTS = [(parser, name) for parser, files in FOUND_FILES.items() for name in files]
MALFORMED = {"malformed_rtp", "malformed_rtcp", "malformed_payload", "unknown_stream", "payload_type"}


def test_the_corpus_is_what_the_seeds_make() -> None:
    assert read_inputs(CORPUS) == SEEDS


@pytest.mark.parametrize(("folder", "name"), PACKETS)
def test_every_packet_is_understood(folder: str, name: str) -> None:
    conference = Conference(plane, random.Random(1))  # noqa: S311 - a script, not a secret
    packet = SEEDS[folder][name]
    if name in {"no-payload", "only", "rid", "empty-original", "by-rid"}:  # learned or repaired after others
        conference.core.receive_clear(conference.transports[0], SEEDS["vp8"]["key-low"], conference.now)
    conference.core.receive_clear(conference.transports[0], packet, conference.now)
    drops = {reason for reason, count in conference.core.statistics().drops.items() if count}
    assert not drops & MALFORMED


def test_every_check_is_read_and_the_right_ones_are_accepted() -> None:
    checks = Checks(plane, random.Random(1))  # noqa: S311
    assert peek_local_ufrag(SEEDS["stun"]["check"]) == UFRAG
    for name in ("check", "nominating", "long-name"):
        verdict = checks.agent.check(parse_binding_request(SEEDS["stun"][name]), 1, ("192.0.2.1", 9), 0)
        assert verdict.accepted, name


def test_every_stream_is_of_whole_frames_and_read_as_such() -> None:
    for stream in SEEDS["framing"].values():
        assert sum(2 + len(frame) for frame in frames(stream)) == len(stream)
    wire = Wire(plane, random.Random(2))  # noqa: S311
    for stream in 10 * list(SEEDS["framing"].values()):  # known and as a stranger
        wire.feed(stream)
    assert wire.close()["too_long"] > 0


@pytest.mark.parametrize(("parser", "name"), FOUND_INPUTS)
def test_what_was_found_is_borne(parser: str, name: str) -> None:
    target = target_for(parser, plane, random.Random(name))  # noqa: S311
    for _ in range(20):  # by each way in
        target.feed(FOUND_FILES[parser][name])
    target.close()
