"""Measure forwarding on this machine and print it beside the floor: `python -m bench`."""

import argparse
import asyncio
import os
import statistics
import threading
from pathlib import Path

from aiortc.rtcdtlstransport import RTCCertificate

from bench import floor, load, report, storm
from bench.peer import Connection, Peer, join, produce
from bench.server import Server, open_meeting, running

SERVER_CORE, LOAD_CORE = 0, 1
SUBSCRIBERS = (30, 60, 100)
ROUNDS = 3  # a point is the median of these
SETTLE = 1.5  # seconds for key frames and batches to find their pace before counting
STORM_SECONDS = 10.0  # a theme day begins at the minute
JOINING = 8  # peers that join at the same time
SSRCS = {"video": 0x10000001, "audio": 0x20000002}


async def publish(
    server: Server, meeting: str, cookie: str, certificate: RTCCertificate
) -> tuple[Peer, load.Publisher]:
    """Join as the publisher and announce one camera and one microphone."""
    peer = await join(server.url, cookie, meeting)
    transport, connection = await peer.connect("send", certificate)
    types = {kind: await produce(peer, transport, kind, ssrc) for kind, ssrc in SSRCS.items()}
    publisher = load.Publisher(
        connection.socket.fileno(),
        load.session_pointer(connection.outbound),
        video_ssrc=SSRCS["video"],
        audio_ssrc=SSRCS["audio"],
        video_type=types["video"],
        audio_type=types["audio"],
    )
    return peer, publisher


async def subscribe(
    server: Server, meeting: str, cookie: str, certificate: RTCCertificate
) -> tuple[Peer, Connection]:
    """Join as a subscriber of everything there is."""
    peer = await join(server.url, cookie, meeting)
    transport, connection = await peer.connect("recv", certificate)
    for producer in peer.producers:
        wanted = {"transportId": transport, "producerId": producer, "rtpCapabilities": peer.rtp_capabilities}
        consumer = await peer.call("consume", wanted)
        await peer.call("resumeConsumer", {"consumerId": consumer["id"]})
    return peer, connection


async def count(server: Server, connections: list[Connection], seconds: float) -> report.Sample:
    """Count what these subscribers receive while the server's CPU time is read."""
    receivers = load.Receivers(
        [connection.socket.fileno() for connection in connections],
        load.session_pointer(connections[0].inbound),
    )
    thread = threading.Thread(target=receivers.run)
    thread.start()
    try:
        await asyncio.sleep(SETTLE)
        receivers.take_latencies()
        before, cpu_before = receivers.counts(), server.cpu_seconds()
        await asyncio.sleep(seconds)
        after, cpu_after = receivers.counts(), server.cpu_seconds()
        latencies = receivers.take_latencies()
    finally:
        receivers.stop()
        await asyncio.to_thread(thread.join)
    received = [late - early for early, late in zip(before, after, strict=True)]
    return report.Sample(received, seconds, cpu_after - cpu_before, sorted(latencies))


async def measure_server(options: argparse.Namespace) -> list[report.Point]:
    """One publisher and, step by step, more subscribers in one room of a real server."""
    certificate = RTCCertificate.generateCertificate()
    points = []
    async with running(SERVER_CORE) as server:
        meeting, cookie = await open_meeting(server)
        host, publisher = await publish(server, meeting, cookie, certificate)
        publishing = threading.Thread(target=publisher.run)
        publishing.start()
        joined: list[tuple[Peer, Connection]] = []
        try:
            joined.append(await subscribe(server, meeting, cookie, certificate))
            alone = server.resident_kib()
            for subscribers in options.subscribers:
                print(f"  joining up to {subscribers} subscribers", flush=True)
                while len(joined) < subscribers:
                    more = min(JOINING, subscribers - len(joined))
                    joined += await asyncio.gather(
                        *(subscribe(server, meeting, cookie, certificate) for _ in range(more))
                    )
                kib = (server.resident_kib() - alone) / max(1, subscribers - 1)
                connections = [connection for _, connection in joined]
                samples = [await count(server, connections, options.seconds) for _ in range(options.rounds)]
                points.append(report.Point.of(subscribers, samples, kib))
        finally:
            publisher.stop()
            publishing.join()
            await asyncio.gather(host.close(), *(peer.close() for peer, _ in joined))
    return points


def measure_floor(options: argparse.Namespace) -> dict[bool, list[float]]:
    """The floor with the largest number of subscribers, at the same pace: by sendto (False) and segmented (True)."""
    return {
        segmented: [
            floor.measure(
                max(options.subscribers), options.seconds, segmented=segmented, server_core=SERVER_CORE
            )
            for _ in range(options.rounds)
        ]
        for segmented in (False, True)
    }


def main() -> None:
    """Measure, print the table and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--subscribers", type=int, nargs="+", default=list(SUBSCRIBERS), metavar="N")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of one measurement (default 6)")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="measurements a point, of which the median counts"
    )
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    parser.add_argument(
        "--storm",
        type=int,
        metavar="N",
        help="only measure N people who come into one room within 10 seconds",
    )
    options = parser.parse_args()
    options.subscribers.sort()
    os.sched_setaffinity(0, {LOAD_CORE})
    if options.storm:
        result = asyncio.run(storm.measure(options.storm, STORM_SECONDS, SERVER_CORE))
        storm.add(options.output, result)
        print(result)
        return
    # The floor before and after the server, lest a machine that changes its mind in between favour one of them.
    print("measuring the floor", flush=True)
    before = measure_floor(options)
    print("measuring the server", flush=True)
    points = asyncio.run(measure_server(options))
    print("measuring the floor again", flush=True)
    after = measure_floor(options)
    sendto, gso = (statistics.median(before[each] + after[each]) for each in (False, True))
    floor_cost = report.Floor(sendto_micros=sendto, gso_micros=gso)
    report.write(options.output, points, floor_cost)
    print(report.table(points, floor_cost))


if __name__ == "__main__":
    main()
