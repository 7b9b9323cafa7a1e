"""The two families of models (what comes in, what goes out) and the shapes that all calls share."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

Item = TypeVar("Item")

MAX_ID = 64  # ids are 32 hex characters; anything longer cannot be one of ours
MAX_PAGE = 200
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # far from the ends of what databases and zones can reckon with


class Input(BaseModel):
    """A request body or query: unknown keys are refused, so that a client's typing error shows at once."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
    )


class Output(BaseModel):
    """An answer. Built by handlers with Python names, sent with camelCase ones."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, from_attributes=True
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _from_rfc3339(value: object) -> object:
    """Pydantic would also take a number as seconds since 1970; the interface does not say so."""
    if not isinstance(value, str):
        return value
    if RFC3339.fullmatch(value):
        with suppress(ValueError):  # the 31st of February
            return datetime.fromisoformat(value.upper())
    raise PydanticCustomError("not_rfc3339", "must be a time such as 2026-11-23T08:00:00Z")


def _of_our_times(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise PydanticCustomError("not_rfc3339", "must be a time between the years 1970 and 2200")
    return moment.astimezone(UTC)


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_from_rfc3339, json_schema_input_type=str),
    AfterValidator(_of_our_times),
    PlainSerializer(_rfc3339, return_type=str, when_used="json"),
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID, pattern=r"^[A-Za-z0-9_-]+$")]
# PostgreSQL cannot store a NUL character, and no person types one.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=100)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PageQuery(Input):
    """`?limit=&cursor=` of every list; `cursor` is the `nextCursor` of the page before."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Annotated[Text, StringConstraints(max_length=500)] | None = None


class Page(Output, Generic[Item]):
    """One page of a list; `nextCursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


class ErrorBody(Output):
    """What was wrong, under a stable code, with a sentence for people."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorAnswer(Output):
    """Every answer with a status of 400 and more."""

    error: ErrorBody
