"""Who is told of events, and how: in order, at once, and one listener's failure is not another's."""

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from rooms.live.events import Event

log = structlog.get_logger(__name__)


class RoomListener(Protocol):
    """Gets every event of every room, in order, on the event loop; must not block. An exception in it is logged."""

    def on_room_event(self, room_id: str, event: Event) -> None:
        """Take one event."""
        ...


class RoomListeners:
    """The listeners of all rooms."""

    def __init__(self) -> None:
        self._listeners: list[RoomListener] = []

    def add(self, listener: RoomListener) -> Callable[[], None]:
        """Tell `listener` from now on; answers how to stop it."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    def tell(self, room_id: str, events: Sequence[Event]) -> None:
        """Tell everybody of everything."""
        for event in events:
            for listener in tuple(self._listeners):
                try:
                    listener.on_room_event(room_id, event)
                except Exception:
                    log.exception("room_listener_failed", room_id=room_id, room_event=type(event).__name__)
