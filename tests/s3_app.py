"""The store's program as the tests start it: with what its owner may allow the pages of one origin (CORS)."""

import os

from nanio.app import build_app  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

ALLOWED_ORIGIN = "ALLOWED_ORIGIN"


def build() -> Starlette:
    """For uvicorn; settings come from the environment."""
    app: Starlette = build_app()
    if origin := os.environ.get(ALLOWED_ORIGIN):
        app.add_middleware(
            CORSMiddleware, allow_origins=[origin], allow_methods=["GET"], allow_headers=["Range"]
        )
    return app
