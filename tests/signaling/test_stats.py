"""`getStats`: the standard's names and units, and nobody's figures but one's own for those who are no host."""

import asyncio
from collections.abc import Callable

from pymediasoup.consumer import Consumer

from tests.patience import PATIENCE_SECONDS
from tests.signaling.conftest import Enter
from tests.signaling.participant import Participant, Payload, frames
from tests.signaling.stack import Branch

COUNTED = {"id", "type", "timestamp", "transportId", "kind", "mid", "mimeType"}
RTP = {"packetsReceived", "bytesReceived", "packetsLost", "jitter", "nackCount"}


async def stats(somebody: Participant, **payload: object) -> dict[str, Payload]:
    """The answer, by id."""
    answer = await somebody.call("getStats", payload)
    assert answer["omittedConsumers"] == 0
    return {entry["id"]: entry for entry in answer["stats"]}


async def stats_when(
    somebody: Participant, seen: Consumer, test: Callable[[dict[str, Payload]], bool]
) -> dict[str, Payload]:
    """The first answer that passes the test, asked for anew whenever more pictures have come."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not test(found := await stats(somebody)):
            await frames(seen, 5)
    return found


async def test_what_is_sent_and_received_is_counted_under_the_standards_names(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        microphone, camera = await host.publish("microphone"), await host.publish("camera")
        await member.join(meeting)
        heard, seen = await member.consume(microphone.id), await member.consume(camera.id)
        await frames(heard, 5)
        await frames(seen, 5)

        sent = await stats_when(host, seen, lambda found: found[camera.id]["framesPerSecond"] > 0)
        [transport] = [entry for entry in sent.values() if entry["type"] == "transport"]
        assert (transport["dtlsState"], transport["direction"]) == ("connected", "send")
        assert transport["packetsReceived"] >= sent[camera.id]["packetsReceived"] > 0
        for producer, kind in ((microphone, "audio"), (camera, "video")):
            entry = sent[producer.id]
            assert entry.keys() >= COUNTED | RTP
            assert (entry["type"], entry["kind"], entry["transportId"]) == (
                "inbound-rtp",
                kind,
                transport["id"],
            )
            assert 0 <= entry["jitter"] < 5, "in seconds"
        assert sent[camera.id]["framesReceived"] >= 5
        assert sent[camera.id].keys() >= {"pliCount", "firCount", "keyFramesReceived"}
        assert sent[camera.id]["source"] == "camera"

        got = await stats_when(member, seen, lambda found: f"{seen.id}:remote" in found)
        assert got[seen.id]["type"] == "outbound-rtp"
        assert got[seen.id]["packetsSent"] >= 5
        assert got[seen.id].keys() >= {"retransmittedPacketsSent", "qualityLimitationReason", "spatialLayer"}
        assert (got[seen.id]["producerId"], got[seen.id]["active"]) == (camera.id, True)
        remote = got[f"{seen.id}:remote"]
        assert (remote["type"], remote["localId"]) == ("remote-inbound-rtp", seen.id)
        assert (remote["packetsLost"], remote["fractionLost"]) == (0, 0.0)
        await member.call("pauseConsumer", {"consumerId": seen.id})
        chosen = await stats(member, consumerIds=[seen.id, seen.id])
        assert chosen[seen.id]["active"] is False
        assert heard.id not in chosen


async def test_a_host_sees_everybodys_figures_and_nobody_else_another_persons(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        assert await member.refused("getStats") == "not_joined"
        await host.join(meeting)
        await member.join(meeting)
        microphone = await member.publish("microphone")
        his, hers = host.answer["peerId"], member.answer["peerId"]
        assert microphone.id in await stats(host, peerId=hers)
        assert microphone.id in await stats(member, peerId=hers)
        assert await stats(host) == {}
        assert await member.refused("getStats", {"peerId": his}) == "forbidden"
        assert await member.refused("getStats", {"peerId": "nobody"}) == "forbidden"
        assert await host.refused("getStats", {"peerId": "nobody"}) == "peer_not_found"
        assert await host.refused("getStats", {"consumerIds": [microphone.id]}) == "consumer_not_found"

        await host.call("moderate", {"action": "makeHost", "peerId": hers})
        await member.heard("roleChanged")
        assert await stats(member, peerId=his) == {}
