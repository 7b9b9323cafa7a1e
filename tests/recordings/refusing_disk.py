"""A process that records a microphone on a disk that refuses, real in all but the disk; prints what was told, and when.

`full` and a number of bytes: no file can grow beyond it. `failing`: the disk takes what is written, and says EIO when
it is to have it for good, as one does whose sectors cannot be written.
"""

import asyncio
import ctypes
import errno
import json
import platform
import resource
import struct
import sys
import time
from pathlib import Path
from typing import Final

from database import utc_now
from recordings.capture.recorder import Recorder, Segment
from recordings.capture.thread import CaptureThread, monotonic_us
from recordings.capture.track import CaptureCounters
from recordings.events import RecordingStatus
from recordings.tracks import TrackSource
from tests.recordings.meetings import track
from tests.recordings.publishers import Publisher, sine

SECONDS: Final = 30.0
_FSYNC: Final = {"x86_64": 74, "aarch64": 82}
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD_NUMBER, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ERRNO, _ALLOW = 0x0005_0000, 0x7FFF_0000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def fail_to_sync() -> None:
    """Let the kernel answer EIO to every fsync of this process, as it would of a failing disk."""
    refuse(_FSYNC[platform.machine()], errno.EIO)


def refuse(call: int, number: int) -> None:
    """Let the kernel answer this number of an error to one system call of this process (seccomp), from now on."""
    filters = b"".join(
        struct.pack("HBBI", *step)
        for step in (
            (_LOAD_NUMBER, 0, 0, 0),
            (_JUMP_IF_EQUAL, 0, 1, call),
            (_RETURN, 0, 0, _ERRNO | number),
            (_RETURN, 0, 0, _ALLOW),
        )
    )
    program = _Program(4, filters)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)
    ):
        raise OSError(ctypes.get_errno(), "no seccomp here")


async def main(folder: Path, refusal: str, limit: int) -> None:
    stream = Publisher().audio(sine(440), SECONDS)
    stream.feed(1e9, monotonic_us())
    if refusal == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    else:
        fail_to_sync()
    told: asyncio.Queue[RecordingStatus] = asyncio.Queue()
    thread = CaptureThread()
    thread.start()
    began = time.monotonic()
    recorder = Recorder(
        Segment(folder, "r", "m", utc_now(), 0), thread, CaptureCounters(), utc_now,
        lambda _meeting, status: told.put_nowait(status),
    )  # fmt: skip
    recorder.track_added(track(stream, "a", TrackSource.MICROPHONE))
    status = await told.get()
    seconds = time.monotonic() - began
    await recorder.close()
    thread.stop()
    told_now = {"reason": status.reason, "seconds": seconds, "closed": stream.tap.closed}
    print(json.dumps(told_now))  # noqa: T201 - whoever started us reads it


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
