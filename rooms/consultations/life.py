"""The states of a consultation and the ways between them, in one place."""

from typing import Final

from errors import Kind, Problem
from rooms.consultations.states import OVER, ConsultationState

WAYS: Final[dict[ConsultationState, frozenset[ConsultationState]]] = {
    ConsultationState.WAITING: frozenset({ConsultationState.CALLED, ConsultationState.CANCELLED}),
    ConsultationState.CALLED: frozenset(
        {
            ConsultationState.ACTIVE,  # the resident came
            ConsultationState.MISSED,  # did not
            ConsultationState.CANCELLED,  # does not want to any more
            ConsultationState.WAITING,  # the expert is lost: back to the head of the queue
        }
    ),
    ConsultationState.ACTIVE: frozenset(
        {
            ConsultationState.ENDED,
            ConsultationState.MISSED,  # answered, and gone before the two met
            ConsultationState.WAITING,  # the expert is lost
        }
    ),
    ConsultationState.ENDED: frozenset(),
    ConsultationState.CANCELLED: frozenset(),
    ConsultationState.MISSED: frozenset(),
}


def check_way(state: ConsultationState, wanted: ConsultationState) -> None:
    """Problem CONFLICT unless there is a way.

    Codes: consultation_over, consultation_not_called, else consultation_in_wrong_state.
    """
    if wanted in WAYS[state]:
        return
    details = {"state": state.value, "wanted": wanted.value}
    if state in OVER:
        raise Problem(Kind.CONFLICT, "consultation_over", details)
    if state is ConsultationState.WAITING:
        raise Problem(Kind.CONFLICT, "consultation_not_called", details)
    raise Problem(Kind.CONFLICT, "consultation_in_wrong_state", details)
