"""Periods and bounds of consultations."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsultationSettings:
    """All periods in seconds."""

    guests: bool = True  # may people without an account take tickets
    answer_within: float = 120.0  # a called resident who has not come by then missed the turn
    desk_grace: float = 60.0  # an expert without a connection for so long is off duty
    call_grace: float = 60.0  # a talk whose expert is gone for so long goes back to the head of the queue
    queue_limit: int = 200  # waiting tickets of one service; the next is refused as queue_full
    tick: float = 2.0
