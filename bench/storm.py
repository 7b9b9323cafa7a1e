"""A join storm: so many people come into one room within ten seconds, where some talk and the others have muted.

Each joins over the real signaling, brings a transport for receiving and one for sending up, consumes every open
microphone, and announces a muted one of its own, as the browser client does.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from bench.peer import JoinError, Peer, join
from bench.server import open_meeting, running

TALKERS = 12  # open microphones, which everybody consumes
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
FIRST_SSRC = 0x30000000


@dataclass(frozen=True)
class Storm:
    """What a storm did; times in milliseconds from the wish to join until the last consumer runs.

    `generator_share`: of a core that those who came took; near 1, the waits are its own.
    """

    participants: int
    seconds: float
    refused: int
    join_p50: float
    join_p95: float
    join_max: float
    cpu_seconds: float
    generator_share: float

    def as_json(self) -> dict[str, Any]:
        """As build/bench.json has it."""
        return {
            "participants": self.participants,
            "seconds": self.seconds,
            "refused": self.refused,
            "joinMsP50": round(self.join_p50, 1),
            "joinMsP95": round(self.join_p95, 1),
            "joinMsMax": round(self.join_max, 1),
            "cpuSeconds": round(self.cpu_seconds, 2),
            "generatorShare": round(self.generator_share, 3),
        }

    def __str__(self) -> str:
        return (
            f"storm: {self.participants} people in {self.seconds:g} s, {self.refused} refused; join p50/p95/max "
            f"{self.join_p50:.0f}/{self.join_p95:.0f}/{self.join_max:.0f} ms; {self.cpu_seconds:.2f} s of CPU; "
            f"the load generator took {self.generator_share:.0%} of a core"
        )


def _microphone(peer: Peer, ssrc: int) -> dict[str, Any]:
    codec = next(c for c in peer.rtp_capabilities["codecs"] if c["mimeType"].lower() == "audio/opus")
    return {
        "mid": "0",
        "codecs": [
            {
                "mimeType": codec["mimeType"],
                "payloadType": codec["preferredPayloadType"],
                "clockRate": codec["clockRate"],
                "channels": codec["channels"],
                "parameters": codec["parameters"],
                "rtcpFeedback": [],
            }
        ],
        "headerExtensions": [{"uri": AUDIO_LEVEL, "id": 1}],
        "encodings": [{"ssrc": ssrc}],
        "rtcp": {"cname": "storm", "reducedSize": True},
    }


async def _announce(peer: Peer, certificate: RTCCertificate, ssrc: int, *, paused: bool) -> None:
    transport, _ = await peer.connect("send", certificate)
    microphone = {"kind": "audio", "source": "microphone", "rtpParameters": _microphone(peer, ssrc)}
    await peer.call("produce", {"transportId": transport, "paused": paused, **microphone})


async def _come(url: str, cookie: str, meeting: str, certificate: RTCCertificate, ssrc: int) -> Peer:
    peer = await join(url, cookie, meeting)
    transport, _ = await peer.connect("recv", certificate)
    for producer in peer.open_producers:
        await peer.consume(transport, producer)
    await _announce(peer, certificate, ssrc, paused=True)
    return peer


async def measure(participants: int, seconds: float, server_core: int) -> Storm:
    """Let so many people come at even distances and look how long each has to wait."""
    certificate = RTCCertificate.generateCertificate()
    async with running(server_core) as server:
        meeting, cookie = await open_meeting(server)
        peers: list[Peer] = []
        for number in range(TALKERS):
            talker = await join(server.url, cookie, meeting)
            await _announce(talker, certificate, FIRST_SSRC + number, paused=False)
            peers.append(talker)
        waits: list[float] = []

        async def arrive(number: int) -> None:
            await asyncio.sleep(number * seconds / participants)
            began = time.perf_counter()
            ssrc = FIRST_SSRC + TALKERS + number
            peers.append(await _come(server.url, cookie, meeting, certificate, ssrc))
            waits.append((time.perf_counter() - began) * 1e3)

        before, mine, start = server.cpu_seconds(), time.process_time(), time.perf_counter()
        results = await asyncio.gather(
            *(arrive(number) for number in range(participants)), return_exceptions=True
        )
        spent = server.cpu_seconds() - before
        share = (time.process_time() - mine) / (time.perf_counter() - start)
        failures = [result for result in results if isinstance(result, BaseException)]
        for failure in failures:
            if not isinstance(failure, (JoinError, TimeoutError)):
                raise failure
        await asyncio.gather(*(peer.close() for peer in peers))
    waits.sort()
    return Storm(
        participants,
        seconds,
        len(failures),
        statistics.median(waits),
        waits[int(0.95 * (len(waits) - 1))],
        waits[-1],
        spent,
        share,
    )
