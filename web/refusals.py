"""Every answer that says no: from a Problem, from aiohttp, or from a mistake of ours, always the same JSON."""

import json
from functools import partial
from typing import Any, Final

from aiohttp import hdrs, web

from errors import Kind, Problem
from localization import ErrorTexts, Language

STATUSES: Final = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}
# What aiohttp itself refuses, before a handler is reached.
HTTP_CODES: Final = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "body_too_large",
    415: "media_type_refused",
    416: "range_not_satisfiable",
    417: "expectation_failed",
}
DEFAULT_RETRY_SECONDS: Final = 5


def from_problem(problem: Problem, texts: ErrorTexts, language: Language) -> web.Response:
    """The answer to a refusal; `details.retryAfter` also becomes Retry-After."""
    response = refusal(
        STATUSES[problem.kind], problem.code, texts, language, _per_field(problem, texts, language)
    )
    if problem.kind in {Kind.RATE_LIMITED, Kind.UNAVAILABLE}:
        wait = problem.details.get("retryAfter", DEFAULT_RETRY_SECONDS)
        response.headers[hdrs.RETRY_AFTER] = str(wait if isinstance(wait, int) else DEFAULT_RETRY_SECONDS)
    return response


def from_http(error: web.HTTPException, texts: ErrorTexts, language: Language) -> web.Response:
    """The answer to what aiohttp refused."""
    code = HTTP_CODES.get(error.status, "request_refused")
    response = refusal(error.status, code, texts, language)
    for header in (hdrs.ALLOW, hdrs.CONTENT_RANGE):
        if header in error.headers:
            response.headers[header] = error.headers[header]
    return response


def refusal(
    status: int, code: str, texts: ErrorTexts, language: Language, details: dict[str, Any] | None = None
) -> web.Response:
    """`{"error": {"code", "message", "details"}}`."""
    message = texts.text(code, language, details)
    response = web.json_response(
        {"error": {"code": code, "message": message, "details": details or {}}},
        status=status,
        dumps=partial(json.dumps, ensure_ascii=False),
        headers={hdrs.CONTENT_LANGUAGE: language, hdrs.CACHE_CONTROL: "no-store"},
    )
    if status == STATUSES[Kind.TOO_LARGE]:
        response.force_close()  # the rest of the body is not read
    return response


def _per_field(problem: Problem, texts: ErrorTexts, language: Language) -> dict[str, Any]:
    """A rule that names one field says it in the shape of the models' own findings: the field and a sentence."""
    field = problem.details.get("field")
    if problem.kind is not Kind.INVALID or not isinstance(field, str):
        return problem.details
    return problem.details | {field: texts.text(problem.code, language, problem.details)}
