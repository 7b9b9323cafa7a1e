"""One server and one Chromium for all browser tests of a run, one window a person."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, expect

from tests import firefox
from tests.browser.person import DESKTOP, Person, open_window
from tests.browser.server import RunningServer, running_server
from tests.chromium import launched
from tests.demo import Demo
from tests.patience import PATIENCE_SECONDS

HERE = Path(__file__).parent
IN_FIREFOX = os.environ.get("HUITANG_TEST_BROWSER") == "firefox"

# The fake camera shows a moving disc and the fake microphone beeps once a second. Fewer pictures than a real camera's
# are enough to see that they move, and encoding them takes much of the processor.
FLAGS = [
    "--use-fake-device-for-media-stream=fps=5",
    "--allow-loopback-in-peer-connection",  # for machines without any network
    "--disable-gpu",
]

expect.set_options(timeout=PATIENCE_SECONDS * 1000)  # what a page shows, it may show late on a busy machine

Arrive = Callable[..., Awaitable[Person]]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What is true of every test here; one event loop for all of them, because Chromium outlives each."""
    for item in items:
        if HERE in item.path.parents:
            for mark in (pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")):
                item.add_marker(mark, append=False)  # before the mark that every asynchronous test has


@pytest.fixture(scope="session")
def server(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("huitang"), demo) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Or Firefox, where that is asked for."""
    async with firefox.launched() if IN_FIREFOX else launched(*FLAGS) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """Without a window; what a test leaves open is closed after it."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(browser: Browser, server: RunningServer) -> AsyncIterator[Arrive]:
    """`await arrive("xiulan")`: that person, signed in, at a window; no page may have met an error by itself."""
    people: list[Person] = []

    async def arrived(username: str, size: ViewportSize = DESKTOP) -> Person:
        person = await open_window(browser, server, username, size)
        people.append(person)
        return person

    yield arrived
    problems = [f"{person.login.name}: {problem}" for person in people for problem in person.problems]
    for person in people:
        await person.context.close()
    assert not problems
