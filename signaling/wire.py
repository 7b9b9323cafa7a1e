"""Values of ours as JSON: camelCase keys, RFC 3339 times in UTC, enumerations by value."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from pydantic.alias_generators import to_camel


def wire(value: Any) -> Any:
    """Turn views (frozen dataclasses), and lists and mappings of them, into what json can write."""
    if is_dataclass(value) and not isinstance(value, type):
        return {to_camel(item.name): wire(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, Mapping):
        return {str(key): wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [wire(item) for item in value]
    return value


def timestamp(moment: datetime) -> str:
    """Milliseconds are as exact as anybody reads."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
