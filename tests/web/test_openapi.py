"""The description of the interface is whole, consistent, and made from the table."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.conftest import House
from web.api.openapi import openapi
from web.api.routes import CALLS

DOCUMENT = openapi(CALLS)
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def references(value: Any) -> Iterator[str]:
    """Every $ref below."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


async def test_it_is_served(house: House) -> None:
    answered = await house.caller().get("/api/openapi.json")
    assert answered.status == 200
    assert answered.body == DOCUMENT


def test_it_says_what_it_is() -> None:
    assert re.fullmatch(r"3\.1\.\d+", DOCUMENT["openapi"])
    assert DOCUMENT["info"]["title"]
    assert DOCUMENT["info"]["version"]


def test_every_call_of_the_table_is_in_it_and_no_other() -> None:
    described = {(method.upper(), path) for path, one in DOCUMENT["paths"].items() for method in one}
    assert described == {(call.method, call.path) for call in CALLS}
    assert len(described) == len(CALLS)


def test_operations_have_names_of_their_own() -> None:
    names = [one["operationId"] for operations in DOCUMENT["paths"].values() for one in operations.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


def test_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for reference in references(DOCUMENT):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_operation_is_whole(path: str, method: str, operation: dict[str, Any]) -> None:
    in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", path))
    assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")
    names = [(one["in"], one["name"]) for one in operation["parameters"]]
    assert len(names) == len(set(names))
    assert operation["summary"]
    assert "Permission: " in operation["description"]
    assert set(operation["responses"]) > {"default"}
    assert all(response["description"] for response in operation["responses"].values())
    assert "requestBody" not in operation or method in {"post", "patch", "put"}
    known = DOCUMENT["components"]["securitySchemes"]
    assert all(set(requirement) <= set(known) for requirement in operation["security"])


@pytest.mark.parametrize(
    "call",
    [
        "POST /api/session", "GET /api/session", "DELETE /api/session", "GET /api/organizations",
        "GET /api/members", "POST /api/meetings", "GET /api/meetings", "GET /api/meetings/{meetingId}",
        "POST /api/meetings/{meetingId}/start", "POST /api/meetings/{meetingId}/end",
        "GET /api/meetings/{meetingId}/attendance", "GET /api/members/{memberId}/card",
        "GET /api/recordings", "GET /api/recordings/{recordingId}",
        "GET /api/recordings/{recordingId}/media", "GET /api/recordings/{recordingId}/sound",
        "GET /api/recordings/{recordingId}/poster", "GET /api/recordings/{recordingId}/preview",
        "GET /api/recordings/{recordingId}/hls/{file}",
        "POST /api/recordings/{recordingId}/viewing",
        "GET /api/stations", "GET /api/services", "POST /api/consultations",
        "GET /api/consultations/{consultationId}", "POST /api/consultations/{consultationId}/rating",
        "POST /api/meetings/{meetingId}/token",
    ],
)  # fmt: skip
def test_the_calls_that_others_rely_on_are_there(call: str) -> None:
    method, path = call.split()
    assert method.lower() in DOCUMENT["paths"][path]


def test_keys_are_camel_case() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for key in schema.get("properties", {}):
            assert re.fullmatch(r"[a-z][a-zA-Z0-9]*", key), f"{name}.{key}"
