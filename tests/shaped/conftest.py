"""A line, a server at one end of it, and pages of Chromium at either."""

import os
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiortc.rtcdtlstransport import RTCCertificate
from playwright.async_api import Page

from bench.namespaces import entered, inside
from media import MediaEngine, MediaSettings, Router
from tests.chromium import CHROMIUM
from tests.media.conftest import listener, router
from tests.media.pages import chromium
from tests.media.plane.probes import build_probes
from tests.shaped.line import SERVER_ADDRESS, CannotShape, Line, make_line
from tests.shaped.people import Layer, Person

__all__ = ["listener", "router"]  # the fixtures that are also these tests'

build_probes()  # the members report with the plane's own writer

LONG = "HUITANG_TEST_LONG"  # in the environment: also what takes long, and a machine that does nothing else

long = pytest.mark.skipif(LONG not in os.environ, reason="wants time and a machine at peace: make shaped")

OpenPage = Callable[[str], Awaitable[Page]]
Arrive = Callable[[str, tuple[Layer, ...]], Awaitable[Person]]

NICENESS = (
    -10
)  # between the plane's thread and everybody else: members do not share a processor with a test run


@pytest.fixture(autouse=True)
def _undisturbed(line: Line) -> Iterator[None]:  # noqa: ARG001 - who may make lines may do this
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    yield
    os.setpriority(os.PRIO_PROCESS, 0, before)


@pytest.fixture
def line() -> Iterator[Line]:
    try:
        making = make_line()
        made = making.__enter__()
    except CannotShape as reason:
        pytest.skip(f"no lines can be made here: {reason}")
    try:
        yield made
    finally:
        making.__exit__(None, None, None)


@pytest.fixture
async def engine(line: Line) -> AsyncIterator[MediaEngine]:
    engine = MediaEngine(
        MediaSettings(port=0, bind_addresses=(SERVER_ADDRESS,), announced_addresses=(SERVER_ADDRESS,))
    )
    with entered(line.server):
        await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def open_page(tmp_path: Path) -> AsyncIterator[OpenPage]:
    """`await open_page(line.members)`: a page of a Chromium at that end."""
    async with AsyncExitStack() as opened:

        async def open_at(host: str) -> Page:
            script = tmp_path / host
            script.write_text(f'#!/bin/sh\nexec {shlex.join([*inside(host), CHROMIUM])} "$@"\n')
            script.chmod(0o755)
            return await opened.enter_async_context(chromium(str(script)))

        yield open_at


@pytest.fixture
async def arrive(router: Router) -> AsyncIterator[Arrive]:
    """`await arrive(line.server, SIMULCAST)`: somebody who sends, at that end."""
    certificate = RTCCertificate.generateCertificate()
    people: list[Person] = []

    async def one(host: str, layers: tuple[Layer, ...]) -> Person:
        people.append(await Person.arrive(router, host, len(people) + 1, layers, certificate))
        return people[-1]

    yield one
    for person in people:
        await person.leave()
