"""The program as an operator meets it: starting, stopping, keeping, refusing with a sentence."""

import asyncio
import json
import re
import shutil
import signal
import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from prometheus_client.parser import text_string_to_metric_families

from tests.patience import PATIENCE_SECONDS
from tests.server.conftest import Program
from tests.server.loaded import ROOT

LOGIN_KEYS = {
    "level", "roles", "username", "password", "name", "memberId", "organizationId", "organizationName",
}  # fmt: skip
MONITORING = ROOT / "docs" / "monitoring.md"
LABELS = {
    "call", "code", "direction", "event", "kind", "le", "namespace", "outcome", "reason", "state", "status",
    "step",
}  # fmt: skip
HALF_A_REQUEST = (
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
)


def check_figures(text: str) -> None:
    """Prometheus reads them, each says what it is, and none is about a person or a meeting."""
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["huitang_media_routers"].samples[0].value == 0
    assert families["huitang_media_quality_grade"].type == "histogram"
    assert families["huitang_event_loop_lag_seconds"].type == "histogram"
    # prometheus_client says beside some since when they count: ..._created.
    ours = [family for name, family in families.items() if re.match(r"huitang_.*(?<!_created)$", name)]
    assert [family.name for family in ours if not family.documentation or family.type == "unknown"] == []
    assert {label for family in ours for sample in family.samples for label in sample.labels} <= LABELS
    documented = set(re.findall(r"`(huitang_\w+?)(?:_total)?`", MONITORING.read_text()))
    assert {family.name for family in ours} <= documented


async def test_it_starts_on_an_empty_database_is_ready_and_stops_in_order(
    program: Program, empty_database_url: str
) -> None:
    async with program.serve(HUITANG_DATABASE__URL=empty_database_url) as server, ClientSession() as browser:
        url = await server.url()
        async with browser.get(f"{url}/readyz") as answer:
            assert answer.status == 200
            assert (await answer.json())["checks"] == {"database": True, "media": True, "disk": True}
        async with browser.get(f"{url}/metrics") as answer:
            check_figures(await answer.text())
        assert await server.stop() == 0
        names = [event["event"] for event in server.events]
        assert names.index("stopping") < names.index("stopped")
        assert "stop_failed" not in names
        assert not [event for event in server.events if event["level"] in {"error", "critical", "warning"}]


async def test_the_demo_is_served_and_kept(program: Program) -> None:
    async with program.serve("--demo") as server:
        url = await server.url()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any("Ctrl-C" in line for line in server.lines):
                server.news.clear()
                await server.news.wait()
        printed = "\n".join(server.lines)
        assert url in printed
        assert await server.stop(signal.SIGINT) == 0
    listed = await program.run("demo", "--json")
    assert listed.code == 0, listed.err
    logins = json.loads(listed.out)
    assert {login["level"] for login in logins} == {1, 2, 3, 4, 5}
    assert all(set(login) == LOGIN_KEYS for login in logins)
    assert all(login["username"] in printed and login["password"] in printed for login in logins)

    async with program.serve("--demo") as server, ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        url = await server.url()
        for login in logins[:3]:
            credentials = {"username": login["username"], "password": login["password"]}
            async with browser.post(f"{url}/api/session", json=credentials) as answer:
                assert answer.status == 200
                body = await answer.json()
                assert body["level"] == login["level"]
                assert (body["member"] or {}).get("id") == login["memberId"]
        async with browser.get(f"{url}/api/organizations") as answer:
            assert len((await answer.json())["items"]) >= 1
    assert json.loads((await program.run("demo", "--json")).out) == logins


async def test_after_a_kill_it_starts_again(program: Program) -> None:
    for _ in range(2):
        async with program.serve() as server:
            await server.url()
            assert await server.stop(signal.SIGKILL) == -signal.SIGKILL


async def test_it_makes_a_certificate_once(program: Program) -> None:
    certificate = program.data / "tls" / "certificate.pem"
    found = []
    for _ in range(2):
        async with program.serve(HUITANG_TLS__SELF_SIGNED="true") as server, ClientSession() as browser:
            url = (await server.url()).replace("http:", "https:")
            found.append(certificate.read_bytes())
            trusting = ssl.create_default_context(cafile=str(certificate))
            async with browser.get(f"{url}/healthz", ssl=trusting) as answer:
                assert answer.status == 200
            credentials = {"username": "nobody", "password": "not it at all"}
            async with browser.post(f"{url}/api/session", json=credentials, ssl=trusting) as answer:
                assert answer.status == 401
    assert found[0] == found[1]
    assert (program.data / "tls" / "key.pem").stat().st_mode & 0o077 == 0


async def test_a_taken_tcp_port_is_a_sentence(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = await program.run("serve", HUITANG_HTTP__PORT=port)
    assert finished.code == 1
    assert f"TCP port {port}" in finished.sentence
    assert "HUITANG_HTTP__PORT" in finished.sentence
    assert len(finished.sentence.splitlines()) == 1


async def test_a_taken_udp_port_is_a_sentence(program: Program) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        finished = await program.run("serve", HUITANG_MEDIA__PORT=port)
    assert finished.code == 1
    assert port in finished.sentence
    assert "UDP" in finished.sentence
    assert "HUITANG_MEDIA__PORT" in finished.sentence


async def test_a_data_folder_that_cannot_be_written_is_a_sentence(program: Program) -> None:
    program.data.write_text("a file in the folder's place")
    finished = await program.run("serve")
    assert finished.code == 1
    assert "cannot be written" in finished.sentence
    assert "HUITANG_DATA_DIR" in finished.sentence


async def test_a_secret_that_others_can_read_is_a_sentence(program: Program) -> None:
    await program.run("migrate")
    secret = program.data / "secret.key"
    secret.write_text("x" * 40)
    secret.chmod(0o644)
    finished = await program.run("serve")
    assert finished.code == 1
    assert "chmod 600" in finished.sentence


async def test_a_recordings_folder_that_cannot_be_used_is_a_sentence(
    program: Program, tmp_path: Path
) -> None:
    blocked = tmp_path / "recordings"
    blocked.write_text("a file in the folder's place")
    finished = await program.run("serve", HUITANG_RECORDINGS__FOLDER=str(blocked))
    assert finished.code == 1
    assert "HUITANG_RECORDINGS__FOLDER" in finished.sentence


async def test_a_request_that_hangs_does_not_keep_it_from_stopping(program: Program) -> None:
    async with program.serve() as server:
        port = (await server.event("started"))["http_port"]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HALF_A_REQUEST)
        await writer.drain()
        assert await server.stop() == 0
        writer.close()


async def test_a_second_signal_ends_it_at_once(program: Program) -> None:
    async with program.serve() as server:
        port = (await server.event("started"))["http_port"]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HALF_A_REQUEST)  # gives the first signal something to wait for
        await writer.drain()
        server.process.send_signal(signal.SIGTERM)
        await server.event("stopping")
        assert await server.stop() == 1
        writer.close()


async def test_a_second_server_keeps_off_the_data_folder(program: Program) -> None:
    async with program.serve() as first:
        await first.url()
        finished = await program.run("serve")
        assert finished.code == 1
        assert "Another server already runs" in finished.sentence
        assert first.process.returncode is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HUITANG_HTTP__PORT", "eighty", "HUITANG_HTTP__PORT is wrong"),
        ("HUITANG_HTTP__PROT", "80", "did you mean HUITANG_HTTP__PORT?"),
        ("HUITANG_DATABASE__URL", "mysql://localhost/x", "HUITANG_DATABASE__URL"),
        ("HUITANG_DATABASE__URL", "postgresql://nobody:secretword@127.0.0.1:1/x", "cannot be reached"),
        ("HUITANG_CONFIG", "/nowhere/huitang.toml", "does not exist"),
        ("HUITANG_HTTP__HOST", "203.0.113.1", "HUITANG_HTTP__HOST"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_a_sentence(
    program: Program, name: str, value: str, words: str
) -> None:
    finished = await program.run("serve", **{name: value})
    assert finished.code == 1
    assert words in finished.sentence
    assert "secretword" not in finished.err


async def test_a_plane_that_was_not_compiled_is_a_sentence(program: Program, tmp_path: Path) -> None:
    copy = tmp_path / "copy"

    def make_copy() -> None:
        hidden = shutil.ignore_patterns("*.so", "*.c", "__pycache__", "node_modules", "dist", "versions_")
        for name in ("database", "locales", "media", "members", "recordings", "rooms", "signaling", "web"):
            shutil.copytree(ROOT / name, copy / name, ignore=hidden)
        for file in ROOT.glob("*.py"):
            shutil.copy(file, copy)

    await asyncio.to_thread(make_copy)
    finished = await Program(program.data, root=copy).run("serve")
    assert finished.code == 1
    assert "make setup" in finished.sentence


async def test_an_administrator_can_begin_without_the_demo(program: Program) -> None:
    made = await program.run(
        "create-account", "admin", "--name", "王秀英", "--role", "district_officer",
        "--organization", "区委组织部", "--new-department", stdin="a good long password\n",
    )  # fmt: skip
    assert made.code == 0, made.err
    again = await program.run(
        "create-account", "admin", "--name", "王秀英", "--role", "secretary", "--organization", "区委组织部",
        stdin="a good long password\n",
    )  # fmt: skip
    assert again.code == 1
    assert "taken" in again.sentence
    weak = await program.run("reset-password", "admin", stdin="12345678\n")
    assert (weak.code, "too common" in weak.sentence) == (1, True)
    reset = await program.run("reset-password", "admin", stdin="another good password\n")
    assert reset.code == 0, reset.err
    unknown = await program.run("reset-password", "nobody", stdin="another good password\n")
    assert (unknown.code, unknown.sentence) == (1, "There is no such account.")
    refused = await program.run("demo")
    assert refused.code == 1
    async with program.serve() as server, ClientSession() as browser:
        credentials = {"username": "admin", "password": "another good password"}
        async with browser.post(f"{await server.url()}/api/session", json=credentials) as answer:
            assert answer.status == 200
            assert (await answer.json())["level"] == 1


async def test_the_other_commands_answer(program: Program) -> None:
    assert "up to date" in (await program.run("migrate")).out
    verified = await program.run("verify-cards")
    assert (verified.code, verified.out) == (0, "0 cards, 0 entries, 0 broken\n")
    helped = await program.run("--help")
    assert helped.code == 0
    for command in ("serve", "demo", "import", "verify-cards", "create-account", "reset-password", "migrate"):
        assert command in helped.out


async def test_sheets_are_imported_or_refused_with_their_places(program: Program, tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    (sheets / "organizations.csv").write_text(
        "code,parent_code,kind,name\nQ,,department,区委组织部\nQ1,Q,committee,城关镇党委\nQ11,Q1,branch,东湖村党支部\n"
    )
    (sheets / "members.csv").write_text("code,organization_code,name,standing\nM1,Q11,王秀英,full\n")
    tried = await program.run("import", "--dry-run", str(sheets))
    assert tried.code == 0, tried.err
    assert "Would import organizations: 3 added" in tried.out
    done = await program.run("import", str(sheets))
    assert "Imported organizations: 3 added" in done.out
    (sheets / "members.csv").write_text("code,organization_code,name,standing\nM2,Q99,李国庆,full\n")
    refused = await program.run("import", str(sheets))
    assert refused.code == 1
    assert "members.csv, line 2" in refused.sentence
    assert "Nothing was imported." in refused.sentence
