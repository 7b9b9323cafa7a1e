"""Rooms: meetings, attendance, live rooms, consultations: rules and records.

Each part has its own words (see the packages' docstrings); pure rules stand apart from the services that keep records.
`rooms` knows nothing of media: signaling introduces the two.

Composition: `Consultations` first, then `LiveRooms` over it; both `start()` after the migrations and after signaling
has subscribed, and `stop()` in the other order, while the database is still there.

Problem codes raised here, beside those of members and database:
    meetings: meeting_not_found, meeting_in_wrong_state, meeting_not_started, meeting_ended, meeting_cancelled,
        invalid_title, invalid_agenda, invalid_reason, invalid_meeting_time, invalid_timezone, invalid_threshold,
        kind_not_for_organization, kind_takes_no_organizations, kind_is_never_recorded,
        kind_takes_no_guests, too_many_named, sign_up_not_possible, invitation_not_found, leave_request_not_found
    attendance: attendance_not_found, invalid_correction
    live rooms: removed, room_locked, room_full, lobby_full, too_many_devices, room_busy, token_of_another_room,
        token_invalid, invalid_display_name, chat_text_invalid, forbidden, not_admitted, peer_not_found,
        peer_not_waiting, cannot_remove_host, moderation_needs_peer, agenda_item_not_found, consultation_takes_no_hosts
    stream keys: stream_key_invalid, stream_key_for_other_use, stream_key_not_found, too_many_stream_keys,
        device_cannot_host
    consultations: consultation_not_found, consultation_not_called, consultation_over, consultation_in_wrong_state,
        service_not_found, service_not_at_station, service_not_yours, station_not_found, station_key_invalid,
        ambiguous_station, display_name_required, queue_full, too_many_tickets, not_on_duty, expert_busy,
        outcome_written, invalid_outcome, invalid_rating, invalid_comment, already_rated
"""

from rooms.attendance.service import Attendance
from rooms.consultations.service import Consultations
from rooms.consultations.settings import ConsultationSettings
from rooms.consultations.stations import Stations
from rooms.live.service import LiveRooms
from rooms.live.settings import RoomSettings
from rooms.meetings.service import Meetings
from rooms.stream_keys.service import StreamKeys

__all__ = [
    "Attendance",
    "ConsultationSettings",
    "Consultations",
    "LiveRooms",
    "Meetings",
    "RoomSettings",
    "Stations",
    "StreamKeys",
]
