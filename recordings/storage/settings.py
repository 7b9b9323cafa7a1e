"""What the operator may say about a remote store."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

MEBIBYTE = 1024 * 1024


class StorageSettings(BaseModel):
    """A bucket of an S3-compatible service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: str
    endpoint_url: str | None = None  # None: Amazon's own of the region
    region: str = "us-east-1"
    prefix: str = ""  # before every key, with "/" at its end or empty
    access_key: str | None = None  # both None: what the machine itself is allowed (its role, its environment)
    secret_key: SecretStr | None = None
    addressing: Literal["path", "virtual"] = "path"
    # The smallest part of an upload that a broken line costs at most; S3 takes none below 5 MiB.
    part_bytes: int = Field(default=16 * MEBIBYTE, ge=5 * MEBIBYTE)
    keep_local: bool = True
    archive_originals: bool = False
    # Films from the store: through this server, or by signed addresses that browsers fetch from the store itself.
    serve: Literal["proxy", "signed"] = "proxy"
    signed_seconds: int = Field(default=900, ge=60, le=7 * 24 * 3600)

    @property
    def browsers_origin(self) -> str | None:
        """The origin that browsers fetch films from; None where they come through this server."""
        if self.serve == "proxy":
            return None
        parts = urlsplit(self.endpoint_url or f"https://s3.{self.region}.amazonaws.com")
        host = parts.netloc if self.addressing == "path" else f"{self.bucket}.{parts.netloc}"
        return f"{parts.scheme}://{host}"
