"""What a subscriber has got, in the order of its numbers, and what he asks to be sent again."""

from typing import Generic, TypeVar

from aiortc.rtp import RtcpRtpfbPacket

from tests.media.plane.world import Client

SSRC = 10
MASK = 0xFFFF
Packet = TypeVar("Packet")


class Repairing(Generic[Packet]):
    """`got`: packets by their place, from 0 on; `newest`: the last place."""

    def __init__(self, client: Client, again_us: int) -> None:
        """`again_us`: how long to wait for what was asked for."""
        self.client = client
        self.got: dict[int, Packet] = {}
        self.newest = 0
        self._base: int | None = None
        self._again_us = again_us
        self._asked_at: dict[int, int] = {}

    def put(self, number: int, packet: Packet) -> None:
        """That packet has come under this sequence number, its own or the one that was repaired."""
        self._base = number if self._base is None else self._base
        place = self.newest + ((number - self._base - self.newest + 0x8000) & MASK) - 0x8000
        self.newest = max(self.newest, place)
        self.got[place] = packet

    def ask(self, now: int) -> None:
        """For all that is missing."""
        lost = [
            place
            for place in range(self.newest)
            if place not in self.got and now - self._asked_at.get(place, 0) > self._again_us
        ]
        self._asked_at.update(dict.fromkeys(lost, now))
        if lost:
            numbers = [(place + (self._base or 0)) & MASK for place in lost]
            self.client.send_rtcp(bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=SSRC, lost=numbers)))
