"""What the media engine may be told from outside."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Upper bounds; passing one raises `MediaLimitReached` with the code named here.

    They are far above what a meeting needs and low enough that one client cannot exhaust the process.
    """

    transports_per_router: int = (
        6_000  # too_many_transports: 1,500 people with two each, twice over while rejoining
    )
    transports_per_owner: int = 4  # too_many_transports: two, and two more while the old ones go
    producers_per_transport: int = (
        8  # too_many_producers: camera, microphone, screen, screen audio, and replacements
    )
    consumers_per_transport: int = 1_200  # too_many_consumers: a camera and a microphone of 600 people
    taps_per_producer: int = 4  # too_many_taps


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """One port for all clients: UDP, and with `tcp` the same number for TCP, the way through firewalls that stop UDP.

    `port` 0 takes a free one (tests). `bind_addresses` are literal IP addresses; an address family the machine lacks
    is left out as long as one remains. `announced_addresses` are the IP addresses clients are told (behind a 1:1 NAT
    the public one); empty means the machine's own, loopback last. All plane threads share the port.
    """

    port: int = 40000
    tcp: bool = True
    bind_addresses: tuple[str, ...] = ("0.0.0.0", "::")  # noqa: S104 - a media server listens to everybody
    announced_addresses: tuple[str, ...] = ()
    plane_threads: int = 1
    limits: MediaLimits = MediaLimits()
    # Of a room's microphones at most so many are forwarded at once, the loudest; 0 forwards all. Twelve are the people
    # of a reading room, who are all heard; nobody follows more voices than that.
    loudest_microphones: int = 12
    # A speaker takes the place of one who has been silent for so long; shorter pauses are within sentences.
    loudest_hold_seconds: float = 0.2
    srtp_profiles: tuple[str, ...] = (
        "SRTP_AEAD_AES_128_GCM",
        "SRTP_AES128_CM_SHA1_80",
    )  # in order of preference
