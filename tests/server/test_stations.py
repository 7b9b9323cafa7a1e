"""Consultations set up on the command line, as an administrator does it, until a screen is a station."""

from pathlib import Path

from aiohttp import ClientSession

from tests.server.conftest import Program

SHEETS = {
    "organizations.csv": "code,parent_code,kind,name\nQ1,区委组织部,committee,城关镇党委\nQ11,Q1,branch,东湖村党支部\n",
    "accounts.csv": "username,name,password\nsun,孙医生,taohua-4101\nadmin2,王秀英,\n",
    "roles.csv": "username,role,organization_code\nsun,expert,区委组织部\nadmin2,committee_officer,Q1\n",
    "services.csv": "organization_code,kind,name,experts\n区委组织部,medical,健康咨询,sun\n",
    "stations.csv": "organization_code,name,services\nQ11,东湖村服务站,健康咨询\nQ1,城关镇服务中心,健康咨询\n",
}


def written(folder: Path) -> Path:
    """The sheets as a spreadsheet saves them."""
    folder.mkdir()
    for name, content in SHEETS.items():
        (folder / name).write_text(content, encoding="utf-8-sig")
    return folder


async def make_department(program: Program) -> None:
    """A department and its officer."""
    made = await program.run(
        "create-account", "admin", "--name", "王秀英", "--role", "district_officer",
        "--organization", "区委组织部", "--new-department", stdin="a good long password\n",
    )  # fmt: skip
    assert made.code == 0, made.err


async def import_all(program: Program, folder: Path) -> None:
    """Import the sheets."""
    done = await program.run("import", str(folder))
    assert "Imported services: 1 added" in done.out, done.err
    assert "Imported stations: 2 added" in done.out


def keys(listed: str) -> dict[str, str]:
    """Which stations have a key, by name, of what `stations` prints."""
    rows = [line.split() for line in listed.splitlines()]
    assert rows[0] == ["id", "key", "name", "organization"]
    return {name: key for _, key, name, _ in rows[1:]}


async def test_sheets_become_stations_and_a_key_makes_a_screen_one_while_the_server_runs(
    program: Program, tmp_path: Path
) -> None:
    sheets = written(tmp_path / "sheets")
    await make_department(program)
    tried = await program.run("import", "--dry-run", str(sheets))
    assert "Would import stations: 2 added" in tried.out, tried.err
    assert (await program.run("stations")).out.startswith("There are no stations.")
    await import_all(program, sheets)
    listed = await program.run("stations")
    assert keys(listed.out) == {"东湖村服务站": "no", "城关镇服务中心": "no"}

    async with program.serve() as server, ClientSession() as screen:
        url = await server.url()
        made = await program.run("station-key", "东湖村服务站")
        assert made.code == 0, made.err
        assert "/station" in made.out
        key = made.out.splitlines()[0].rpartition(" ")[2]
        async with screen.post(f"{url}/api/station-session", json={"key": key}) as answer:
            assert answer.status == 200, await answer.text()
            station = await answer.json()
            assert station["name"] == "东湖村服务站"
        async with screen.get(f"{url}/api/services") as answer:
            (service,) = (await answer.json())["items"]
        assert station["services"] == [service["id"]]

        again = await program.run("station-key", station["id"])
        assert key not in again.out
        async with screen.post(f"{url}/api/station-session", json={"key": key}) as answer:
            assert answer.status == 401, "the earlier key is void"
    assert keys((await program.run("stations")).out) == {"东湖村服务站": "yes", "城关镇服务中心": "no"}


async def test_what_is_wrong_is_a_sentence(program: Program, tmp_path: Path) -> None:
    await make_department(program)
    await import_all(program, written(tmp_path / "sheets"))
    unknown = await program.run("station-key", "南山村服务站")
    assert (unknown.code, unknown.sentence, unknown.out) == (1, "There is no such station.", "")
    sheet = tmp_path / "services.csv"
    sheet.write_text("organization_code,kind,name,experts\nQ1,legal,法律咨询,admin2\n", encoding="utf-8")
    refused = await program.run("import", str(sheet))
    assert refused.code == 1
    assert refused.sentence.splitlines() == [
        "services.csv, line 2, column experts: 'admin2' does not hold the role expert; roles.csv gives it",
        "Nothing was imported.",
    ]
    sheet = tmp_path / "stations.csv"
    sheet.write_text("organization_code,name,services\nQ1,东湖村服务站,健康咨询\n", encoding="utf-8")
    assert (await program.run("import", str(sheet))).code == 0
    several = await program.run("station-key", "东湖村服务站")
    assert (several.code, several.out) == (1, "")
    assert "server.py stations" in several.sentence


async def test_help_and_the_demo_tell_of_them(program: Program) -> None:
    helped = (await program.run("--help")).out
    assert "stations" in helped
    assert "station-key" in helped
    sheets = (await program.run("import", "--help")).out
    for name in SHEETS:
        assert name in sheets
    printed = (await program.run("demo")).out
    for text in ("LIUX-2345-6789-DEMO", "柳溪村党群服务站", "/station", "/consult", "/desk"):
        assert text in printed
