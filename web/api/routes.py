"""The table of calls: what there is, who may, and who answers. Dispatch and OpenAPI are made from it."""

from typing import Final

from web.api import (
    attendance,
    cards,
    consultations,
    curation,
    meetings,
    organizations,
    recordings,
    sessions,
    upkeep,
    uploads,
)
from web.api.call import Access, AnyCall, Call, Nothing
from web.api.schemas.accounts import AccountUpdate, PasswordChange, SessionOut, SignIn
from web.api.schemas.attendance import (
    AttendanceOut,
    AttendanceRow,
    CorrectionCreate,
    LeaveDecision,
    LeaveRequestCreate,
    LeaveRequestOut,
)
from web.api.schemas.base import Page, PageQuery
from web.api.schemas.cards import CardEntryOut
from web.api.schemas.consultations import (
    ConsultationCreate,
    ConsultationOut,
    RatingCreate,
    ServiceOut,
    StationKeyOut,
    StationOut,
    StationPairing,
    TicketOut,
)
from web.api.schemas.meetings import (
    GuestInvite,
    InvitationOut,
    InviteCreate,
    InvitedOut,
    MeetingCreate,
    MeetingOut,
    MeetingsQuery,
    MeetingUpdate,
    RoomTokenOut,
)
from web.api.schemas.organizations import MemberOut, MembersQuery, OrganizationOut, OrganizationsQuery
from web.api.schemas.recordings import (
    CaptionsOut,
    CaptionsPut,
    CoverageOut,
    PromptAnswer,
    RecordingOut,
    RecordingsQuery,
    RecordingUpdate,
    ViewingReport,
    WatcherOut,
)
from web.api.schemas.upkeep import (
    DeletionOut,
    KeepingOut,
    LeavingOut,
    ReasonGiven,
    StorageOut,
    StorageRulesPut,
)
from web.api.schemas.uploads import UploadCreate, UploadOut

ANYBODY, SIGNED_IN, VISITOR = Access.ANYBODY, Access.SIGNED_IN, Access.VISITOR

# A report of five hundred intervals is some 20 kB; an invitation list of a thousand members 60 kB.
LISTS_OF_IDS_BYTES: Final = 128 * 1024
# Half a megabyte of captions, in which JSON writes every line break with two characters.
CAPTIONS_BYTES: Final = 1024 * 1024

# fmt: off
CALLS: Final[tuple[AnyCall, ...]] = (
    Call("POST", "/api/session", sessions.sign_in, SignIn, SessionOut, ANYBODY,
         "who knows the password; attempts are limited"),
    Call("GET", "/api/session", sessions.session, Nothing, SessionOut, SIGNED_IN, "the person signed in"),
    Call("DELETE", "/api/session", sessions.sign_out, Nothing, None, ANYBODY, "the person signed in",
         status=204),

    Call("PATCH", "/api/account", sessions.update_account, AccountUpdate, SessionOut, SIGNED_IN,
         "one's own account"),
    Call("POST", "/api/account/password", sessions.change_password, PasswordChange, SessionOut, SIGNED_IN,
         "who knows the present password"),

    Call("GET", "/api/organizations", organizations.organizations, OrganizationsQuery,
         Page[OrganizationOut], SIGNED_IN, "see_organization: cut to what one may see"),
    Call("GET", "/api/organizations/{organizationId}", organizations.organization, Nothing, OrganizationOut,
         SIGNED_IN, "see_organization"),

    Call("GET", "/api/members", organizations.members, MembersQuery, Page[MemberOut], SIGNED_IN,
         "see_members"),
    Call("GET", "/api/members/me", organizations.me, Nothing, MemberOut, SIGNED_IN, "one's own"),
    Call("GET", "/api/members/{memberId}", organizations.member, Nothing, MemberOut, SIGNED_IN,
         "see_member"),
    Call("GET", "/api/members/{memberId}/card", cards.card, PageQuery, Page[CardEntryOut], SIGNED_IN,
         "see_card"),

    Call("POST", "/api/meetings", meetings.schedule, MeetingCreate, MeetingOut, SIGNED_IN,
         "schedule_meeting", status=201, body_bytes=LISTS_OF_IDS_BYTES),
    Call("GET", "/api/meetings", meetings.meetings, MeetingsQuery, Page[MeetingOut], SIGNED_IN,
         "see_meeting: cut to what one may see"),
    Call("GET", "/api/meetings/{meetingId}", meetings.meeting, Nothing, MeetingOut, SIGNED_IN,
         "see_meeting"),
    Call("PATCH", "/api/meetings/{meetingId}", meetings.update, MeetingUpdate, MeetingOut, SIGNED_IN,
         "manage_meeting"),
    Call("POST", "/api/meetings/{meetingId}/start", meetings.start, Nothing, MeetingOut, SIGNED_IN,
         "host_meeting"),
    Call("POST", "/api/meetings/{meetingId}/end", meetings.end, Nothing, MeetingOut, SIGNED_IN,
         "host_meeting"),
    Call("POST", "/api/meetings/{meetingId}/cancel", meetings.cancel, Nothing, MeetingOut, SIGNED_IN,
         "manage_meeting"),
    Call("POST", "/api/meetings/{meetingId}/token", meetings.token, Nothing, RoomTokenOut, SIGNED_IN,
         "join_meeting"),
    Call("POST", "/api/meetings/{meetingId}/sign-up", meetings.sign_up, Nothing, MeetingOut, SIGNED_IN,
         "see_meeting, of an open meeting"),
    Call("POST", "/api/meetings/{meetingId}/guests", meetings.invite_guest, GuestInvite, RoomTokenOut,
         SIGNED_IN, "manage_meeting", status=201),
    Call("GET", "/api/meetings/{meetingId}/invitations", meetings.invitations, PageQuery,
         Page[InvitationOut], SIGNED_IN, "see_attendance"),
    Call("POST", "/api/meetings/{meetingId}/invitations", meetings.invite, InviteCreate, InvitedOut,
         SIGNED_IN, "manage_meeting", body_bytes=LISTS_OF_IDS_BYTES),
    Call("DELETE", "/api/meetings/{meetingId}/invitations/{memberId}", meetings.uninvite, Nothing, None,
         SIGNED_IN, "manage_meeting", status=204),
    Call("GET", "/api/meetings/{meetingId}/attendance", attendance.attendance, PageQuery, AttendanceOut,
         SIGNED_IN, "see_attendance; others see their own row"),
    Call("POST", "/api/meetings/{meetingId}/attendance/{memberId}/correction", attendance.correct,
         CorrectionCreate, AttendanceRow, SIGNED_IN, "correct_attendance"),
    Call("POST", "/api/meetings/{meetingId}/leave-request", attendance.ask_leave, LeaveRequestCreate,
         LeaveRequestOut, SIGNED_IN, "request_leave", status=201),
    Call("GET", "/api/meetings/{meetingId}/leave-requests", attendance.leave_requests, PageQuery,
         Page[LeaveRequestOut], SIGNED_IN, "manage_meeting; others see their own"),
    Call("POST", "/api/meetings/{meetingId}/leave-requests/{memberId}/decision", attendance.decide_leave,
         LeaveDecision, LeaveRequestOut, SIGNED_IN, "manage_meeting"),

    Call("GET", "/api/recordings", recordings.recordings, RecordingsQuery, Page[RecordingOut], SIGNED_IN,
         "watch_recording: cut to what one may watch"),
    Call("GET", "/api/recordings/{recordingId}", recordings.recording, Nothing, RecordingOut, ANYBODY,
         "watch_recording; what is public, without signing in too"),
    Call("GET", "/api/recordings/{recordingId}/media", recordings.media, Nothing, None, ANYBODY,
         "watch_recording; what is public, without signing in too", media_type="video/mp4"),
    Call("GET", "/api/recordings/{recordingId}/sound", recordings.sound, Nothing, None, ANYBODY,
         "watch_recording; what is public, without signing in too", media_type="audio/mp4"),
    Call("GET", "/api/recordings/{recordingId}/poster", recordings.poster, Nothing, None, ANYBODY,
         "watch_recording; what is public, without signing in too", media_type="image/jpeg"),
    Call("GET", "/api/recordings/{recordingId}/preview", recordings.preview, Nothing, None, ANYBODY,
         "watch_recording; what is public, without signing in too", media_type="image/jpeg"),
    Call("POST", "/api/recordings/{recordingId}/viewing", recordings.viewing, ViewingReport, CoverageOut,
         SIGNED_IN, "watch_recording, by a member"),
    Call("POST", "/api/recordings/{recordingId}/viewing/answer", recordings.answer, PromptAnswer,
         CoverageOut, SIGNED_IN, "watch_recording, by a member"),
    Call("GET", "/api/recordings/{recordingId}/download", recordings.download, Nothing, None, ANYBODY,
         "watch_recording, where its settings allow it", media_type="video/mp4"),
    Call("PATCH", "/api/recordings/{recordingId}", curation.update, RecordingUpdate, RecordingOut, SIGNED_IN,
         "manage_recording; share_recording to open it beyond its organization"),
    Call("GET", "/api/recordings/{recordingId}/captions/{language}", curation.captions, Nothing, None, ANYBODY,
         "watch_recording; what is public, without signing in too", media_type="text/vtt"),
    Call("PUT", "/api/recordings/{recordingId}/captions/{language}", curation.put_captions, CaptionsPut,
         CaptionsOut, SIGNED_IN, "manage_recording", body_bytes=CAPTIONS_BYTES),
    Call("DELETE", "/api/recordings/{recordingId}/captions/{language}", curation.remove_captions, Nothing, None,
         SIGNED_IN, "manage_recording", status=204),
    Call("GET", "/api/recordings/{recordingId}/viewings", curation.watchers, PageQuery, Page[WatcherOut],
         SIGNED_IN, "see_viewings"),
    Call("GET", "/api/recordings/{recordingId}/viewings.csv", curation.watchers_sheet, Nothing, None,
         SIGNED_IN, "see_viewings", media_type="text/csv"),
    Call("GET", "/api/members/me/study", recordings.to_study, PageQuery, Page[RecordingOut], SIGNED_IN,
         "one's own"),

    Call("GET", "/api/recordings/{recordingId}/keeping", upkeep.keeping, Nothing, KeepingOut, SIGNED_IN,
         "manage_recording"),
    Call("POST", "/api/recordings/{recordingId}/hold", upkeep.hold, ReasonGiven, KeepingOut, SIGNED_IN,
         "hold_recording"),
    Call("POST", "/api/recordings/{recordingId}/release", upkeep.release, ReasonGiven, KeepingOut, SIGNED_IN,
         "release_recording"),
    Call("POST", "/api/recordings/{recordingId}/delete", upkeep.delete, ReasonGiven, None, SIGNED_IN,
         "delete_recording", status=204),
    Call("GET", "/api/recording-deletions", upkeep.deletions, PageQuery, Page[DeletionOut], SIGNED_IN,
         "delete_recording: cut to one's organizations"),
    Call("GET", "/api/leaving-recordings", upkeep.leaving, PageQuery, Page[LeavingOut], SIGNED_IN,
         "delete_recording: cut to one's organizations"),
    Call("GET", "/api/organizations/{organizationId}/storage", upkeep.storage, Nothing, StorageOut, SIGNED_IN,
         "see_figures"),
    Call("PUT", "/api/organizations/{organizationId}/storage", upkeep.put_storage, StorageRulesPut, StorageOut,
         SIGNED_IN, "manage_storage"),

    Call("POST", "/api/uploads", uploads.begin, UploadCreate, UploadOut, SIGNED_IN, "upload_recording",
         status=201),
    Call("GET", "/api/uploads", uploads.uploads, Nothing, Page[UploadOut], SIGNED_IN, "one's own"),
    Call("GET", "/api/uploads/{uploadId}", uploads.upload, Nothing, UploadOut, SIGNED_IN, "one's own"),
    Call("PATCH", "/api/uploads/{uploadId}", uploads.append, Nothing, UploadOut, SIGNED_IN,
         "one's own; upload_recording when it is whole"),
    Call("DELETE", "/api/uploads/{uploadId}", uploads.cancel, Nothing, None, SIGNED_IN, "one's own",
         status=204),

    Call("GET", "/api/stations", consultations.stations, PageQuery, Page[StationOut], VISITOR,
         "see_station"),
    Call("POST", "/api/stations/{stationId}/key", consultations.renew_station_key, Nothing, StationKeyOut,
         SIGNED_IN, "manage_stations"),
    Call("POST", "/api/station-session", consultations.pair_station, StationPairing, StationOut, ANYBODY,
         "who knows the station's key; attempts are limited"),
    Call("GET", "/api/station-session", consultations.own_station, Nothing, StationOut, ANYBODY,
         "a paired station"),
    Call("DELETE", "/api/station-session", consultations.leave_station, Nothing, None, ANYBODY,
         "a paired station", status=204),

    Call("GET", "/api/services", consultations.services, PageQuery, Page[ServiceOut], VISITOR,
         "see_services"),

    Call("POST", "/api/consultations", consultations.take, ConsultationCreate, TicketOut, VISITOR,
         "take_consultation", status=201),
    Call("GET", "/api/consultations/{consultationId}", consultations.consultation, Nothing, ConsultationOut,
         VISITOR, "see_consultation"),
    Call("POST", "/api/consultations/{consultationId}/cancel", consultations.cancel, Nothing,
         ConsultationOut, VISITOR, "the holder of the ticket"),
    Call("POST", "/api/consultations/{consultationId}/rating", consultations.rate, RatingCreate,
         ConsultationOut, VISITOR, "rate_consultation"),
)
# fmt: on
