"""What a room is for, as the records have it."""

from datetime import datetime, timedelta
from typing import Final

from rooms.consultations.parties import Admission
from rooms.live.views import Occasion, OccasionKind
from rooms.meetings.agenda import agenda_items
from rooms.meetings.models import Meeting

CONSULTATION_LIMIT: Final = timedelta(hours=4)
"""No talk lasts longer; the consultation's own rules end it much earlier."""


def of_meeting(meeting: Meeting) -> Occasion:
    """A meeting that is live."""
    return Occasion(
        id=meeting.id,
        kind=OccasionKind.MEETING,
        organization_id=meeting.organization_id,
        title=meeting.title,
        record=meeting.record,
        lobby=meeting.lobby,
        planned_end=meeting.ends_at,
        started_at=meeting.started_at or meeting.starts_at,
        agenda=agenda_items(meeting.agenda),
    )


def of_consultation(room_id: str, admission: Admission, now: datetime) -> Occasion:
    """A consultation whose first party comes now."""
    return Occasion(
        id=room_id,
        kind=OccasionKind.CONSULTATION,
        organization_id=admission.organization_id,
        title=admission.consultation.service.name,
        record=False,
        lobby=False,
        planned_end=now + CONSULTATION_LIMIT,
        started_at=now,
    )
