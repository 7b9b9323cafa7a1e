"""Which connections watch which tickets and the queue."""

from collections import defaultdict


class Watchers:
    """Sets of connections by what they watch. A connection may watch a handful of tickets, not a district's."""

    def __init__(self, limit: int = 16) -> None:
        self._limit = limit
        self._by_ticket: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._by_sid: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.queue: dict[str, None] = {}

    def watch(self, sid: str, consultation_id: str) -> None:
        """From now on; past the limit the one watched longest is given up."""
        tickets = self._by_sid[sid]
        tickets.pop(consultation_id, None)
        tickets[consultation_id] = None
        self._by_ticket[consultation_id][sid] = None
        if len(tickets) > self._limit:
            self.unwatch(sid, next(iter(tickets)))

    def unwatch(self, sid: str, consultation_id: str) -> None:
        """No more of this ticket."""
        self._by_sid[sid].pop(consultation_id, None)
        self._by_ticket[consultation_id].pop(sid, None)
        if not self._by_sid[sid]:
            del self._by_sid[sid]
        if not self._by_ticket[consultation_id]:
            del self._by_ticket[consultation_id]

    def forget(self, sid: str) -> None:
        """The connection is gone."""
        for consultation_id in list(self._by_sid.get(sid, ())):
            self.unwatch(sid, consultation_id)
        self.queue.pop(sid, None)

    def of(self, consultation_id: str) -> list[str]:
        """Who watches this ticket."""
        return list(self._by_ticket.get(consultation_id, ()))

    def tickets(self) -> set[str]:
        """Everything that is watched."""
        return set(self._by_ticket)
