"""Huitang beside Debian's Janus, both measured in one run: `python -m bench.peers`, as root.

Both servers stand, one after the other, in one network namespace on one core; publisher and subscribers in another, on
the other core, joined by a veth pair: Janus takes no loopback address for a candidate, and what the receiver's kernel
does with a packet is not the server's to pay.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aiortc.rtcdtlstransport import RTCCertificate

from bench import report
from bench.janus import AUDIO_TYPE, COMMAND, VIDEO_TYPE, Client, janus_running
from bench.measuring import LOAD_CORE, SERVER_CORE, SSRCS, Plan, measure_huitang, points, publishing
from bench.namespaces import LOAD, LOAD_ADDRESS, SERVER, SERVER_ADDRESS, inside, pair
from bench.peer import Connection
from bench.server import Process, running

SUBSCRIBERS = (30, 60, 100)
OUTPUT = Path("build/bench-peers.json")
FLOOR_SECONDS = 2.0
GOAL = 8  # a packet is to cost at most this part of what it costs Janus


async def measure_janus(plan: Plan) -> list[report.Point]:
    """Its video room with one publisher and more and more subscribers."""
    async with janus_running(SERVER_CORE) as pid:
        client = await Client.open(RTCCertificate.generateCertificate())
        try:
            feed, connection = await client.publish(SSRCS)

            async def subscribe() -> Connection:
                return await client.subscribe(feed)

            async with publishing(connection, {"video": VIDEO_TYPE, "audio": AUDIO_TYPE}) as sending:
                return await points(Process(pid), subscribe, plan, [sending])
        finally:
            await client.close()


async def measure_both(plan: Plan) -> dict[str, list[report.Point]]:
    """One after the other, never together."""
    print("measuring Huitang", flush=True)
    async with running(SERVER_CORE, SERVER_ADDRESS, inside(SERVER)) as server:
        huitang = await measure_huitang(server, plan)
    print("measuring Janus", flush=True)
    return {"huitang": huitang, "janus": await measure_janus(plan)}


def show(measured: dict[str, list[report.Point]]) -> None:
    """Print the table and write the JSON."""
    print(
        "\nsubscribers  server      packets/s    loss  CPU µs/packet  floor: sendto    GSO"
        "  latency p50/p95 ms  KiB/subscriber"
    )
    for ours, theirs in zip(measured["huitang"], measured["janus"], strict=True):
        for name, point in (("Huitang", ours), ("Janus", theirs)):
            print(
                f"{point.subscribers:11d}  {name:8s} {point.packets_per_second:12.0f} {point.loss:7.2%} "
                f"{point.cpu_micros:14.2f} {_floor(point)} {point.latency_p50:11.2f} / {point.latency_p95:5.2f} "
                f"{point.kib_per_subscriber:15.0f}{report.missing_line(point.missing)}"
            )
        print(
            f"             Janus takes {theirs.cpu_micros / ours.cpu_micros:.1f} times as much (goal {GOAL})"
        )
    OUTPUT.parent.mkdir(exist_ok=True)
    as_json = {name: [point.as_json() for point in each] for name, each in measured.items()}
    OUTPUT.write_text(json.dumps(as_json, indent=2) + "\n")


def _floor(point: report.Point) -> str:
    return f"{point.floor.sendto_micros:14.2f} {point.floor.gso_micros:6.2f}" if point.floor else " " * 21


def main() -> None:
    """Make the namespaces, measure inside, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--subscribers", type=int, nargs="+", default=list(SUBSCRIBERS), metavar="N")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of one measurement (default 6)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="measurements a point, of which the median counts"
    )
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        os.sched_setaffinity(0, {LOAD_CORE})
        # One at a time: Janus answers REST calls of one session in order.
        plan = Plan(
            options.subscribers,
            options.seconds,
            options.rounds,
            joining=1,
            floor_seconds=FLOOR_SECONDS,
            address=LOAD_ADDRESS,
            inside=inside(SERVER),
        )
        show(asyncio.run(measure_both(plan)))
        return
    if os.geteuid():
        sys.exit("Network namespaces need root: sudo make bench-peers")
    if shutil.which(COMMAND[0]) is None:
        sys.exit("Janus is not installed: make bench-peers installs it")
    with pair(SERVER_CORE, LOAD_CORE):
        command = [*inside(LOAD), sys.executable, "-m", "bench.peers", "--inside", *sys.argv[1:]]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
