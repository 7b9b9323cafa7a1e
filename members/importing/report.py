"""What an import did, or would do."""

from dataclasses import dataclass, field

from members.importing.errors import RowError


@dataclass(slots=True)
class Count:
    """Rows of one sheet."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        return f"{self.added} added, {self.changed} changed, {self.unchanged} unchanged"


@dataclass(slots=True)
class ImportReport:
    """Counts by sheet, what is taken but seldom meant, and the passwords made for new accounts, shown only now."""

    dry_run: bool
    organizations: Count = field(default_factory=Count)
    members: Count = field(default_factory=Count)
    accounts: Count = field(default_factory=Count)
    roles: Count = field(default_factory=Count)
    further: dict[str, Count] = field(default_factory=dict)  # of the sheets of other layers, by name
    warnings: list[RowError] = field(default_factory=list)
    initial_passwords: list[tuple[str, str]] = field(default_factory=list)  # (user name, password)

    def __str__(self) -> str:
        done = "Would import" if self.dry_run else "Imported"
        lines = [
            f"{done} {name}: {count}"
            for name, count in (
                ("organizations", self.organizations),
                ("members", self.members),
                ("accounts", self.accounts),
                ("roles", self.roles),
                *self.further.items(),
            )
        ]
        return "\n".join(lines)
