"""The closed lists of words of consultations. Values are stored and go over the wire."""

from enum import StrEnum
from typing import Final


class ServiceKind(StrEnum):
    """What sort of help a service gives."""

    ADMINISTRATIVE = "administrative"
    MEDICAL = "medical"
    LEGAL = "legal"
    FARMING = "farming"


class ConsultationState(StrEnum):
    """Where a consultation stands; life.py holds the transitions."""

    WAITING = "waiting"
    CALLED = "called"
    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"
    MISSED = "missed"


TALKING: Final = frozenset({ConsultationState.CALLED, ConsultationState.ACTIVE})
"""An expert has it in hand, and its room may be entered."""

OVER: Final = frozenset({ConsultationState.ENDED, ConsultationState.CANCELLED, ConsultationState.MISSED})


class ConsultationEnd(StrEnum):
    """Why an active consultation ended."""

    FINISHED = "finished"  # the expert said so, or hung up and did not come back
    RESIDENT_GONE = "resident_gone"
    OVERDUE = "overdue"  # it ran longer than any talk may
