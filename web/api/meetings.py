"""Meetings: scheduling, seeing, starting, ending, and who is invited."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from recordings.views import MeetingRecording
from rooms.live.commands import Role
from rooms.meetings.requests import Invite, MeetingsFilter, ScheduleMeeting, UpdateMeeting
from rooms.meetings.views import MeetingView
from web.api.call import Asked, Nothing
from web.api.paging import page_out, page_request
from web.api.schemas.base import Page, PageQuery
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

OF_RECORDING: Final = frozenset({"recording_id", "deleted_recording_id"})


async def schedule(asked: Asked[MeetingCreate]) -> MeetingOut:
    """Schedule a meeting; the invitations follow from its kind."""
    given = dict(asked.input)
    late_after = timedelta(seconds=given.pop("late_after_seconds"))
    wanted = ScheduleMeeting(**given, late_after=late_after)
    return _out(await asked.services.meetings.schedule(asked.caller.person, wanted))


async def meetings(asked: Asked[MeetingsQuery]) -> Page[MeetingOut]:
    """What one may see, from the earliest start (or `newestFirst`)."""
    query = asked.input
    wanted = MeetingsFilter(
        from_=query.from_, to=query.to, organization_id=query.organization_id, newest_first=query.newest_first
    )
    page = await asked.services.meetings.list(asked.caller.person, wanted, page_request(query))
    recordings = await _recordings(asked, page.items)
    return Page(items=[_out(one, recordings.get(one.id)) for one in page.items], next_cursor=page.next_cursor)


async def meeting(asked: Asked[Nothing]) -> MeetingOut:
    """One meeting."""
    found = await asked.services.meetings.get(asked.caller.person, asked.path("meetingId"))
    return _out(found, (await _recordings(asked, [found])).get(found.id))


async def update(asked: Asked[MeetingUpdate]) -> MeetingOut:
    """Change a scheduled meeting."""
    changes = UpdateMeeting(**dict(asked.input))
    changed = await asked.services.meetings.update(asked.caller.person, asked.path("meetingId"), changes)
    return _out(changed)


async def cancel(asked: Asked[Nothing]) -> MeetingOut:
    """Call a scheduled meeting off."""
    cancelled = await asked.services.meetings.cancel(asked.caller.person, asked.path("meetingId"))
    return _out(cancelled)


async def start(asked: Asked[Nothing]) -> MeetingOut:
    """Start it; starting a live one changes nothing."""
    started = await asked.services.live_rooms.start_meeting(asked.caller.person, asked.path("meetingId"))
    return _out(started)


async def end(asked: Asked[Nothing]) -> MeetingOut:
    """End it for everybody; attendance goes to the cards."""
    ended = await asked.services.live_rooms.end_meeting(asked.caller.person, asked.path("meetingId"))
    return _out(ended)


async def token(asked: Asked[Nothing]) -> RoomTokenOut:
    """A room token for oneself."""
    granted = await asked.services.meetings.room_pass(asked.caller.person, asked.path("meetingId"))
    return RoomTokenOut.model_validate(granted)


async def invitations(asked: Asked[PageQuery]) -> Page[InvitationOut]:
    """Who is invited, by name."""
    page = await asked.services.meetings.invitations(
        asked.caller.person, asked.path("meetingId"), page_request(asked.input)
    )
    return page_out(page, InvitationOut)


async def invite(asked: Asked[InviteCreate]) -> InvitedOut:
    """Invite members by hand, or change the role of invited ones."""
    invites = tuple(Invite(one.member_id, Role(one.role)) for one in asked.input.invitations)
    count = await asked.services.meetings.invite(asked.caller.person, asked.path("meetingId"), invites)
    return InvitedOut(expected_count=count)


async def uninvite(asked: Asked[Nothing]) -> None:
    """Take somebody off the list of a scheduled meeting."""
    await asked.services.meetings.uninvite(
        asked.caller.person, asked.path("meetingId"), asked.path("memberId")
    )


async def sign_up(asked: Asked[Nothing]) -> MeetingOut:
    """Sign up for an open meeting."""
    joined = await asked.services.meetings.sign_up(asked.caller.person, asked.path("meetingId"))
    return _out(joined)


async def invite_guest(asked: Asked[GuestInvite]) -> RoomTokenOut:
    """A room token for somebody without an account."""
    granted = await asked.services.meetings.invite_guest(
        asked.caller.person, asked.path("meetingId"), asked.input.display_name
    )
    return RoomTokenOut.model_validate(granted)


async def _recordings(asked: Asked[Any], found: Sequence[MeetingView]) -> dict[str, MeetingRecording]:
    """The recordings, by meeting, that the person may watch or might have watched."""
    wanted = [one.id for one in found if one.started_at is not None]
    return await asked.services.library.of_meetings(asked.caller.person, wanted) if wanted else {}


def _out(view: MeetingView, recording: MeetingRecording | None = None) -> MeetingOut:
    shown = {name: getattr(view, name) for name in MeetingOut.model_fields if name not in OF_RECORDING}
    if recording is not None:
        shown["deleted_recording_id" if recording.deleted else "recording_id"] = recording.id
    return MeetingOut(**shown)
