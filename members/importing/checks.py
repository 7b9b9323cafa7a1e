"""Whether the rows fit each other and what is known; pure. Each mistake is told with its line and column."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from errors import Problem
from members.accounts.passwords import check_password
from members.importing.errors import RowError
from members.importing.known import Known
from members.importing.rows import AccountRow, MemberRow, OrganizationRow, Place, RoleRow
from members.importing.sheets import Sheets
from members.organizations import OrganizationKind
from members.organizations.rules import OFFICES, PARENTS, is_held_at, may_stand_below

_PASSWORD_FAULTS = {
    "password_too_common": "too easily guessed",
    "password_contains_username": "contains the user name",
}


class Checks:
    """One pass over the sheets; `errors` fills up."""

    def __init__(self, sheets: Sheets, known: Known) -> None:
        self.errors: list[RowError] = []
        self._sheets = sheets
        self._known = known
        self._kinds = {code: row.kind for code, row in known.organizations.items()}
        self._kinds |= {row.code: row.kind for row in sheets.organizations}
        codes = {row.id: code for code, row in known.organizations.items()}
        self._parents = {code: codes.get(row.parent_id or "") for code, row in known.organizations.items()}
        self._parents_before = dict(self._parents)
        self._parents |= {row.code: row.parent_code for row in sheets.organizations}
        self._member_codes = known.members.keys() | {row.code for row in sheets.members}
        self._holders = {row.member_id: name for name, row in known.accounts.items() if row.member_id}

    def run(self) -> list[RowError]:
        """Every mistake, in the order of the sheets."""
        sheets = self._sheets
        self._refuse_twins(sheets.organizations, "code", lambda row: row.code)
        self._refuse_twins(sheets.members, "code", lambda row: row.code)
        self._refuse_twins(sheets.accounts, "username", lambda row: row.username)
        self._refuse_twins(sheets.accounts, "member_code", lambda row: row.member_code)
        self._refuse_twins(sheets.roles, "role", lambda row: (row.username, row.role, row.organization_code))
        for organization in sheets.organizations:
            self._organization(organization)
        for member in sheets.members:
            self._member(member)
        for account in sheets.accounts:
            self._account(account)
        usernames = self._known.accounts.keys() | {row.username for row in sheets.accounts}
        for role in sheets.roles:
            self._role(role, usernames)
        return self.errors

    def doubts(self) -> list[RowError]:
        """What is taken, and seldom meant: a second tree beside the one there is."""
        departments = [
            (code, row.name)
            for code, row in self._known.organizations.items()
            if row.kind is OrganizationKind.DEPARTMENT
        ]
        found: list[RowError] = []
        for row in self._sheets.organizations:
            if row.kind is not OrganizationKind.DEPARTMENT or row.code in self._known.organizations:
                continue
            for code, name in departments[:1]:
                found.append(
                    RowError(
                        row.place.file,
                        row.place.line,
                        "code",
                        f"{row.name!r} becomes a second department, which officers of {name!r} do not see; "
                        f"if both are the same, write its code {code!r}",
                    )
                )
            departments.append((row.code, row.name))
        return found

    def _fault(self, place: Place, column: str, message: str) -> None:
        self.errors.append(RowError(place.file, place.line, column, message))

    def _refuse_twins(self, rows: Sequence[Any], column: str, key: Callable[[Any], object]) -> None:
        first: dict[object, Place] = {}
        for row in rows:
            value = key(row)
            if value is None:
                continue
            if value in first:
                self._fault(
                    row.place, column, f"the same is in {first[value].file}, line {first[value].line}"
                )
            first.setdefault(value, row.place)

    def _organization(self, row: OrganizationRow) -> None:
        known = self._known.organizations.get(row.code)
        if known is not None and known.kind is not row.kind:
            self._fault(row.place, "kind", f"{row.code!r} is a {known.kind.value} already and stays one")
        if known is not None and self._parents_before[row.code] != row.parent_code:
            self._fault(
                row.place, "parent_code", f"{row.code!r} stands elsewhere; an import moves no organization"
            )
            return
        if row.parent_code is not None and row.parent_code not in self._kinds:
            self._fault(row.place, "parent_code", f"no organization has the code {row.parent_code!r}")
            return
        parent = self._kinds[row.parent_code] if row.parent_code is not None else None
        if not may_stand_below(row.kind, parent):
            above = _listed(PARENTS[row.kind]) or "nothing"
            self._fault(row.place, "parent_code", f"a {row.kind.value} stands below {above}")
        elif self._is_circular(row.code):
            self._fault(row.place, "parent_code", f"{row.code!r} stands below itself")

    def _is_circular(self, code: str) -> bool:
        seen: set[str] = set()
        above: str | None = code
        while above is not None and above not in seen:
            seen.add(above)
            above = self._parents.get(above)
        return above is not None

    def _member(self, row: MemberRow) -> None:
        self._expect_kind(row.place, "organization_code", row.organization_code, OrganizationKind.BRANCH)
        if row.group_code is not None and self._expect_kind(
            row.place, "group_code", row.group_code, OrganizationKind.GROUP
        ):
            branch = self._parents.get(row.group_code)
            if branch != row.organization_code:
                self._fault(row.place, "group_code", f"{row.group_code!r} is a group of {branch!r}")
        if row.guest_organization_code is not None and self._expect_kind(
            row.place, "guest_organization_code", row.guest_organization_code, OrganizationKind.BRANCH
        ):
            self._refuse_guest_at_home(row)
        if (row.flowing_place is None) != (row.flowing_timezone is None):
            lacking = "flowing_place" if row.flowing_place is None else "flowing_timezone"
            self._fault(row.place, lacking, "flowing_place and flowing_timezone go together")

    def _refuse_guest_at_home(self, row: MemberRow) -> None:
        if row.guest_organization_code == row.organization_code:
            self._fault(row.place, "guest_organization_code", "nobody is a guest of the own branch")

    def _expect_kind(self, place: Place, column: str, code: str, kind: OrganizationKind) -> bool:
        found = self._kinds.get(code)
        if found is None:
            self._fault(place, column, f"no organization has the code {code!r}")
        elif found is not kind:
            self._fault(place, column, f"{code!r} is a {found.value}, not a {kind.value}")
        return found is kind

    def _account(self, row: AccountRow) -> None:
        if row.member_code is not None and row.member_code not in self._member_codes:
            self._fault(row.place, "member_code", f"no member has the code {row.member_code!r}")
        self._refuse_stolen_identity(row)
        if row.password is not None and row.username not in self._known.accounts:
            try:
                check_password(row.password, row.username)
            except Problem as problem:
                self._fault(row.place, "password", _PASSWORD_FAULTS.get(problem.code, problem.code))

    def _refuse_stolen_identity(self, row: AccountRow) -> None:
        """A log-in stays with its member and a member with the log-in; one without a member may get one."""
        if row.member_code is None:
            return
        member = self._known.members.get(row.member_code)
        holder = self._holders.get(member.id) if member is not None else None
        if holder is not None and holder != row.username:
            self._fault(row.place, "member_code", f"this member has the log-in {holder!r} already")
        account = self._known.accounts.get(row.username)
        if account is not None and account.member_id is not None and holder != row.username:
            self._fault(row.place, "member_code", f"the log-in {row.username!r} is another member's")

    def _role(self, row: RoleRow, usernames: Iterable[str]) -> None:
        if row.username not in usernames:
            self._fault(row.place, "username", f"there is no log-in {row.username!r}")
        kind = self._kinds.get(row.organization_code)
        if kind is None:
            self._fault(
                row.place, "organization_code", f"no organization has the code {row.organization_code!r}"
            )
        elif not is_held_at(row.role, kind):
            expected = _listed(OFFICES[row.role])
            self._fault(
                row.place, "role", f"a {row.role.value} is one of a {expected}, not of a {kind.value}"
            )


def _listed(kinds: Iterable[OrganizationKind]) -> str:
    return " or ".join(sorted(kind.value for kind in kinds))


def in_tree_order(rows: Sequence[OrganizationRow]) -> list[OrganizationRow]:
    """Parents before children, whatever the order in the file; the rows have no circle."""
    by_code = {row.code: row for row in rows}
    depths: Counter[str] = Counter()
    for row in rows:
        above = row.parent_code
        while above in by_code:
            depths[row.code] += 1
            above = by_code[above].parent_code
    return sorted(rows, key=lambda row: depths[row.code])
