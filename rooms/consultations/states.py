"""The closed lists of words of consultations. Values are stored and go over the wire."""

from enum import StrEnum


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


class ConsultationEnd(StrEnum):
    """Why an active consultation ended."""

    FINISHED = "finished"  # the expert said so
    RESIDENT_GONE = "resident_gone"
    OVERDUE = "overdue"  # it ran longer than any talk may
