"""The thread on which everything is captured, so that no disk ever holds up the event loop."""

import functools
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from recordings.capture.segment import SegmentCapture
from recordings.capture.syncing import SyncThread

# A tap's ring holds seconds, a kill loses what was not yet drained (with the window for what is late 0.65 s), and fewer
# and longer batches cost less.
PACE_SECONDS: Final = 0.25

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")

_log = structlog.get_logger(__name__)


def monotonic_us() -> int:
    """The clock of the taps' arrival times."""
    return time.monotonic_ns() // 1_000


def boot_id() -> str:
    """Of the running system: `monotonic_us` counts on from process to process as long as it stays the same."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class CaptureThread:
    """Runs orders in the order they were given, and between them drains every segment at the pace.

    The queue of orders is bounded by what gives them: one a change of a track, each of them a client's act that
    signaling limits.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._segments: list[SegmentCapture] = []
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._syncing = SyncThread()

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._syncing.start()

    def stop(self) -> None:
        """Carry out the orders that are there, then end; blocks for as long as the disk takes."""
        self._orders.put(None)
        self._thread.join()
        self._syncing.stop()

    def order(self, work: Callable[[], None]) -> None:
        """Have `work` done on the thread, after what was ordered before."""
        self._orders.put(work)

    def sync(self, path: Path, done: Callable[[OSError | None], None]) -> None:
        """Give a file to the disk itself without waiting; `done` is called on the thread, with what the disk said."""
        self._syncing.order(path, lambda error: self._orders.put(functools.partial(done, error)))

    def attend(self, segment: SegmentCapture) -> None:
        """Drain this segment at the pace; on the thread only."""
        self._segments.append(segment)

    def leave(self, segment: SegmentCapture) -> None:
        """No more; on the thread only."""
        if segment in self._segments:
            self._segments.remove(segment)

    def _run(self) -> None:
        due = time.monotonic() + PACE_SECONDS
        while True:
            # With nothing to drain only an order is waited for.
            wait = max(0.0, due - time.monotonic()) if self._segments else None
            try:
                order = self._orders.get(timeout=wait)
            except queue.Empty:
                pass
            else:
                if order is None:
                    return
                self._attempt(order)
            if time.monotonic() >= due:
                self._drain_all()
                due = time.monotonic() + PACE_SECONDS

    def _drain_all(self) -> None:
        for segment in self._segments:
            self._attempt(functools.partial(_drain, segment))

    @staticmethod
    def _attempt(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - a mistake about one meeting must not end the capture of all others
            _log.exception("capture_order_failed")


def _drain(segment: SegmentCapture) -> None:
    segment.work(monotonic_us())
