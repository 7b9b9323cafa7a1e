"""Many microphones, each of its own client, and somebody who listens to them all."""

import random

from aiortc.rtp import RtpPacket

from media.plane import Encoding
from tests.media.plane.world import AUDIO, AUDIO_LEVEL, Client, World, rtp

PACKET_US = 20_000
HOLD_US = 200_000
VOICE, ROOM = -25, -70
NOISY = 5_000  # ms after which a microphone's noise is known


class Microphone:
    """A client that sends one Opus packet every 20 ms, at a level that may change."""

    def __init__(self, world: World, floor: int | None, number: int, *, levels: bool = True) -> None:
        self.client = world.client()
        self.number = number
        self.level = ROOM
        self.sequence = 1000 * number
        self.timestamp = 50_000 * number
        self.sending = True
        self.producer = world.audio(
            self.client,
            encodings=[Encoding(3000 + number)],
            header_extensions={AUDIO_LEVEL: 1} if levels else {},
            floor=floor,
        )

    def tick(self) -> None:
        """One packet; its payload names the microphone and the packet."""
        self.timestamp += 960
        if not self.sending:
            return
        self.sequence += 1
        packet = rtp(
            self.sequence,
            self.timestamp,
            3000 + self.number,
            bytes([self.number]) + self.sequence.to_bytes(4, "big"),
            payload_type=AUDIO,
            extensions=((1, bytes([-self.level])),),
        )
        self.client.send(packet)


class Room:
    """Microphones on one floor, and a listener who has a consumer of each."""

    def __init__(self, microphones: int, places: int, *, floor: bool = True) -> None:
        self.world = World()
        self.floor = self.world.core.add_floor(places, HOLD_US) if floor else None
        self.microphones = [Microphone(self.world, self.floor, n + 1) for n in range(microphones)]
        self.listener: Client = self.world.client()
        self.consumers = [
            self.world.listen(self.listener, one.producer, ssrc=100 + one.number) for one in self.microphones
        ]

    def run(self, milliseconds: int) -> None:
        for _ in range(milliseconds * 1000 // PACKET_US):
            for microphone in self.microphones:
                microphone.tick()
            self.world.advance(PACKET_US)

    def heard(self, microphone: Microphone) -> list[RtpPacket]:
        return [packet for packet in self.listener.rtp if packet.ssrc == 100 + microphone.number]

    def now_heard(self) -> set[int]:
        """Who is forwarded in one further packet time."""
        self.listener.rtp.clear()
        self.run(20)
        return {packet.ssrc - 100 for packet in self.listener.rtp}

    def levels(self) -> list[int]:
        """Of each microphone, in dBov; -127: nobody speaks."""
        levels = dict(self.world.core.audio_levels())
        return [levels[one.producer] for one in self.microphones]


def make_noise(microphones: list[Microphone], level: int, dice: random.Random) -> None:
    for microphone in microphones:
        microphone.level = level + dice.randrange(-2, 3)
