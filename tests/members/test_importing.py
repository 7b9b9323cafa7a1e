from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from database import Database
from members.accounts import Account, AccountRole, Accounts
from members.importing import ImportRefused, import_path
from members.importing.sheets import SHEETS, read
from members.organizations import Organization, Organizations
from members.people import Member
from members.policy import RoleName
from tests.factories import CHEAP, FakeClock

ORGANIZATIONS = """code,parent_code,kind,name,timezone
Z1,D2,branch,东湖村党支部,
Z1G,Z1,group,第一党小组,
D1,,department,青河区委组织部,Asia/Shanghai
D2,D1,committee,城关镇党委,
Z2,D2,branch,南山村党支部,
"""
MEMBERS_CSV = """\
code,organization_code,group_code,guest_organization_code,name,standing,post,flowing_place,flowing_timezone
M1,Z1,Z1G,,王秀兰,full,secretary,,
M2,Z1,,Z2,陈雨桐,probationary,,英国伦敦,Europe/London
"""
ACCOUNTS_CSV = """username,name,member_code,password,locale
Xiulan,王秀兰,M1,taohua-4101,
officer,高明远,,,en
"""
ROLES_CSV = """username,role,organization_code
XIULAN,secretary,Z1
officer,district_officer,D1
"""
WHOLE = {
    "organizations.csv": ORGANIZATIONS,
    "members.csv": MEMBERS_CSV,
    "accounts.csv": ACCOUNTS_CSV,
    "roles.csv": ROLES_CSV,
}


def folder(path: Path, files: dict[str, str], encoding: str = "utf-8") -> Path:
    where = path / "import"
    where.mkdir(exist_ok=True)
    for name, content in files.items():
        (where / name).write_text(content, encoding=encoding)
    return where


async def counts(database: Database) -> list[int]:
    async with database.reading() as session:
        return [
            await session.scalar(select(func.count()).select_from(model)) or 0
            for model in (Organization, Member, Account, AccountRole)
        ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
async def test_a_folder_of_sheets_becomes_organizations_people_and_log_ins(
    database: Database, accounts: Accounts, clock: FakeClock, tmp_path: Path, encoding: str
) -> None:
    report = await import_path(database, accounts, folder(tmp_path, WHOLE, encoding), clock=clock)
    assert str(report).splitlines() == [
        "Imported organizations: 5 added, 0 changed, 0 unchanged",
        "Imported members: 2 added, 0 changed, 0 unchanged",
        "Imported accounts: 2 added, 0 changed, 0 unchanged",
        "Imported roles: 2 added, 0 changed, 0 unchanged",
    ]
    secretary, _ = await accounts.sign_in("xiulan", "taohua-4101", "::1")
    assert {held.role for held in secretary.roles} == {RoleName.SECRETARY, RoleName.MEMBER}
    assert secretary.home_path is not None
    assert secretary.home_path.count("/") == 4  # department, committee, branch

    [(username, password)] = report.initial_passwords
    officer, _ = await accounts.sign_in(username, password, "::1")
    assert (officer.member_id, officer.locale) == (None, "en")


async def test_a_flowing_guest_is_imported_with_place_and_zone(
    database: Database, accounts: Accounts, clock: FakeClock, tmp_path: Path
) -> None:
    await import_path(database, accounts, folder(tmp_path, WHOLE), clock=clock)
    async with database.reading() as session:
        codes = {row.id: row.code for row in await session.scalars(select(Organization))}
        flowing = (await session.scalars(select(Member).where(Member.code == "M2"))).one()
    assert (flowing.flowing_place, flowing.flowing_timezone) == ("英国伦敦", "Europe/London")
    assert codes[flowing.organization_id] == "Z1"
    assert codes[flowing.guest_organization_id or ""] == "Z2"


async def test_the_same_again_changes_nothing(
    database: Database, accounts: Accounts, clock: FakeClock, tmp_path: Path
) -> None:
    where = folder(tmp_path, WHOLE)
    await import_path(database, accounts, where, clock=clock)
    before = await counts(database)
    report = await import_path(database, accounts, where, clock=clock)
    assert [
        part.added + part.changed for part in (report.organizations, report.members, report.accounts)
    ] == [0] * 3
    assert report.roles.unchanged == 2
    assert report.initial_passwords == []
    assert await counts(database) == before


async def test_a_dry_run_tells_the_same_and_keeps_nothing(
    database: Database, accounts: Accounts, clock: FakeClock, tmp_path: Path
) -> None:
    report = await import_path(database, accounts, folder(tmp_path, WHOLE), dry_run=True, clock=clock)
    assert report.members.added == 2
    assert report.initial_passwords == []
    assert await counts(database) == [0, 0, 0, 0]


async def test_a_second_department_is_taken_with_a_warning_that_names_the_first(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    accounts = Accounts(sqlite_database, clock, CHEAP)
    await Organizations(sqlite_database, clock).add_department("青河区委组织部")
    report = await import_path(sqlite_database, accounts, folder(tmp_path, WHOLE), dry_run=True, clock=clock)
    (warning,) = report.warnings
    assert str(warning) == (
        "organizations.csv, line 4, column code: '青河区委组织部' becomes a second department, which officers of "
        "'青河区委组织部' do not see; if both are the same, write its code '青河区委组织部'"
    )
    same = {name: sheet.replace("D1", "青河区委组织部") for name, sheet in WHOLE.items()}
    for _ in range(2):
        report = await import_path(sqlite_database, accounts, folder(tmp_path, same), clock=clock)
        assert report.warnings == []


async def test_a_transfer_takes_the_membership_along(
    database: Database, accounts: Accounts, clock: FakeClock, tmp_path: Path
) -> None:
    await import_path(database, accounts, folder(tmp_path, WHOLE), clock=clock)
    moved = MEMBERS_CSV.replace("M1,Z1,Z1G,,王秀兰", "M1,Z2,,,王秀兰")
    report = await import_path(database, accounts, folder(tmp_path, {"members.csv": moved}), clock=clock)
    assert (report.members.changed, report.members.unchanged) == (1, 1)
    actor, _ = await accounts.sign_in("xiulan", "taohua-4101", "::1")
    member_at = [held.organization_id for held in actor.roles if held.role is RoleName.MEMBER]
    assert member_at == [actor.home_organization_id]


async def test_a_single_sheet_is_recognized_by_its_header_whatever_its_name(
    database: Database, accounts: Accounts, clock: FakeClock, tmp_path: Path
) -> None:
    path = tmp_path / "支部名册.csv"
    path.write_text(ORGANIZATIONS, encoding="utf-8-sig")
    report = await import_path(database, accounts, path, clock=clock)
    assert report.organizations.added == 5


FAULTS = {
    "unknown organization": ("members.csv", "M1,Z1,", "M1,Z9,", 2, "organization_code", "no organization"),
    "not a branch": ("members.csv", "M1,Z1,Z1G", "M1,D2,", 2, "organization_code", "is a committee, not a branch"),
    "another's group": ("members.csv", "M2,Z1,,Z2", "M2,Z2,Z1G,", 3, "group_code", "is a group of 'Z1'"),
    "guest at home": ("members.csv", "M2,Z1,,Z2", "M2,Z1,,Z1", 3, "guest_organization_code", "own branch"),
    "wrong standing": ("members.csv", "probationary", "temporary", 3, "standing", "none of full, probationary"),
    "half flowing": ("members.csv", "Europe/London", "", 3, "flowing_timezone", "go together"),
    "no such zone": ("members.csv", "Europe/London", "London", 3, "flowing_timezone", "no time zone"),
    "no name": ("members.csv", "王秀兰", " ", 2, "name", "must be filled"),
    "twin codes": ("members.csv", "M2,", "M1,", 3, "code", "the same is in members.csv, line 2"),
    "too many cells": ("members.csv", "secretary,,", "secretary,,,,x", 2, None, "11 cells"),
    "wrong kind": ("organizations.csv", "Z2,D2,branch", "Z2,D2,brunch", 6, "kind", "none of department"),
    "no parent": ("organizations.csv", "Z2,D2", "Z2,D9", 6, "parent_code", "no organization has the code 'D9'"),
    "branch as root": ("organizations.csv", "Z2,D2", "Z2,", 6, "parent_code", "a branch stands below committee or"),
    "group below committee": ("organizations.csv", "Z1G,Z1", "Z1G,D2", 3, "parent_code", "stands below branch"),
    "below itself": ("organizations.csv", "D2,D1", "D2,D2", 5, "parent_code", "'D2' stands below itself"),
    "weak password": ("accounts.csv", "taohua-4101", "aaaaaaaaaa", 2, "password", "easily guessed"),
    "short password": ("accounts.csv", "taohua-4101", "abc", 2, "password", "8 to 128"),
    "odd user name": ("accounts.csv", "officer,", "of/ficer,", 3, "username", "letters, digits"),
    "unknown member": ("accounts.csv", "M1", "M7", 2, "member_code", "no member has the code 'M7'"),
    "unknown locale": ("accounts.csv", ",en", ",fr", 3, "locale", "none of zh-CN, en"),
    "role without log-in": ("roles.csv", "officer,", "nobody,", 3, "username", "no log-in 'nobody'"),
    "role elsewhere": ("roles.csv", "district_officer,D1", "district_officer,Z1", 3, "role", "one of a department"),
    "unknown role": ("roles.csv", "secretary,Z1", "king,Z1", 2, "role", "none of district_officer"),
    "wrong header": ("roles.csv", "username,role", "user,role", 1, None, "missing: username; unknown: user"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_mistake_is_told_with_line_and_column_and_nothing_is_imported(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path, fault: str
) -> None:
    file, right, wrong, line, column, message = FAULTS[fault]
    assert right in WHOLE[file]
    where = folder(tmp_path, WHOLE | {file: WHOLE[file].replace(right, wrong, 1)})
    with pytest.raises(ImportRefused) as caught:
        await import_path(sqlite_database, Accounts(sqlite_database, clock, CHEAP), where, clock=clock)
    told = [
        error
        for error in caught.value.errors
        if (error.file, error.line, error.column) == (file, line, column)
    ]
    assert told, str(caught.value)
    assert message in told[0].message
    assert await counts(sqlite_database) == [0, 0, 0, 0]


async def test_an_import_moves_no_organization_and_takes_no_log_in(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    accounts = Accounts(sqlite_database, clock, CHEAP)
    await import_path(sqlite_database, accounts, folder(tmp_path, WHOLE), clock=clock)
    moved = {
        "organizations.csv": ORGANIZATIONS.replace("Z1G,Z1", "Z1G,Z2").replace(
            "D2,D1,committee", "D2,D1,branch"
        ),
        "accounts.csv": "username,name,member_code\nthief,贼,M1\nxiulan,王秀兰,M2\n",
    }
    with pytest.raises(ImportRefused) as caught:
        await import_path(sqlite_database, accounts, folder(tmp_path, moved), clock=clock)
    told = "\n".join(str(error) for error in caught.value.errors)
    assert "line 3, column parent_code: 'Z1G' stands elsewhere" in told
    assert "line 5, column kind: 'D2' is a committee already" in told
    assert "accounts.csv, line 2, column member_code: this member has the log-in 'xiulan' already" in told
    assert "accounts.csv, line 3, column member_code: the log-in 'xiulan' is another member's" in told


async def test_a_file_of_another_encoding_is_refused_with_the_way_out(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    where = folder(tmp_path, WHOLE, "gb18030")
    with pytest.raises(ImportRefused, match="CSV UTF-8"):
        await import_path(sqlite_database, Accounts(sqlite_database, clock, CHEAP), where)


@pytest.mark.parametrize("name", ["missing", "empty"])
async def test_a_path_without_sheets_is_refused(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportRefused):
        await import_path(sqlite_database, Accounts(sqlite_database, clock, CHEAP), tmp_path / name)


HEADERS = [",".join(column.name for column in sheet.columns).encode() + b"\n" for sheet in SHEETS]


@given(header=st.sampled_from([b"", *HEADERS]), content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(header: bytes, content: bytes) -> None:
    sheets = read({"any.csv": header + content})
    assert all(error.file == "any.csv" for error in sheets.errors)


@given(
    header=st.sampled_from(HEADERS), rows=st.lists(st.lists(st.text(max_size=12), max_size=10), max_size=6)
)
def test_any_cells_are_read_or_refused(header: bytes, rows: list[list[str]]) -> None:
    content = "\n".join(",".join(cells) for cells in rows)
    read({"any.csv": header + content.encode(errors="replace")})
