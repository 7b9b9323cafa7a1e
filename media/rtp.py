"""ORTC's dictionaries as values: what clients send is parsed here, once, and is right from then on.

The shapes are mediasoup's (RtpCapabilities, RtpParameters); keys are camelCase on the wire. Parsing is total: any
JSON gives a value or an `InvalidMedia` that names the field. Unknown keys are ignored, null means absent (pymediasoup
writes its optional fields so), and every list and string has a bound.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from media.errors import InvalidMedia

MediaKind = Literal["audio", "video"]
ParameterValue = str | int | float

PayloadType = Annotated[int, Field(ge=0, le=127)]
# 1..14 fit one-byte header extensions, 1..255 two-byte ones (RFC 8285).
ExtensionId = Annotated[int, Field(ge=1, le=255)]
Ssrc = Annotated[int, Field(ge=1, le=0xFFFF_FFFF)]
Text = Annotated[str, StringConstraints(max_length=256)]
# RFC 2198 section 5: the payload types of primary and copies.
RED_TYPES = re.compile(r"^\d{1,3}(/\d{1,3})+$")
# Token of RFC 8851 and RFC 8852; 16 is what fits a one-byte header extension.
StreamToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")]

# Chromium lists about 60 codecs and 20 header extensions; a producer names two codecs and ten extensions.
MAX_CODECS = 128
MAX_HEADER_EXTENSIONS = 64
# Four simulcast layers are more than any browser sends, and what the plane takes.
MAX_ENCODINGS = 4

_Model = TypeVar("_Model", bound="Value")


class Value(BaseModel):
    """A frozen dictionary of the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        strict=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _from_json(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        present = ((key, value) for key, value in data.items() if value is not None)
        return {key: tuple(value) if isinstance(value, list) else value for key, value in present}

    def to_json(self) -> dict[str, Any]:
        """As mediasoup-client expects it; absent fields are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class RtcpFeedback(Value):
    """One `a=rtcp-fb`: ("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("transport-cc", ""), ("goog-remb", "")."""

    type: Text
    parameter: Text = ""


class Codec(Value):
    """What capabilities and parameters share."""

    mime_type: Annotated[str, StringConstraints(pattern=r"^(?i:audio|video)/[A-Za-z0-9_.+-]{1,64}$")]
    clock_rate: Annotated[int, Field(ge=1, le=1_000_000)]
    channels: Annotated[int, Field(ge=1, le=255)] | None = None
    parameters: dict[Text, ParameterValue] = Field(default_factory=dict, max_length=64)
    rtcp_feedback: tuple[RtcpFeedback, ...] = Field(default=(), max_length=32)

    @field_validator("parameters", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: "" if item is None else item for key, item in value.items()}
        return value

    @property
    def kind(self) -> MediaKind:
        """From the mime type."""
        return "audio" if self.mime_type[0] in "aA" else "video"

    @property
    def name(self) -> str:
        """The mime type in lower case, as everything here compares it."""
        return self.mime_type.lower()

    @property
    def is_rtx(self) -> bool:
        """Whether it is a retransmission format (RFC 4588)."""
        return self.name.endswith("/rtx")

    @property
    def is_red(self) -> bool:
        """Whether it is redundant audio (RFC 2198), which carries another codec's frames."""
        return self.name == "audio/red"

    @property
    def is_media(self) -> bool:
        """Whether it is a codec, and not a format that carries another's packets."""
        return not self.is_rtx and not self.is_red

    @property
    def red_types(self) -> set[int]:
        """The payload types that a RED format says it carries, as in "111/111"; none where it does not say.

        That is no name=value pair: mediasoup-client makes a name without a value of it, others no name at all.
        """
        texts = [text for name, value in self.parameters.items() for text in (name, str(value))]
        found = next((text for text in texts if RED_TYPES.match(text)), "")
        return {int(one) for one in found.split("/") if one}

    @property
    def channel_count(self) -> int:
        """One where nothing is said."""
        return 1 if self.channels is None else self.channels

    @property
    def apt(self) -> ParameterValue | None:
        """The payload type an RTX format belongs to."""
        return self.parameters.get("apt")

    def has_feedback(self, feedback_type: str, parameter: str = "") -> bool:
        """Whether this feedback was negotiated."""
        return any(f.type == feedback_type and f.parameter == parameter for f in self.rtcp_feedback)


class CodecCapability(Codec):
    """A codec somebody can send or receive."""

    preferred_payload_type: PayloadType | None = None


class CodecParameters(Codec):
    """A codec in use."""

    payload_type: PayloadType


class HeaderExtensionCapability(Value):
    """A header extension somebody understands; no kind means both."""

    kind: Literal["audio", "video", ""] = ""
    uri: Text
    preferred_id: ExtensionId
    preferred_encrypt: bool = False
    direction: Literal["sendrecv", "sendonly", "recvonly", "inactive"] = "sendrecv"


class HeaderExtension(Value):
    """A header extension in use."""

    uri: Text
    id: ExtensionId
    encrypt: bool = False
    parameters: dict[Text, ParameterValue] = Field(default_factory=dict, max_length=16)


class Rtx(Value):
    """The retransmission stream of an encoding."""

    ssrc: Ssrc


class Encoding(Value):
    """One stream: by SSRC, by RID, or (a single one) by the track's MID alone."""

    ssrc: Ssrc | None = None
    rid: StreamToken | None = None
    codec_payload_type: PayloadType | None = None
    rtx: Rtx | None = None
    dtx: bool = False
    scalability_mode: Text | None = None


class Rtcp(Value):
    """`cname` names the participant's clock: tracks of one cname are synchronised with each other."""

    cname: Text = ""
    reduced_size: bool = True
    mux: bool = True


class RtpCapabilities(Value):
    """What an endpoint or a router can do."""

    codecs: tuple[CodecCapability, ...] = Field(default=(), max_length=MAX_CODECS)
    header_extensions: tuple[HeaderExtensionCapability, ...] = Field(
        default=(), max_length=MAX_HEADER_EXTENSIONS
    )


class RtpParameters(Value):
    """One track as it is sent: by a client to its producer, or by a consumer to its client."""

    mid: StreamToken | None = None
    msid: Text | None = None
    codecs: tuple[CodecParameters, ...] = Field(min_length=1, max_length=MAX_CODECS)
    header_extensions: tuple[HeaderExtension, ...] = Field(default=(), max_length=MAX_HEADER_EXTENSIONS)
    encodings: tuple[Encoding, ...] = Field(min_length=1, max_length=MAX_ENCODINGS)
    rtcp: Rtcp = Rtcp()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique([codec.payload_type for codec in self.codecs], "payload types")
        unique([extension.id for extension in self.header_extensions], "header extension ids")
        ssrcs = [e.ssrc for e in self.encodings if e.ssrc is not None]
        unique(ssrcs + [e.rtx.ssrc for e in self.encodings if e.rtx is not None], "SSRCs")
        unique([e.rid for e in self.encodings if e.rid is not None], "RIDs")
        if self.codecs[0].is_rtx:
            raise ValueError("the first codec must be a media codec")
        if not any(codec.is_media for codec in self.codecs):
            raise ValueError("a media codec is needed")
        if len(self.encodings) > 1 and any(e.ssrc is None and e.rid is None for e in self.encodings):
            raise ValueError("each of several encodings must have an ssrc or a rid")
        if self.mid is None and all(e.ssrc is None for e in self.encodings):
            raise ValueError("a mid or an ssrc is needed to recognise the stream")
        return self


def unique(values: Sequence[object], what: str) -> None:
    """Raise ValueError when a value is there twice."""
    if len(set(values)) != len(values):
        raise ValueError(f"{what} must be unique")


def parse_capabilities(value: Any) -> RtpCapabilities:
    """A client's rtpCapabilities; InvalidMedia invalid_rtp_capabilities."""
    return parse(RtpCapabilities, value, "invalid_rtp_capabilities")


def parse_parameters(value: Any) -> RtpParameters:
    """A client's rtpParameters; InvalidMedia invalid_rtp_parameters."""
    return parse(RtpParameters, value, "invalid_rtp_parameters")


def parse(model: type[_Model], value: Any, code: str) -> _Model:
    """The value, or InvalidMedia under `code` with details `field` (a path like encodings[0].ssrc) and `reason`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InvalidMedia(code, field=path_text(first["loc"]), reason=first["msg"]) from None


def path_text(location: tuple[int | str, ...]) -> str:
    """("encodings", 0, "ssrc") -> "encodings[0].ssrc"; pydantic's own marks for union members are left out."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step not in {"str", "int", "float"}:
            text += f".{step}" if text else step
    return text
