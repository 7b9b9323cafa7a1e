"""Acknowledgements: what became of a client's event, in the client's language."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from errors import Kind, Problem
from localization import ErrorTexts, Language
from media import MediaError
from media.errors import InvalidMedia, UnknownMedia
from signaling.messages import named_fields

Answer = dict[str, Any]


def accepted(data: Mapping[str, Any]) -> Answer:
    """`{ok: true, data}`."""
    return {"ok": True, "data": dict(data)}


def refused(problem: Problem, language: Language, texts: ErrorTexts) -> Answer:
    """`{ok: false, error}`."""
    message = texts.text(problem.code, language, problem.details)
    return {"ok": False, "error": {"code": problem.code, "message": message, "details": problem.details}}


def invalid_request(**details: Any) -> Problem:
    """A message that is not one of ours, or not in its shape."""
    return Problem(Kind.INVALID, "invalid_request", details)


def invalid_fields(event: str, error: ValidationError) -> Problem:
    """A message that its model refused."""
    return invalid_request(event=event, fields=named_fields(error))


def media_refusal(error: MediaError) -> Problem:
    """What media refused: wrong parameters are an invalid request, the rest keeps media's own code."""
    if isinstance(error, InvalidMedia):
        field, problem = error.details.get("field", ""), error.details.get("reason", error.code)
        named = [{"field": str(field), "problem": str(problem)}]
        return Problem(
            Kind.INVALID, "invalid_request", {**error.details, "reason": error.code, "fields": named}
        )
    kind = Kind.NOT_FOUND if isinstance(error, UnknownMedia) else Kind.CONFLICT
    return Problem(kind, error.code, error.details)
