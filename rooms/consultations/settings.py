"""Periods and bounds of consultations."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsultationSettings:
    """All periods in seconds."""

    guests: bool = True  # may people without an account take tickets
    answer_within: float = 120.0  # a called resident who has not come by then missed the turn
    desk_grace: float = 60.0  # an expert without a connection for so long is off duty
    call_grace: float = 60.0  # who is gone from a talk for so long does not come back
    longest: float = 4 * 3600.0  # no talk lasts longer
    queue_limit: int = 200  # waiting tickets of one service; the next is refused as queue_full
    tickets_of_account: int = 3  # open at once, so that one person cannot fill the queues
    tickets_of_station: int = 20
    tick: float = 2.0  # how often the clock looks
