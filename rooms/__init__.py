"""Rooms: meetings, attendance, live rooms, consultations: rules and records.

Each part has its own words (see the packages' docstrings); pure rules stand apart from the services that keep records.
`rooms` knows nothing of media: signaling introduces the two.
"""

from rooms.attendance.service import Attendance
from rooms.consultations.service import Consultations
from rooms.consultations.settings import ConsultationSettings
from rooms.consultations.stations import Stations
from rooms.live.service import LiveRooms
from rooms.live.settings import RoomSettings
from rooms.meetings.service import Meetings

__all__ = [
    "Attendance",
    "ConsultationSettings",
    "Consultations",
    "LiveRooms",
    "Meetings",
    "RoomSettings",
    "Stations",
]
