"""Health, readiness and figures."""

import asyncio
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.web.conftest import House, MakeHouse
from web.figures import Figures
from web.health import Health, disk_check
from web.metrics import Source, counter, gauge, histogram
from web.services import WebSettings


async def ask(health: Health, path: str) -> tuple[int, dict[str, object]]:
    app = web.Application()
    health.add_routes(app)
    async with TestClient(TestServer(app)) as client, client.get(path) as answer:
        return answer.status, await answer.json()


async def works() -> bool:
    return True


async def fails() -> bool:
    return False


async def breaks() -> bool:
    raise OSError("gone")


async def test_ready_when_everything_is_there() -> None:
    assert await ask(Health({"database": works}), "/readyz") == (
        200,
        {"status": "ready", "checks": {"database": True}},
    )


@pytest.mark.parametrize("check", [fails, breaks])
async def test_not_ready_names_what_is_missing(check: object) -> None:
    health = Health({"database": works, "disk": check})  # type: ignore[dict-item]
    status, body = await ask(health, "/readyz")
    assert (status, body["status"]) == (503, "not_ready")
    assert body["checks"] == {"database": True, "disk": False}
    assert (await ask(health, "/healthz"))[0] == 200


async def test_a_check_that_hangs_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.health.CHECK_SECONDS", 0.01)

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    assert (await ask(Health({"database": hangs}), "/readyz"))[0] == 503


async def test_not_ready_while_it_stops() -> None:
    health = Health({"database": works})
    health.drain()
    assert await ask(health, "/readyz") == (503, {"status": "draining", "checks": {"database": True}})


async def test_the_disk_needs_room(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert await disk_check(tmp_path, free // 2)() is True
    assert await disk_check(tmp_path, free * 2)() is False


async def test_the_house_is_ready_and_not_without_its_database(both: House) -> None:
    assert (await both.caller().get("/readyz")).status == 200


async def test_figures_are_for_this_machine(house: House) -> None:
    caller = house.caller()
    await caller.get("/api/session")
    async with caller.client.get("/metrics") as answer:
        text = await answer.text()
    assert answer.status == 200
    assert 'huitang_http_request_seconds_count{call="sessions.session",status="401"} 1.0' in text


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        (WebSettings(), {}, 200),
        (WebSettings(), {"X-Forwarded-For": "203.0.113.9"}, 403),  # a proxy nobody named
        (WebSettings(trusted_proxies=("127.0.0.1",)), {"X-Forwarded-For": "203.0.113.9"}, 403),
        (WebSettings(trusted_proxies=("127.0.0.1",)), {"X-Forwarded-For": "127.0.0.1"}, 200),
        (WebSettings(metrics_networks=()), {}, 403),
        (WebSettings(metrics_networks=(), metrics_token="letmein"), {}, 403),
        (WebSettings(metrics_networks=(), metrics_token="letmein"), {"Authorization": "Bearer letmein"}, 200),
        (
            WebSettings(metrics_networks=(), metrics_token="letmein"),
            {"Authorization": "Bearer letmeinn"},
            403,
        ),
        (WebSettings(metrics_networks=()), {"Authorization": "Bearer "}, 403),
    ],
)
async def test_who_may_read_figures(
    make_house: MakeHouse, house: House, settings: WebSettings, headers: dict[str, str], status: int
) -> None:
    other = await make_house(house.database, settings)
    answered = await other.caller().get("/metrics", headers=headers)
    assert answered.status == status
    if status == 403:
        assert answered.code == "metrics_refused"


async def test_an_address_that_anybody_makes_up_does_not_become_a_figure(house: House) -> None:
    caller = house.caller()
    for number in range(20):
        await caller.get(f"/api/made-up-{number}")
    async with caller.client.get("/metrics") as answer:
        assert "made-up" not in await answer.text()


class Two(NamedTuple):
    """Two small ones."""

    buckets: tuple[tuple[float, int], ...] = ((1.0, 2), (float("inf"), 2))
    total: float = 0.5


def test_numbers_become_gauges_counters_and_histograms() -> None:
    figures = Figures()
    families = [
        gauge("peers", "Who is there", 3),
        counter("events", "What they sent", {("/rooms", "join"): 2}, "namespace", "event"),
        histogram("grades", "How it was", {"up": Two()}, "direction"),
    ]
    figures.add(Source(lambda: families))
    ask = figures.registry.get_sample_value
    assert ask("huitang_peers") == 3
    assert ask("huitang_events_total", {"namespace": "/rooms", "event": "join"}) == 2
    assert ask("huitang_grades_bucket", {"direction": "up", "le": "1.0"}) == 2
    assert ask("huitang_grades_count", {"direction": "up"}) == 2
    assert ask("huitang_grades_sum", {"direction": "up"}) == 0.5
