"""One row of the table of calls, and what a handler is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from aiohttp import web

from localization import Language
from recordings.renditions import Rendition
from recordings.views import MediaFile, OpenedRecording
from web.api.caller import Caller
from web.api.schemas.base import Input, Output
from web.proxies import Seen
from web.services import Edge, Services

In = TypeVar("In", bound=Input)

BODY_METHODS: Final = frozenset({"POST", "PATCH", "PUT"})
DEFAULT_BODY_BYTES: Final = 64 * 1024  # a ten-thousand-character agenda in Chinese is 30 kB


class Access(StrEnum):
    """Who may make a call at all; what of it they may do or see is the services' and the policy's to say."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed_in"
    VISITOR = (
        "visitor"  # signed in, a paired station, the holder of a ticket token, or a guest where guests may
    )


class Nothing(Input):
    """The input of calls that take none; what comes all the same is not looked at."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[In]):
    """One call being made: who asks, what for, and the services that can answer."""

    request: web.Request
    services: Services
    edge: Edge
    caller: Caller
    input: In
    seen: Seen
    language: Language
    text: str = ""

    def path(self, name: str) -> str:
        """A part of the path; already checked against its pattern by the dispatcher."""
        return self.request.match_info[name]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with more than a body: cookies and headers to set."""

    body: Output | None
    prepare: Callable[[web.StreamResponse], None]


Answered = Output | Answer | MediaFile | OpenedRecording | web.StreamResponse | None


@dataclass(frozen=True)
class Call(Generic[In]):
    """A method and a path, what goes in and out, who may, and who answers.

    `input` is the JSON body of POST, PATCH and PUT, and the query string of GET and of calls with a `text_type`, whose
    body is `asked.text`. `answer` None means 204 without a body, or, with `media_types`, bytes of one.
    `permission` names the policy's action, or says it in words.
    """

    method: str
    path: str
    handler: Callable[[Asked[In]], Awaitable[Answered]]
    input: type[In]
    answer: type[Output] | None
    access: Access
    permission: str
    status: int = 200
    media_types: tuple[str, ...] = ()
    # Of calls whose handler opens a film: what of it is answered, without the handler while a grant lasts.
    film: Rendition | None = None
    body_bytes: int = DEFAULT_BODY_BYTES
    text_type: str | None = None  # a body of this type instead of JSON
    # Callable from other sites' pages: for calls that take no cookie but a key, so that nobody's name can be misused.
    any_site: bool = False

    @property
    def name(self) -> str:
        """The handler's own name, unique in the table: OpenAPI's operationId and the label in /metrics."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"

    @property
    def takes_body(self) -> bool:
        """Whether the input is a JSON body."""
        return self.method in BODY_METHODS and self.input is not Nothing and self.text_type is None

    @property
    def takes_query(self) -> bool:
        """Whether the input is the query string."""
        query = self.method not in BODY_METHODS or self.text_type is not None
        return query and self.input is not Nothing


AnyCall = Call[Any]
