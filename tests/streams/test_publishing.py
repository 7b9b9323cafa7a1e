"""WHIP: an encoder in a meeting, over real HTTP and real media."""

import asyncio
import re

import pytest

from rooms.attendance.records import intervals
from rooms.stream_keys import StreamUse
from tests.signaling.participant import frames
from tests.signaling.raw import until
from tests.signaling.stack import Branch
from tests.streams.conftest import Enter, MakeDevice
from tests.streams.house import House

FRAGMENT = "application/trickle-ice-sdpfrag"


async def test_an_encoder_is_seen_and_heard_under_the_name_of_its_key(
    branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting(lobby=True)
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        encoder = await device(meeting)
        answered = await encoder.publish()
        assert (answered.status, answered.headers["Content-Type"]) == (201, "application/sdp")
        assert answered.headers["Access-Control-Allow-Origin"] == "*"
        joined = await host.heard("peerJoined")
        assert (joined["displayName"], joined["role"]) == ("会场摄像机", "participant")
        added = [await host.heard("producerAdded") for _ in range(2)]
        assert {one["source"] for one in added} == {"microphone", "camera"}
        for one in added:
            consumer = await host.consume(one["producerId"])
            assert await frames(consumer, 3)
        assert (await encoder.end()).status == 200
        assert (await host.heard("peerLeft"))["peerId"] == joined["peerId"]
        assert (await encoder.end()).code == "stream_not_found"


async def test_revoking_the_key_and_removing_the_device_end_its_media_at_once(
    house: House, branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting()
    actor = await house.actor(branch.secretary)
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        revoked, removed = await device(meeting), await device(meeting, name="第二机位")
        await revoked.publish()
        first = await host.heard("peerJoined")
        keys = await house.stream_keys.list(actor, meeting)
        assert {one.name: one.online for one in keys} == {"会场摄像机": True, "第二机位": False}
        key = next(one for one in keys if one.online)

        await house.stream_keys.revoke(actor, meeting, key.id)
        assert (await host.heard("peerLeft")) == {"peerId": first["peerId"], "reason": "removed"}
        assert house.engine.statistics()["producers"] == 0
        assert (await revoked.end()).code == "stream_key_invalid"

        await removed.publish()
        second = await host.heard("peerJoined")
        make_host = {"action": "makeHost", "peerId": second["peerId"]}
        assert await host.refused("moderate", make_host) == "device_cannot_host"
        await host.call("moderate", {"action": "remove", "peerId": second["peerId"]})
        assert house.engine.statistics()["producers"] == 0
        again = await removed.call("POST", f"{removed.base}/whip", removed.peer.localDescription.sdp)
        assert (again.status, again.code) == (403, "removed")


async def test_a_device_is_nobody_in_attendance_and_keeps_no_meeting_open(
    house: House, branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        await host.heard("recordingState")
        encoder = await device(meeting)
        await encoder.publish()
        await until(lambda: house.recordings.statistics().capturing_tracks == 2)
        await host.call("leave")
    await house.pass_time(15)
    await house.pass_time(3600)
    await house.pass_time(700)  # the planned end and ten minutes of emptiness have passed
    assert house.rooms.statistics().rooms == 0
    assert (await encoder.end()).code == "meeting_ended"
    async with house.database.reading() as session:
        names = {one.name for one in await intervals(session, meeting)}
    assert names == {"陈书记"}


async def test_the_second_device_of_a_key_takes_the_place_of_the_first(
    branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        first = await device(meeting)
        await first.publish()
        joined = await host.heard("peerJoined")
        second = await device(meeting, key=first.key)
        assert (await second.publish()).status == 201
        assert (await host.heard("peerLeft"))["peerId"] == joined["peerId"]
        assert (await host.heard("peerJoined"))["displayName"] == "会场摄像机"


async def test_of_two_devices_that_come_with_one_key_at_one_moment_one_is_in(
    house: House, branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        first = await device(meeting)
        second = await device(meeting, key=first.key)
        answered = await asyncio.gather(first.publish(), second.publish())
        assert 201 in {one.status for one in answered}
        assert house.engine.statistics()["producers"] == 2


async def test_trickle_and_ice_restart_by_the_book(branch: Branch, enter: Enter, device: MakeDevice) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        encoder = await device(meeting)
        answered = await encoder.publish()
        assert answered.headers["Accept-Patch"] == FRAGMENT
        lines = encoder.peer.localDescription.sdp.splitlines()
        own = [line for line in lines if line.startswith(("a=ice-ufrag:", "a=ice-pwd:"))][:2]
        trickle = "\r\n".join([*own, "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", "a=end-of-candidates", ""])
        restart = "a=ice-ufrag:new1\r\na=ice-pwd:0123456789012345678901\r\n"

        async def patch(body: str, content_type: str = FRAGMENT, **headers: str) -> tuple[int, str]:
            done = await encoder.call("PATCH", encoder.session, body, content_type, **headers)
            return done.status, done.code

        match = {"If-Match": encoder.etag}
        assert await patch(trickle, **match) == (204, "")
        assert await patch(trickle) == (428, "stream_precondition_missing")
        assert await patch(trickle, **{"If-Match": f'"old", {encoder.etag}'}) == (204, "")
        assert await patch(trickle, **{"If-Match": '"old"'}) == (412, "stream_precondition_failed")
        assert await patch(trickle, **{"If-Match": f"W/{encoder.etag}"}) == (
            412,
            "stream_precondition_failed",
        )
        assert await patch(trickle, "application/sdp", **match) == (415, "media_type_refused")
        assert await patch("a=end-of-candidates\r\n", **match) == (400, "malformed_sdp")
        done = await encoder.call("PATCH", encoder.session, restart, FRAGMENT, **{"If-Match": "*"})
        assert done.status == 200
        assert done.headers["ETag"] != encoder.etag
        assert "a=ice-ufrag:" + done.headers["ETag"].strip('"') in done.text.splitlines()
        lines = done.text.splitlines()
        assert lines[:3] == ["a=ice-lite", "a=ice-options:trickle ice2", "a=group:BUNDLE 0"]
        assert set(lines[:2]) <= set(answered.text.splitlines())  # the same as in the answer
        assert (await encoder.call("PUT", encoder.session, restart)).status == 405
        for address in (f"{encoder.base}/whip", encoder.session):
            looked = await encoder.call("GET", address)
            assert (looked.status, looked.text) == (204, "")


@pytest.mark.parametrize(("path", "direction"), [("whip", "sendonly"), ("whep", "recvonly")])
async def test_after_an_ice_restart_the_candidates_are_those_of_a_section_that_was_taken(
    branch: Branch, enter: Enter, device: MakeDevice, path: str, direction: str
) -> None:
    """Sound is AAC and refused; in the answer's bundle there is the picture alone (RFC 9725 section 4.3.3)."""
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        encoder = await device(meeting, use=StreamUse.PUBLISH if path == "whip" else StreamUse.WATCH)
        encoder.peer.addTransceiver("audio", direction=direction)
        encoder.peer.addTransceiver("video", direction=direction)
        await encoder.peer.setLocalDescription(await encoder.peer.createOffer())
        offer = re.sub("(opus|PCMU|PCMA|G722)/", "MP4A-LATM/", encoder.peer.localDescription.sdp)
        asked = await encoder.call("POST", f"{encoder.base}/{path}", offer)
        assert asked.status == 201
        assert "m=audio 0 " in asked.text
        restart = "a=ice-ufrag:new1\r\na=ice-pwd:0123456789012345678901\r\n"
        session = encoder.url + asked.headers["Location"]
        done = await encoder.call("PATCH", session, restart, FRAGMENT, **{"If-Match": "*"})
        lines = done.text.splitlines()
        bundle = next(line for line in asked.text.splitlines() if line.startswith("a=group:BUNDLE"))
        assert bundle == "a=group:BUNDLE 1"
        assert lines[2:5:2] == [bundle, "a=mid:1"]
        assert lines[3].startswith("m=video 9 ")


async def test_an_encoder_that_knows_only_post_and_delete_is_served(
    branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    """OBS and its like: one offer with all there is, no PATCH ever, headers and line ends as libraries write them."""
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        encoder = await device(meeting)
        encoder.peer.addTransceiver("audio", direction="sendonly")
        encoder.peer.addTransceiver("video", direction="sendonly")
        await encoder.peer.setLocalDescription(await encoder.peer.createOffer())
        offer = encoder.peer.localDescription.sdp.replace("\r\n", "\n")
        asked = await encoder.call(
            "POST",
            f"{encoder.base}/whip",
            offer,
            "application/sdp; charset=utf-8",
            Authorization=f"bearer  {encoder.key} ",
            **{"User-Agent": "Mozilla/5.0 (OBS-Studio/30.2; Linux x86_64)", "Accept": "application/sdp, */*"},
        )
        assert (asked.status, asked.headers["Content-Type"]) == (201, "application/sdp")
        assert asked.headers["Location"].startswith(f"/api/meetings/{meeting}/whip/")
        assert asked.headers["ETag"].startswith('"')
        joined = await host.heard("peerJoined")
        encoder.session = encoder.url + asked.headers["Location"]
        lost = await encoder.call("DELETE", encoder.session, Authorization="Bearer ")
        assert (lost.status, lost.code) == (401, "stream_key_invalid")
        assert (await encoder.end()).status == 200
        assert (await host.heard("peerLeft"))["peerId"] == joined["peerId"]


async def test_what_is_refused_at_the_door(
    house: House, branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting()
    encoder = await device(meeting)
    url = f"{encoder.base}/whip"

    async def refusal(body: str, content_type: str = "application/sdp") -> tuple[int, str]:
        done = await encoder.call("POST", url, body, content_type)
        return done.status, done.code

    encoder.peer.addTransceiver("audio", direction="sendonly")
    await encoder.peer.setLocalDescription(await encoder.peer.createOffer())
    offer = encoder.peer.localDescription.sdp
    assert await refusal(offer) == (409, "meeting_not_started")
    early = await encoder.call("POST", url, offer)
    assert int(early.headers["Retry-After"]) > 0
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        assert await refusal(offer, "application/json") == (415, "media_type_refused")
        assert await refusal("hello") == (400, "malformed_sdp")
        assert await refusal(offer.replace("opus", "speex")) == (422, "unacceptable_sdp")
        assert await refusal(offer + "a=x\r\n" * 20_000) == (413, "body_too_large")
        encoder.key = "wrong"
        assert await refusal(offer) == (401, "stream_key_invalid")
        assert (await encoder.call("POST", url, offer)).headers["WWW-Authenticate"] == "Bearer"
        encoder.key = (await house.key(branch, meeting, "大屏", StreamUse.WATCH)).secret
        assert await refusal(offer) == (403, "stream_key_for_other_use")
        options = await encoder.call("OPTIONS", url)
        assert (options.status, options.headers["Accept-Post"]) == (204, "application/sdp")
        assert "POST" in options.headers["Access-Control-Allow-Methods"]
        assert house.engine.statistics()["transports"] == 0
        assert not host.has_heard("peerJoined")


async def test_a_locked_room_takes_back_only_the_device_that_was_in(
    branch: Branch, enter: Enter, device: MakeDevice
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        known, stranger = await device(meeting), await device(meeting, name="新机位")
        await known.publish()
        await known.end()
        await host.call("moderate", {"action": "lock"})
        assert (await stranger.publish()).code == "room_locked"
        again = await device(meeting, key=known.key)
        assert (await again.publish()).status == 201


async def test_keys_and_ice_credentials_are_in_no_log(
    branch: Branch, enter: Enter, device: MakeDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        encoder = await device(meeting)
        answered = await encoder.publish()
        key, wrong = encoder.key, f"{encoder.key}-mistyped"
        restart = "a=ice-ufrag:new1\r\na=ice-pwd:0123456789012345678901\r\n"
        await encoder.call("PATCH", encoder.session, restart, FRAGMENT, **{"If-Match": "*"})
        encoder.key = wrong
        assert (await encoder.end()).status == 401
        assert (await encoder.call("POST", f"{encoder.base}/whip?key={wrong}", "hello")).status in {401, 422}
        encoder.key = key
        await encoder.end()
    printed = capfd.readouterr()
    told = printed.out + printed.err
    assert "stream_opened" in told
    assert "streams.end_publisher" in told
    passwords = {line for line in answered.text.splitlines() if line.startswith("a=ice-pwd:")}
    for secret in (key, wrong, "0123456789012345678901", *(line.partition(":")[2] for line in passwords)):
        assert secret not in told
