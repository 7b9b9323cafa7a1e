"""Measure forwarding on this machine and print it beside the floor: `python -m bench`."""

import argparse
import asyncio
import os
from pathlib import Path

from bench import mesh, report, rooms, storm
from bench.measuring import LOAD_CORE, SERVER_CORE, Plan, measure_huitang
from bench.server import running

SUBSCRIBERS = (30, 60, 100)
ROUNDS = 5  # a point is the median of these
FLOOR_SECONDS = 3.0
STORM_SECONDS = 10.0  # a theme day begins at the minute


async def measure_server(plan: Plan) -> list[report.Point]:
    """A real server on a core of its own."""
    async with running(SERVER_CORE) as server:
        return await measure_huitang(server, plan)


def numbers(text: str) -> list[int]:
    """`30,60,1000`, in rising order; ValueError for anything else."""
    found = sorted(int(each) for each in text.split(","))
    if found[0] < 1:
        raise ValueError(text)
    return found


def main() -> None:
    """Measure, print the table and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--subscribers",
        type=numbers,
        default=list(SUBSCRIBERS),
        metavar="N,N",
        help="how many receive the one camera and microphone, step by step (default 30,60,100)",
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait so long before the memory of the largest number is read: after 100 the server has tidied up",
    )
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
    parser.add_argument(
        "--publishers",
        type=int,
        default=1,
        help="how many send a camera and a microphone, all of which each subscriber receives (default 1)",
    )
    parser.add_argument(
        "--gro",
        action="store_true",
        help="subscribers take segmented sends uncut, as a network card does: loopback cuts them on the server's time",
    )
    parser.add_argument(
        "--mesh", type=int, metavar="N", help="only measure N people who all see and hear each other"
    )
    parser.add_argument(
        "--load",
        type=int,
        metavar="PERCENT",
        help="only measure as many rooms of thirty as take so much of the server's core, above all latency: 70",
    )
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    if options.storm:
        result = asyncio.run(storm.measure(options.storm, STORM_SECONDS, SERVER_CORE))
        report.add(options.output, "storm", result.as_json())
        print(result)
        return
    if options.mesh:
        everybody = asyncio.run(
            mesh.measure(options.mesh, options.seconds, options.rounds, SERVER_CORE, whole=options.gro)
        )
        report.add(options.output, "mesh", everybody.as_json())
        print(everybody)
        return
    plan = Plan(
        options.subscribers,
        options.seconds,
        options.rounds,
        floor_seconds=FLOOR_SECONDS,
        settle=options.settle,
        publishers=options.publishers,
        whole=options.gro,
    )
    if options.load:
        busy = asyncio.run(rooms.measure(options.load / 100, plan))
        report.add(options.output, "load", busy.as_json())
        print(busy)
        return
    points = asyncio.run(measure_server(plan))
    report.write(options.output, points)
    print(report.table(points))


if __name__ == "__main__":
    main()
