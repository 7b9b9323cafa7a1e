"""The native half of the load generator; see load.pyx."""

from threading import Event

from pylibsrtp import Session

def session_pointer(session: Session) -> int: ...

class Publisher:
    sent: int
    late: int
    def __init__(
        self,
        fd: int,
        session: int,
        *,
        video_ssrc: int,
        audio_ssrc: int,
        video_type: int,
        audio_type: int,
    ) -> None: ...
    def run(self, video_after: float = 0.0, audio_after: float = 0.005) -> None: ...
    def stop(self) -> None: ...

class Receivers:
    begun: Event
    def __init__(self, fds: list[int], sessions: dict[int, int], whole: bool = False) -> None: ...
    def run(self) -> None: ...
    def stop(self) -> None: ...
    def counts(self) -> list[int]: ...
    def take_latencies(self) -> dict[int, list[tuple[float, float]]]: ...

def floor(
    fd: int, address: bytes, ports: list[int], sessions: list[int], seconds: float, segmented: bool
) -> int: ...
