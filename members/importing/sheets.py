"""Bytes of a CSV file to typed rows. Total: every mistake becomes a RowError with its line and column."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from members.importing import columns
from members.importing.columns import Column
from members.importing.errors import ImportRefused, RowError
from members.importing.rows import AccountRow, MemberRow, OrganizationRow, Place, RoleRow
from members.organizations import OrganizationKind
from members.organizations.models import CODE_LENGTH
from members.people import Post, Standing
from members.policy import RoleName

MAXIMUM_BYTES: Final = 20_000_000
"""About 200,000 members; whoever has more imports in parts."""


class Sheet(NamedTuple):
    """One kind of file: its name, its columns, what a row becomes."""

    file: str
    columns: tuple[Column, ...]
    make: Callable[..., Any]


_code = columns.text(CODE_LENGTH)

ORGANIZATIONS: Final = Sheet(
    "organizations.csv",
    (
        Column("code", _code, required=True),
        Column("parent_code", _code),
        Column("kind", columns.one_of(OrganizationKind), required=True),
        Column("name", columns.text(columns.ORGANIZATION_NAME_LENGTH), required=True),
        Column("timezone", columns.timezone),
    ),
    OrganizationRow,
)
MEMBERS: Final = Sheet(
    "members.csv",
    (
        Column("code", _code, required=True),
        Column("organization_code", _code, required=True),
        Column("group_code", _code),
        Column("guest_organization_code", _code),
        Column("name", columns.text(columns.NAME_LENGTH), required=True),
        Column("standing", columns.one_of(Standing), required=True),
        Column("post", columns.one_of(Post)),
        Column("flowing_place", columns.text(columns.PLACE_LENGTH)),
        Column("flowing_timezone", columns.timezone),
    ),
    MemberRow,
)
ACCOUNTS: Final = Sheet(
    "accounts.csv",
    (
        Column("username", columns.username, required=True),
        Column("name", columns.text(columns.NAME_LENGTH), required=True),
        Column("member_code", _code),
        Column("password", columns.password),
        Column("locale", columns.locale),
    ),
    AccountRow,
)
ROLES: Final = Sheet(
    "roles.csv",
    (
        Column("username", columns.username, required=True),
        Column("role", columns.one_of(RoleName), required=True),
        Column("organization_code", _code, required=True),
    ),
    RoleRow,
)
SHEETS: Final = (ORGANIZATIONS, MEMBERS, ACCOUNTS, ROLES)


@dataclass(slots=True)
class Sheets:
    """Everything that was read, and everything that could not be."""

    organizations: list[OrganizationRow] = field(default_factory=list)
    members: list[MemberRow] = field(default_factory=list)
    accounts: list[AccountRow] = field(default_factory=list)
    roles: list[RoleRow] = field(default_factory=list)
    further: dict[str, list[Any]] = field(default_factory=dict)  # by the file of the sheet
    errors: list[RowError] = field(default_factory=list)


def read(files: dict[str, bytes], further: Sequence[Sheet] = ()) -> Sheets:
    """Read files by name; each is recognized by its header, as one of SHEETS or of the further ones."""
    sheets = Sheets(further={sheet.file: [] for sheet in further})
    lists: dict[str, list[Any]] = {
        ORGANIZATIONS.file: sheets.organizations,
        MEMBERS.file: sheets.members,
        ACCOUNTS.file: sheets.accounts,
        ROLES.file: sheets.roles,
        **sheets.further,
    }
    for name, content in files.items():
        try:
            for sheet, row in _rows(name, content, (*SHEETS, *further), sheets.errors):
                lists[sheet.file].append(row)
        except ImportRefused as refusal:
            sheets.errors.extend(refusal.errors)
    return sheets


def _rows(
    name: str, content: bytes, kinds: Sequence[Sheet], errors: list[RowError]
) -> Iterator[tuple[Sheet, Any]]:
    lines = _lines(name, _decoded(name, content))
    _, header = next(lines, (1, []))
    sheet = _recognized(name, [cell.strip().casefold() for cell in header], kinds)
    names = [cell.strip().casefold() for cell in header]
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue  # spreadsheets leave empty lines at the end
        if any(cell.strip() for cell in cells[len(names) :]):
            errors.append(RowError(name, line, None, f"{len(cells)} cells, but the header has {len(names)}"))
            continue
        values = _values(sheet, Place(file=name, line=line), dict(zip(names, cells, strict=False)), errors)
        if values is not None:
            yield sheet, sheet.make(place=Place(file=name, line=line), **values)


def _decoded(name: str, content: bytes) -> str:
    if len(content) > MAXIMUM_BYTES:
        raise ImportRefused(
            [RowError(name, None, None, f"more than {MAXIMUM_BYTES // 1_000_000} MB; split it")]
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "not UTF-8; in the spreadsheet choose “Save as”, “CSV UTF-8”"
        raise ImportRefused([RowError(name, line, None, message)]) from None


def _lines(name: str, content: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of the line where it begins."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRefused([RowError(name, line, None, f"not proper CSV: {error}")]) from None
        yield line, cells


def _recognized(name: str, header: list[str], kinds: Sequence[Sheet]) -> Sheet:
    """The sheet whose required columns are all there and which knows every column; refused in words else."""
    for sheet in kinds:
        known = {column.name for column in sheet.columns}
        required = {column.name for column in sheet.columns if column.required}
        if required <= set(header) <= known and len(set(header)) == len(header):
            return sheet
    raise ImportRefused([RowError(name, 1, None, _unrecognized(name, header, kinds))])


def _unrecognized(name: str, header: list[str], kinds: Sequence[Sheet]) -> str:
    """What is wrong with a header, measured at the sheet that the file's name or most of the columns point to."""
    likely = max(
        kinds, key=lambda sheet: (sheet.file == name, len({c.name for c in sheet.columns} & set(header)))
    )
    known = [column.name for column in likely.columns]
    missing = [column.name for column in likely.columns if column.required and column.name not in header]
    unknown = [cell or "(empty)" for cell in header if cell not in known]
    twice = sorted({cell for cell in header if header.count(cell) > 1})
    parts = [f"the columns of {likely.file} are {', '.join(known)}"]
    for label, found in (("missing", missing), ("unknown", unknown), ("twice", twice)):
        if found:
            parts.append(f"{label}: {', '.join(found)}")
    return "; ".join(parts)


def _values(
    sheet: Sheet, place: Place, cells: dict[str, str], errors: list[RowError]
) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    sound = True
    for column in sheet.columns:
        cell = cells.get(column.name, "").strip()
        values[column.name] = None
        message = "must be filled" if column.required and not cell else None
        if cell:
            try:
                values[column.name] = column.parse(cell)
            except ValueError as error:
                message = str(error)
        if message is not None:
            errors.append(RowError(place.file, place.line, column.name, message))
            sound = False
    return values if sound else None
