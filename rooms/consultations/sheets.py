"""The two sheets in which services and stations are written down, and what their rows are; pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from members.importing import columns
from members.importing.columns import Column
from members.importing.rows import Place
from members.importing.sheets import Sheet
from members.organizations.models import CODE_LENGTH
from rooms.consultations import models
from rooms.consultations.states import ServiceKind
from rooms.texts import NAME_LENGTH

SEPARATORS: Final = str.maketrans("；", ";")
"""A Chinese keyboard's semicolon is as good as the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """One line of services.csv; `experts` are normalized user names."""

    place: Place
    organization_code: str
    kind: ServiceKind
    name: str
    experts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRow:
    """One line of stations.csv; `services` are names, or code/name."""

    place: Place
    organization_code: str
    name: str
    services: tuple[str, ...]


def several(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Values with semicolons between, each once."""

    def parse_all(cell: str) -> tuple[str, ...]:
        parts = [part.strip() for part in cell.translate(SEPARATORS).split(";")]
        values = [parse(part) for part in parts if part]
        if not values:
            raise ValueError("must be filled")
        for value in values:
            if values.count(value) > 1:
                raise ValueError(f"{value!r} is there twice")
        return tuple(values)

    return parse_all


def _username(cell: str) -> str:
    try:
        return columns.username(cell)
    except ValueError as error:
        raise ValueError(f"{cell!r} is no user name: {error}") from None


def _service_name(cell: str) -> str:
    """No semicolon, since a station's list has them between names."""
    if ";" in cell.translate(SEPARATORS):
        raise ValueError("a semicolon has no place here")
    return columns.text(models.NAME_LENGTH)(cell)


_code = columns.text(CODE_LENGTH)

SERVICES: Final = Sheet(
    "services.csv",
    (
        Column("organization_code", _code, required=True),
        Column("kind", columns.one_of(ServiceKind), required=True),
        Column("name", _service_name, required=True),
        Column("experts", several(_username), required=True),
    ),
    ServiceRow,
)
STATIONS: Final = Sheet(
    "stations.csv",
    (
        Column("organization_code", _code, required=True),
        Column("name", columns.text(NAME_LENGTH), required=True),  # a resident at a screen is called by it
        Column("services", several(columns.text(CODE_LENGTH + 1 + models.NAME_LENGTH)), required=True),
    ),
    StationRow,
)
