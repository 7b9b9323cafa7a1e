"""The server stops, and comes back."""

from pathlib import Path

import pytest
from socketio.exceptions import ConnectionError as ConnectionRefused

from database import Database
from tests.signaling.participant import Participant, frames, participant
from tests.signaling.stack import Branch, Stack, running


async def test_clients_are_told_and_nobody_new_comes_in(branch: Branch, stack: Stack) -> None:
    meeting = await branch.meeting()
    async with (
        participant(stack.url, cookie=branch.secretary) as host,
        participant(stack.url, cookie=branch.members[0]) as member,
        participant(stack.url, namespace="/stations", cookie=branch.secretary) as page,
    ):
        await host.join(meeting)
        await stack.signaling.drain(3000)
        for somebody in (host, member, page):
            assert await somebody.heard("serverDraining") == {"reconnectAfterMs": 3000}
        assert await member.refused("join", {"meetingId": meeting}) == "server_draining"
        newcomer = Participant(stack.url)
        with pytest.raises(ConnectionRefused):
            await newcomer.connect(cookie=branch.members[1])
        await newcomer.close()
        await host.call("chat", {"text": "we go on until the stop"})


async def test_a_stop_cuts_connections_and_media_and_the_meeting_goes_on_after_the_restart(
    sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(sqlite_database, tmp_path / "recordings") as stack:
        branch = await Branch.found(stack)
        meeting = await branch.meeting(record=True)
        host = Participant(stack.url)
        await host.connect(cookie=branch.secretary)
        await host.join(meeting)
        await host.heard("recordingState")
        await host.publish("microphone")
        await stack.signaling.stop()
        await host.disconnected()
        assert stack.engine.statistics()["transports"] == 0
        assert set(stack.signaling.statistics().connections.values()) == {0}
        assert stack.rooms.snapshot(meeting) is not None
    await host.close()

    async with (
        running(sqlite_database, tmp_path / "recordings") as stack,
        participant(stack.url, cookie=branch.secretary) as again,
        participant(stack.url, cookie=branch.members[0]) as member,
    ):
        await member.join(meeting)  # before the host, because it is live already
        assert (await member.heard("recordingState"))["state"] == "capturing"
        answer = await again.join(meeting, resumeToken=host.answer["resumeToken"])
        assert (answer["resumed"], answer["producers"], answer["role"]) == (False, [], "host")
        assert answer["recording"]["state"] == "capturing"
        microphone = await again.publish("microphone")
        assert len(await frames(await member.consume(microphone.id), 3)) == 3
