"""dtlsParameters as clients send them to connect a transport."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from media.errors import InvalidMedia
from media.identity import HASHES, Fingerprint
from media.rtp import Value, parse

_HEX_PAIRS = re.compile(r"^[0-9A-F]{2}(:[0-9A-F]{2})*$")


class FingerprintValue(Value):
    """A hash name and its value (RFC 8122); hash names of no use to us are allowed beside a useful one."""

    algorithm: Annotated[str, StringConstraints(max_length=32, to_lower=True)]
    value: Annotated[str, StringConstraints(max_length=256, to_upper=True)]


class DtlsParameters(Value):
    """`role` is the client's: "client" or "auto" makes us the server, "server" makes us the client."""

    role: Literal["auto", "client", "server"] = "auto"
    fingerprints: tuple[FingerprintValue, ...] = Field(min_length=1, max_length=16)

    @property
    def our_role(self) -> Literal["client", "server"]:
        """The other one."""
        return "client" if self.role == "server" else "server"

    @property
    def expected(self) -> tuple[Fingerprint, ...]:
        """Those whose hash we can compute."""
        return tuple(Fingerprint(f.algorithm, f.value) for f in self.fingerprints if f.algorithm in HASHES)


def parse_dtls_parameters(value: Any) -> DtlsParameters:
    """A client's dtlsParameters; InvalidMedia invalid_dtls_parameters."""
    parameters = parse(DtlsParameters, value, "invalid_dtls_parameters")
    if not parameters.expected:
        reason = f"must hold one of {', '.join(HASHES)}"
        raise InvalidMedia("invalid_dtls_parameters", field="fingerprints", reason=reason)
    for index, fingerprint in enumerate(parameters.fingerprints):
        algorithm = HASHES.get(fingerprint.algorithm)
        if algorithm is None:
            continue
        right_length = len(fingerprint.value) == algorithm.digest_size * 3 - 1
        if not right_length or not _HEX_PAIRS.match(fingerprint.value):
            field, reason = f"fingerprints[{index}].value", f"is not a {fingerprint.algorithm} fingerprint"
            raise InvalidMedia("invalid_dtls_parameters", field=field, reason=reason)
    return parameters
