"""WHEP: a player that follows the meeting, over real HTTP and real media."""

import pytest
from sqlalchemy import update

from errors import Problem
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind
from rooms.stream_keys import StreamUse
from tests.signaling.stack import Branch
from tests.streams.conftest import Enter, MakeDevice
from tests.streams.house import House


async def test_a_player_sees_and_hears_and_follows_from_one_device_to_another(
    branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        camera = await device(meeting)
        await camera.publish()
        player = await device(meeting, StreamUse.WATCH, "大屏幕")
        assert (await player.watch()).status == 201
        joined = await host.heard("peerJoined", lambda one: one["displayName"] == "大屏幕")
        assert joined["role"] == "observer"
        await player.sinks["video"].reach(3)
        await player.sinks["audio"].hear(0.01)

        screen = await device(meeting, name="电脑画面")
        await screen.publish(query="?source=screen", amplitude=0.05)
        await camera.end()
        await player.sinks["video"].reach(10)
        await player.sinks["audio"].reach(10)
        assert (await player.end()).status == 200
        assert (await host.heard("peerLeft", lambda one: one["peerId"] == joined["peerId"]))[
            "reason"
        ] == "left"


async def test_a_player_that_comes_first_sees_what_comes_later(
    branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        player = await device(meeting, StreamUse.WATCH, "大屏幕")
        await player.watch()
        await host.publish("camera")
        await player.sinks["video"].reach(3)


async def test_a_family_visit_is_shown_to_no_player(house: House, branch: Branch) -> None:
    """Which could keep it. A key from before, of a meeting that became one, is worth nothing either."""
    meeting = await branch.meeting()
    key = await house.key(branch, meeting, "大屏幕", StreamUse.WATCH)
    async with house.database.transaction() as session:
        await session.execute(
            update(Meeting).where(Meeting.id == meeting).values(kind=MeetingKind.FAMILY_VISIT)
        )
    for attempt in (
        house.key(branch, meeting, "大屏幕", StreamUse.WATCH),
        house.stream_keys.authenticate(meeting, key.secret, StreamUse.WATCH),
    ):
        with pytest.raises(Problem) as refused:
            await attempt
        assert refused.value.code == "meeting_is_private"
    await house.key(branch, meeting, "会场摄像机", StreamUse.PUBLISH)
