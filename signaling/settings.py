"""What an operator may choose about signaling; server.py fills it from the configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server as WebRTC's RTCIceServer names it.

    With `secret` (coturn's `static-auth-secret`) every participant gets credentials of his own that expire (the TURN
    REST scheme); `username` and `credential` are then not needed.
    """

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None
    secret: str | None = None


@dataclass(frozen=True)
class SignalingSettings:
    """Times in seconds, sizes in bytes; each default has its reason beside it."""

    # Browsers' Origin must be the host they asked, or one of these ("https://meet.example.org"), for proxies that
    # rewrite Host. Clients without an Origin (phones' apps, tests) are let in: they carry no ambient cookies.
    public_origins: tuple[str, ...] = ()
    ice_servers: tuple[IceServer, ...] = ()
    # How long a TURN credential lasts: a long meeting and a reconnection in it.
    turn_credential_seconds: int = 12 * 3600
    # A lost connection is noticed after interval + timeout at the latest. A pause of 10 keeps NAT bindings of mobile
    # networks alive, and 600 clients cost 60 pings a second; patience of 20 bears a phone that wakes up slowly.
    ping_interval: float = 10.0
    ping_timeout: float = 20.0
    # For each of the two packets that turn long polling into a WebSocket: a browser sends them at once, and the second
    # when its last request is answered.
    upgrade_seconds: float = 10.0
    # The largest legitimate message is `produce` or `consume` with a browser's whole capabilities: some 12 kB.
    max_message_bytes: int = 64 * 1024
    # A client with so many unread messages is not reading: it is cut, and resumes from a snapshot.
    max_unsent_messages: int = 512
    # Joining a room of 100 with camera and microphone takes 1 + 6 + 2 * 200 events at once; afterwards a person makes
    # a few a second. What everybody hears of costs more: signaling/rooms/namespace.py.
    event_burst: int = 500
    events_per_second: float = 40.0
    # A connection that goes on flooding while it is being refused is cut after so many refusals in a row.
    max_refused_in_a_row: int = 1000
    # Per participant; a camera with a screen, its sound and a microphone are four producers.
    max_transports: int = 4
    max_producers: int = 8
    max_consumers: int = 1200  # as media: a camera and a microphone of 600 people
    # How often people are told of a change of their network's quality, and hosts of the room's.
    quality_seconds: float = 3.0
    # A connection that has opened no namespace by then (nobody we know) is closed.
    anonymous_seconds: float = 15.0
    # Connection tests: each sends some Mbit/s both ways for a moment, and strangers may make them.
    max_tests: int = 30
    max_tests_of_source: int = 6  # a reading room where several try at once
    test_seconds: float = 120.0
    # Of one address, one after the other: a reading room that is being set up tries often, and nobody tries for ever.
    test_burst: float = 20.0
    tests_per_minute: float = 4.0
