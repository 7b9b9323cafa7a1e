"""The declarative base of every table, and the column types that both databases understand alike."""

import enum
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

from ids import ID_LENGTH

ENUM_LENGTH = 40
"""Room for any enum value, so that a longer new value needs no migration."""

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[str, mapped_column(String(ID_LENGTH))]
"""An opaque id, or a foreign key to one; see `database.new_id`."""

Json = JSON().with_variant(JSONB(), "postgresql")
"""JSON text in SQLite, binary JSON in PostgreSQL."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored as UTC and read as UTC; a naive one is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """For whoever asks what a column holds, such as a page's cursor."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite has no zones: it gets naive UTC, which sorts as text; PostgreSQL gets aware UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database; use aware UTC")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Whatever zone the driver gives, the program sees UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _enum_values(members: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in members]


class Base(DeclarativeBase):
    """The base of every model; one metadata for the whole program, with a name for every constraint."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        int: BigInteger(),
        dict[str, Any]: Json,
        list[str]: Json,
        # Values, not member names; no native type and no CHECK, so a new value needs no migration.
        enum.Enum: Enum(enum.Enum, native_enum=False, length=ENUM_LENGTH, values_callable=_enum_values),
    }
