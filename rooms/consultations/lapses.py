"""What time alone does to a talk: the pure rule of missed turns, lost experts and residents who went."""

from datetime import datetime, timedelta
from enum import StrEnum

from rooms.consultations.settings import ConsultationSettings
from rooms.consultations.states import ConsultationState
from rooms.consultations.watch import Chairs


class Lapse(StrEnum):
    """What has come of a talk."""

    MISSED = "missed"  # the resident did not come in time, or went before the two met
    EXPERT_LOST = "expert_lost"  # back to the head of the queue
    EXPERT_GONE = "expert_gone"  # hung up after the two had met, and sits at the desk: the talk is done
    RESIDENT_GONE = "resident_gone"
    OVERDUE = "overdue"


def lapse_of(
    state: ConsultationState,
    called_at: datetime,
    started_at: datetime | None,
    chairs: Chairs,
    desk_lost_since: datetime | None,
    settings: ConsultationSettings,
    now: datetime,
    *,
    met: bool,
) -> Lapse | None:
    """What has happened by `now`, if anything. `met`: the two have been in the room together.

    From the answer on each has the same time to appear, however long the resident was called.
    """
    grace = timedelta(seconds=settings.call_grace)
    if state is ConsultationState.CALLED:
        if chairs.expert_missing_since is not None and _passed(desk_lost_since, grace, now):
            return Lapse.EXPERT_LOST
        return Lapse.MISSED if _passed(called_at, timedelta(seconds=settings.answer_within), now) else None
    if state is not ConsultationState.ACTIVE:
        return None
    if _missing(chairs.resident_missing_since, started_at, grace, now):
        return Lapse.RESIDENT_GONE if met else Lapse.MISSED
    if _missing(chairs.expert_missing_since, started_at, grace, now):
        return Lapse.EXPERT_GONE if met and desk_lost_since is None else Lapse.EXPERT_LOST
    return Lapse.OVERDUE if _passed(started_at, timedelta(seconds=settings.longest), now) else None


def _missing(since: datetime | None, started_at: datetime | None, grace: timedelta, now: datetime) -> bool:
    return since is not None and _passed(max(since, started_at or since), grace, now)


def _passed(since: datetime | None, period: timedelta, now: datetime) -> bool:
    return since is not None and now - since >= period
