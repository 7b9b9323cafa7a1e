"""From bytes to a model, or to a Problem that says for each field, in the person's language, what is wrong with it."""

import asyncio
from typing import Any, Final, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import ValidationError

from errors import Kind, Problem
from localization import ErrorTexts, Language
from web.api.schemas.base import Input

BODY_SECONDS: Final = 30.0  # a body of 64 kB takes a second on the slowest line of the domain
WHOLE: Final = "body"  # the name under which details speak of the whole input

# pydantic's error types, by the sentence that fits them. What is not here gets `field_invalid`.
SENTENCES: Final = {
    "missing": "field_missing",
    "string_too_short": "field_too_short",
    "string_too_long": "field_too_long",
    "too_long": "field_too_many",
    "extra_forbidden": "field_unknown",
    "json_invalid": "field_not_json",
    "model_attributes_type": "field_not_an_object",
    "model_type": "field_not_an_object",
    "enum": "field_not_a_choice",
    "literal_error": "field_not_a_choice",
    "timezone_aware": "field_not_a_time",
    "datetime_parsing": "field_not_a_time",
    "datetime_from_date_parsing": "field_not_a_time",
    "datetime_type": "field_not_a_time",
    "not_rfc3339": "field_not_a_time",
    "int_parsing": "field_not_a_number",
    "int_type": "field_not_a_number",
    "float_parsing": "field_not_a_number",
    "float_type": "field_not_a_number",
    "finite_number": "field_not_a_number",
    "greater_than": "field_out_of_range",
    "greater_than_equal": "field_out_of_range",
    "less_than": "field_out_of_range",
    "less_than_equal": "field_out_of_range",
    "ends_before_it_starts": "field_ends_before_it_starts",
    "member_or_name": "field_member_or_name",
}

Model = TypeVar("Model", bound=Input)


async def read_body(request: web.Request, limit: int, text_type: str | None = None) -> bytes:
    """The whole body; Problem when it is not JSON by its own account, larger than `limit` or does not come.

    With `text_type` it must be of that type instead; HTTPUnsupportedMediaType otherwise, as RFC 9110 has it.
    """
    if text_type is not None:
        if request.content_type != text_type:
            raise web.HTTPUnsupportedMediaType
    elif request.content_type != "application/json":
        raise Problem(Kind.INVALID, "json_expected", {"contentType": request.content_type[:100]})
    if request.content_length is not None and request.content_length > limit:
        raise Problem(Kind.TOO_LARGE, "body_too_large", {"limitBytes": limit})
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise Problem(Kind.TOO_LARGE, "body_too_large", {"limitBytes": limit})
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return bytes(body)


def parse_body(model: type[Model], body: bytes, texts: ErrorTexts, language: Language) -> Model:
    """JSON to `model`. Strict: "5" is no number, and a number is no time."""
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _problem(error, texts, language) from None


def parse_query(model: type[Model], query: MultiMapping[str], texts: ErrorTexts, language: Language) -> Model:
    """A query string to `model`; of a name that stands twice the last counts."""
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise _problem(error, texts, language) from None


def _problem(error: ValidationError, texts: ErrorTexts, language: Language) -> Problem:
    details: dict[str, Any] = {}
    for found in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in found["loc"])[:100] or WHOLE
        code = SENTENCES.get(found["type"], "field_invalid")
        details.setdefault(name, texts.text(code, language, found.get("ctx")))
    return Problem(Kind.INVALID, "invalid_request", details)
