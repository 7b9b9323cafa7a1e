"""Who comes first, and what publishers hear of who looks at them."""

import pytest

from rooms.live.events import Source
from signaling.rooms.priority import default_priority
from tests.media.samples import camera
from tests.signaling.conftest import Enter
from tests.signaling.participant import frames
from tests.signaling.stack import Branch


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((Source.SCREEN, False), (Source.CAMERA, True)),
        ((Source.CAMERA, True), (Source.CAMERA, False)),
        ((Source.SCREEN, True), (Source.CAMERA, False)),
    ],
)
def test_a_screen_comes_first_then_who_speaks(
    first: tuple[Source, bool], second: tuple[Source, bool]
) -> None:
    assert default_priority(first[0], speaking=first[1]) > default_priority(second[0], speaking=second[1])


async def test_who_is_no_longer_pinned_comes_first_again_when_he_speaks(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        sending = await host.call("createTransport", {"direction": "send"})
        picture = {"kind": "video", "source": "camera", "rtpParameters": camera()}
        producer = await host.call("produce", {"transportId": sending["id"], **picture})
        receiving = await member.call("createTransport", {"direction": "recv"})
        capabilities = {"rtpCapabilities": member.answer["routerRtpCapabilities"]}
        consumer = await member.call(
            "consume", {"transportId": receiving["id"], "producerId": producer["id"], **capabilities}
        )

        async def priority() -> int:
            answer = await member.call("getStats", {"consumerIds": [consumer["id"]]})
            found: int = answer["stats"][-1]["priority"]
            return found

        async def say(own: int | None) -> int:
            await member.call("setPriority", {"consumerId": consumer["id"], "priority": own})
            return await priority()

        assert [await priority(), await say(255), await say(None)] == [100, 255, 100]
        await host.publish("microphone")
        await member.heard("activeSpeaker")
        assert [await priority(), await say(100), await say(None)] == [150, 100, 150]


async def test_a_publisher_hears_when_nobody_looks_and_when_somebody_does(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        camera = await host.publish("camera")
        await frames(consumer := await member.consume(camera.id), 3)
        await member.call("pauseConsumer", {"consumerId": consumer.id})
        told = await host.heard("producerLayersWanted")
        assert told == {"producerId": camera.id, "spatialLayers": 0}
        await member.call("resumeConsumer", {"consumerId": consumer.id})
        assert (await host.heard("producerLayersWanted"))["spatialLayers"] == 1
        await frames(consumer, 3)
        assert not member.has_heard("producerLayersWanted"), "it is the publisher's alone"
