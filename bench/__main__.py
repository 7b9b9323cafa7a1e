"""Measure forwarding on this machine and print it beside the floor: `python -m bench`."""

import argparse
import asyncio
import os
import statistics
from pathlib import Path

from bench import floor, report, storm
from bench.measuring import LOAD_CORE, SERVER_CORE, Plan, measure_huitang
from bench.server import running

SUBSCRIBERS = (30, 60, 100)
ROUNDS = 3  # a point is the median of these
STORM_SECONDS = 10.0  # a theme day begins at the minute


async def measure_server(plan: Plan) -> list[report.Point]:
    """A real server on a core of its own."""
    async with running(SERVER_CORE) as server:
        return await measure_huitang(server, plan)


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
    options = parser.parse_args()
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
    points = asyncio.run(
        measure_server(Plan(options.subscribers, options.seconds, options.rounds, settle=options.settle))
    )
    print("measuring the floor again", flush=True)
    after = measure_floor(options)
    sendto, gso = (statistics.median(before[each] + after[each]) for each in (False, True))
    floor_cost = report.Floor(sendto_micros=sendto, gso_micros=gso)
    report.write(options.output, points, floor_cost)
    print(report.table(points, floor_cost))


if __name__ == "__main__":
    main()
