"""Whatever comes in, the answer is JSON and the fault is never ours: properties over the running application."""

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database import Database
from tests.factories import FakeClock, Records
from tests.patience import PATIENCE_SECONDS
from tests.web.conftest import Answered, Caller, House, Village, make_services, settle
from web.api.call import AnyCall
from web.api.routes import CALLS
from web.application import create_app
from web.figures import Figures
from web.health import Health
from web.pages import ClientPages
from web.services import WebSettings

T = TypeVar("T")

# Passwords are tried slowly on purpose, and three limited calls would only answer 429.
LIMITED = {"sessions.sign_in", "consultations.pair_station", "sessions.change_password", "sessions.sign_out"}
WITH_BODY = [call for call in CALLS if call.method != "GET" and call.name not in LIMITED]
WITH_QUERY = [call for call in CALLS if call.takes_query]


class Loop:
    """An event loop on a thread of its own, so that a synchronous property can ask an asynchronous house."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work` to be done there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        """Stop the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(frozen=True)
class Running:
    """A house that stands for all examples of a module, a meeting in it, and everybody's ids."""

    loop: Loop
    server: TestServer
    secretary: Caller
    ids: tuple[str, ...]

    def ask(self, method: str, path: str, **options: Any) -> Answered:
        """As the secretary of the branch."""
        return self.loop.run(self.secretary(method, path, **options))


async def build(path: Path) -> tuple[House, Village, str]:
    clock = FakeClock()
    database = Database(f"sqlite:///{path}")
    services = make_services(database, clock, path.parent)
    app = create_app(
        services, WebSettings(), health=Health({}), figures=Figures(), pages=ClientPages(path.parent / "dist")
    )
    server = TestServer(app)
    await server.start_server()
    house = House(server, services, database, clock, path.parent, Records(database, clock), [])
    village = await settle(house)
    meeting = await village.secretary.post(
        "/api/meetings",
        {
            "organizationId": village.tree.branch.id,
            "kind": "general_meeting",
            "title": "支部大会",
            "startsAt": "2026-12-01T11:00:00Z",
            "endsAt": "2026-12-01T12:00:00Z",
        },
    )
    return house, village, meeting.body["id"]


async def tear_down(house: House) -> None:
    for caller in house.callers:
        await caller.client.close()
    await house.server.close()
    await house.database.dispose()


@pytest.fixture(scope="module")
def running(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("any") / "huitang.sqlite3"
    shutil.copyfile(sqlite_template, path)
    loop = Loop()
    house, village, meeting = loop.run(build(path))
    yield Running(
        loop, house.server, village.secretary, (meeting, village.member.id, village.tree.branch.id, "0" * 32)
    )
    loop.run(tear_down(house))
    loop.close()


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["", "\x00", "2026-12-01T11:00:00Z", "0001-01-01T00:00:00+14:00", "lecture", "present", "zh-CN"]
    )
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def bodies(call: AnyCall, ids: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Objects with the model's own keys and plausible or impossible values, beside anything at all."""
    value = st.sampled_from(ids) | anything
    names = [field.alias or name for name, field in call.input.model_fields.items()]
    own = st.fixed_dictionaries({}, optional=dict.fromkeys(names, value)) if names else st.just({})
    return own | anything


def path_with(call: AnyCall, ids: tuple[str, ...]) -> st.SearchStrategy[str]:
    parts = call.path.split("/")
    return st.tuples(
        *(st.sampled_from(ids) if part.startswith("{") else st.just(part) for part in parts)
    ).map("/".join)


def fine(answered: Answered) -> None:
    assert answered.status < 500, answered
    if answered.status >= 400:
        assert answered.code


def property_of(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


@pytest.mark.parametrize("call", WITH_BODY, ids=lambda call: call.name)
@property_of(15)
@given(data=st.data())
def test_any_json_gets_an_answer_that_is_not_our_fault(
    running: Running, call: AnyCall, data: st.DataObject
) -> None:
    body = data.draw(bodies(call, running.ids))
    path = data.draw(path_with(call, running.ids))
    fine(running.ask(call.method, path, data=json.dumps(body), headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize("call", WITH_BODY, ids=lambda call: call.name)
@property_of(6)
@given(body=st.binary(max_size=300))
def test_any_bytes_get_an_answer_that_is_not_our_fault(running: Running, call: AnyCall, body: bytes) -> None:
    path = "/".join(running.ids[0] if part.startswith("{") else part for part in call.path.split("/"))
    answered = running.ask(call.method, path, data=body, headers={"Content-Type": "application/json"})
    fine(answered)
    assert not call.takes_body or answered.status == 422 or body.strip()[:1] == b"{"


@pytest.mark.parametrize("call", WITH_QUERY, ids=lambda call: call.name)
@property_of(15)
@given(data=st.data())
def test_any_query_gets_an_answer_that_is_not_our_fault(
    running: Running, call: AnyCall, data: st.DataObject
) -> None:
    names = [field.alias or name for name, field in call.input.model_fields.items()]
    value = st.sampled_from(
        [*running.ids, "2026-12-01T11:00:00Z", "50", "true", "eyJhIjoxfQ", "WzFd"]
    ) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    query = data.draw(
        st.dictionaries(st.sampled_from(names) | st.text(max_size=5, alphabet="abc"), value, max_size=4)
    )
    fine(running.ask("GET", data.draw(path_with(call, running.ids)), params=query))


@property_of(30)
@given(cookie=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_any_cookie_and_token_are_at_worst_nobody(running: Running, cookie: str) -> None:
    async def ask() -> Answered:
        caller = Caller(running.server)
        try:
            headers = {"Cookie": f"huitang_session={cookie}; huitang_station={cookie}"}
            return await caller.get("/api/services", token=cookie, headers=headers)
        finally:
            await caller.client.session.close()

    fine(running.loop.run(ask()))
