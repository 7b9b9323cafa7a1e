"""A track's packets in the order in which they were sent, waiting a little for what is late."""

from typing import Final, NamedTuple

from recordings.capture.rtp import RtpPacket, Unwrapper

# A retransmission needs one round trip and the pace of NACKs: 400 ms carries a path of 300 ms there and back. It also
# is what a kill can lose beyond the flush, so it is no longer.
WINDOW_US: Final = 400_000
# 400 ms of a 10 Mbit/s screen in packets of 1,100 bytes are 450; a burst of more than this is not worth the memory.
WINDOW_PACKETS: Final = 1_024
# A jump this far is no loss but a publisher who began anew.
JUMP_PACKETS: Final = 3_000


class Ordered(NamedTuple):
    """A packet in its place; `lost` packets before it never came."""

    packet: RtpPacket
    arrival_us: int
    lost: int


class ReorderWindow:
    """Bounded in packets and in time; `push` and `expire` answer what may go on."""

    def __init__(self, window_us: int = WINDOW_US, window_packets: int = WINDOW_PACKETS) -> None:
        self._window_us = window_us
        self._window_packets = window_packets
        self._sequences = Unwrapper(16)
        self._next: int | None = None  # the sequence number that may go on
        self._waiting: dict[int, tuple[RtpPacket, int]] = {}
        self._lost = 0  # not yet told

    def push(self, packet: RtpPacket, arrival_us: int) -> list[Ordered]:
        """Take a packet; duplicates and what comes too late are dropped."""
        sequence = self._sequences.peek(packet.sequence)
        if self._next is None:
            self._next = sequence
        if sequence == self._next and not self._waiting:  # nearly always: nothing is missing
            self._sequences.remember(sequence)
            self._next = sequence + 1
            return [self._release(packet, arrival_us)]
        if abs(sequence - self._next) > JUMP_PACKETS:
            return self._begin_anew(packet, arrival_us)
        self._sequences.remember(sequence)
        if sequence < self._next or sequence in self._waiting:
            return []
        self._waiting[sequence] = (packet, arrival_us)
        ready = self._consecutive()
        while len(self._waiting) > self._window_packets:
            ready += self._skip()
        return ready

    def expire(self, now_us: int) -> list[Ordered]:
        """Give up what has been missing for longer than the window."""
        ready: list[Ordered] = []
        while self._waiting and now_us - min(a for _, a in self._waiting.values()) > self._window_us:
            ready += self._skip()
        return ready

    def flush(self) -> list[Ordered]:
        """Everything that still waits: the track ends."""
        ready: list[Ordered] = []
        while self._waiting:
            ready += self._skip()
        return ready

    def _begin_anew(self, packet: RtpPacket, arrival_us: int) -> list[Ordered]:
        ready = self.flush()
        self._sequences = Unwrapper(16)
        self._next = self._sequences.unwrap(packet.sequence) + 1
        self._lost += 1  # how many nobody knows; the frame that was open is not whole
        return [*ready, self._release(packet, arrival_us)]

    def _skip(self) -> list[Ordered]:
        first = min(self._waiting)
        if self._next is not None:
            self._lost += first - self._next
        self._next = first
        return self._consecutive()

    def _consecutive(self) -> list[Ordered]:
        ready: list[Ordered] = []
        while self._next is not None and self._next in self._waiting:
            packet, arrival_us = self._waiting.pop(self._next)
            ready.append(self._release(packet, arrival_us))
            self._next += 1
        return ready

    def _release(self, packet: RtpPacket, arrival_us: int) -> Ordered:
        lost, self._lost = self._lost, 0
        return Ordered(packet, arrival_us, lost)
