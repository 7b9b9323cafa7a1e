"""Bounds and periods of live rooms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """All periods in seconds."""

    grace: float = 20.0  # how long a lost connection may stay away
    heartbeat: float = 15.0  # how often presence goes to the database: what a crash can lose
    tick: float = 1.0  # how often grace periods are looked at
    abandoned_after: float = 600.0  # an empty room whose planned end has passed ends after this
    overdue_after: float = 12 * 3600.0  # and any room ends this long after its planned end
    maximum_peers: int = 1500  # in one room; more than ever met in one of ours, and what a core serves
    maximum_waiting: int = 1500  # in one lobby: everybody of a full room, before the host has come to it
    # Of one person in one room: reading rooms open one log-in on every screen they have, and many of them may meet at
    # once. So it is the room that bounds them, not the log-in.
    maximum_devices: int = 1500
    # Who waits for one room, the next is refused as room_busy: everybody of a full room, coming back in one moment.
    maximum_pending: int = 3000
    chat_history: int = 200  # messages kept for those who come late
    chat_length: int = 2000  # characters of one message
