"""What all clients' messages have in common: strict, camelCase, bounded."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

# The details of a refusal name at most so many fields; a hostile payload could be wrong in thousands of places.
MAX_NAMED_FIELDS = 10


class Message(BaseModel):
    """A client's payload: unknown keys and coercions ("1" for 1) are refused, because they are mistakes."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_alias=True, extra="forbid", strict=True, frozen=True
    )


class Nothing(Message):
    """`{}`."""


Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:-]+$")]
# A token of itsdangerous or a random one; never shown in a refusal.
Secret = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
# What people write is bounded here and made safe to show by rooms.
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
ChatText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
# An expert's note on how a consultation ended.
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
# mediasoup-client's own JSON, which media parses.
Json = dict[str, Any]
SpatialLayer = Annotated[int, Field(ge=0, le=7)]
Priority = Annotated[int, Field(ge=1, le=255)]


def named_fields(error: ValidationError) -> list[dict[str, str]]:
    """List `{field, problem}` of a failed parse, without repeating what the client sent."""
    items = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_NAMED_FIELDS]
    return [
        {"field": _path(item["loc"], ours=item["type"] != "extra_forbidden"), "problem": item["msg"]}
        for item in items
    ]


def _path(parts: tuple[int | str, ...], *, ours: bool) -> str:
    """Pydantic names a field that was left out by our name for it, an unknown key by the client's."""
    return ".".join(to_camel(str(part)) if ours else str(part)[:64] for part in parts)
