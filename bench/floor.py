"""The floor: CPU time of the simplest C loop that encrypts and sends what the server forwards, at the same pace.

Runs as a process of its own (`python -m bench.floor`), so that its CPU time is told apart from the receivers'.
"""

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

from pylibsrtp import Policy, Session

from bench import load

SEND_BUFFER = 4 << 20  # bytes: holds one frame for every subscriber


def outbound_session() -> Session:
    """A sending AEAD_AES_128_GCM session under a random key (16 bytes) and salt (12 bytes)."""
    return Session(
        Policy(
            key=os.urandom(28),
            ssrc_type=Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        )
    )


def measure(
    receivers: int,
    seconds: float,
    *,
    segmented: bool,
    server_core: int,
    whole: bool,
    address: str = "127.0.0.1",
    inside: Sequence[str] = (),
) -> float:
    """CPU microseconds a packet of the floor with `receivers` sockets of this process, at `address`, that really read.

    `whole`: they take segmented sends uncut. `inside` is what stands before the command of the process that sends.
    """
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(receivers)]
    for each in sockets:
        each.bind((address, 0))
    counting = load.Receivers([each.fileno() for each in sockets], {}, whole)
    thread = threading.Thread(target=counting.run)
    thread.start()
    try:
        command = [*inside, sys.executable, "-m", "bench.floor"]
        command += ["--core", str(server_core), "--seconds", str(seconds), "--to", address]
        command += ["--segmented"] if segmented else []
        command += [str(each.getsockname()[1]) for each in sockets]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    finally:
        counting.stop()
        thread.join()
        for each in sockets:
            each.close()
    result = json.loads(done.stdout)
    micros: float = result["cpuSeconds"] * 1e6 / result["packets"]
    return micros


def main() -> None:
    """Send for a while and print packets and CPU seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--segmented", action="store_true")
    parser.add_argument("--to", required=True, metavar="ADDRESS")
    parser.add_argument("ports", type=int, nargs="+")
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.core})
    sessions = [outbound_session() for _ in options.ports]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        before = resource.getrusage(resource.RUSAGE_SELF)
        packets = load.floor(
            sending.fileno(),
            socket.inet_aton(options.to),
            options.ports,
            [load.session_pointer(session) for session in sessions],
            options.seconds,
            options.segmented,
        )
        after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(json.dumps({"packets": packets, "cpuSeconds": spent}))


if __name__ == "__main__":
    main()
