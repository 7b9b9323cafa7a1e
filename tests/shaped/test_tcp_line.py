"""A member whose only way is TCP, and his line narrows: nothing is lost on it, so all that was sent comes, late."""

import asyncio
import logging
import time

import pytest
from aiortc.rtcdtlstransport import RTCCertificate

from media import MediaEngine, Router
from tests.shaped.conftest import Arrive, long
from tests.shaped.line import SERVER_ADDRESS, Line
from tests.shaped.members import Member
from tests.shaped.people import Layer
from tests.shaped.relay import relay

pytestmark = pytest.mark.shaped

log = logging.getLogger(__name__)

CAMERA = (Layer(160, 90, 110_000), Layer(320, 180, 350_000), Layer(640, 360, 1_100_000))
WIDE, NARROW = 2e6, 250e3  # bit/s
QUEUE_BYTES = 200_000  # six seconds of the narrow line
FOUND_SECONDS = 10  # until the largest picture is sent
MISSED = 0.1  # of the sound
LATE_SECONDS = 5  # what was on its way, and what followed it before this could be known


@long
async def test_sound_is_in_time_again_soon_after_it_narrows(
    line: Line, engine: MediaEngine, router: Router, arrive: Arrive
) -> None:
    line.shape(WIDE, QUEUE_BYTES)
    speaker = await arrive(line.server, CAMERA)
    certificate = RTCCertificate.generateCertificate()
    async with relay(line.members, (SERVER_ADDRESS, engine.port)) as by:
        member = await Member.sit_down(router, line.members, [speaker], certificate, by)
        await asyncio.sleep(FOUND_SECONDS)
        line.shape(NARROW, QUEUE_BYTES)
        narrowed = time.time_ns() // 1000
        await asyncio.sleep(2 * LATE_SECONDS)
        seconds = [narrowed + number * 1_000_000 for number in range(2 * LATE_SECONDS)]
        missed = [member.missed(second, second + 1_000_000) for second in seconds[:-1]]
        await member.leave()
    log.info("missed of each second: %s", [round(share, 2) for share in missed])
    assert max(missed[LATE_SECONDS:]) < MISSED
