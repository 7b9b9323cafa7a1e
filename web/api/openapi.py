"""`GET /api/openapi.json`: OpenAPI 3.1, written by the table of calls and the models that validate."""

import inspect
import json
import re
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from signaling.cookies import SESSION_COOKIE, STATION_COOKIE
from web.api.call import Access, AnyCall
from web.api.dispatch import ID_PATTERN, PATTERNS
from web.api.schemas.base import ErrorAnswer

REFERENCE: Final = "#/components/schemas/{model}"
SECURITY: Final[dict[Access, list[dict[str, list[str]]]]] = {
    Access.ANYBODY: [{}],
    Access.SIGNED_IN: [{"session": []}],
    Access.VISITOR: [{"session": []}, {"station": []}, {"ticket": []}, {}],
}
DESCRIPTION: Final = (
    "Times are RFC 3339 UTC; ids are opaque. Unsafe methods check Origin. What is not named in an answer's schema "
    "may come one day: read what you know. Live meetings and queues speak Socket.IO at /socket.io/, namespaces "
    "/rooms and /stations."
)

Key = tuple[Any, JsonSchemaMode]  # a model and the side of it that is seen


def openapi_handler(calls: tuple[AnyCall, ...]) -> Handler:
    """Answers the document, which is made once."""
    body = json.dumps(openapi(calls), ensure_ascii=False).encode()

    async def describe(_request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=body, content_type="application/json", headers={hdrs.CACHE_CONTROL: "public, max-age=300"}
        )

    return describe


def openapi(calls: tuple[AnyCall, ...]) -> dict[str, Any]:
    """The whole document as JSON values."""
    bodies: list[Key] = [(call.input, "validation") for call in calls if call.takes_body]
    answers: list[Key] = [(call.answer, "serialization") for call in calls if call.answer is not None]
    keys: list[Key] = list(dict.fromkeys([*bodies, *answers, (ErrorAnswer, "serialization")]))
    references, definitions = models_json_schema(keys, by_alias=True, ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Huitang", "version": "1", "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
                "station": {"type": "apiKey", "in": "cookie", "name": STATION_COOKIE},
                "ticket": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "ticketToken of a consultation",
                },
            },
        },
    }


def _operation(call: AnyCall, references: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": call.name.replace(".", "_"),
        "tags": [call.name.partition(".")[0]],
        "summary": inspect.getdoc(call.handler) or "",
        "description": f"Permission: {call.permission}.",
        "security": SECURITY[call.access],
        "parameters": [*_path_parameters(call.path), *_query_parameters(call)],
        "responses": {
            str(call.status): _success(call, references),
            "default": {
                "description": "Refused: the status says how, the code why.",
                "content": _json(references[ErrorAnswer, "serialization"]),
            },
        },
    }
    if call.takes_body:
        operation["requestBody"] = {"required": True, "content": _json(references[call.input, "validation"])}
    return operation


def _success(call: AnyCall, references: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    if call.media_types:
        content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in call.media_types}
        return {"description": "The file, or with Range a part of it (206).", "content": content}
    if call.answer is None:
        return {"description": "Done."}
    return {"description": "Done.", "content": _json(references[call.answer, "serialization"])}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{PATTERNS.get(name, ID_PATTERN)}$"},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(call: AnyCall) -> list[dict[str, Any]]:
    if not call.takes_query:
        return []
    schema = _inlined(call.input.model_json_schema(by_alias=True))
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": one}
        for name, one in schema["properties"].items()
    ]


def _inlined(schema: Any, definitions: dict[str, Any] | None = None) -> Any:
    """A schema in which every definition stands where it is referred to: parameters have no place for definitions."""
    if isinstance(schema, list):
        return [_inlined(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    known = schema.get("$defs", definitions or {})
    if "$ref" in schema:
        return _inlined(known[schema["$ref"].rpartition("/")[2]], known)
    return {key: _inlined(value, known) for key, value in schema.items() if key != "$defs"}
