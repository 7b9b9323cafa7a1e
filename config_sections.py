"""The sections of the configuration, each setting with its default and the words of docs/configuration.md."""

import ipaddress
import json
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode


def _split(value: object) -> object:
    """A JSON list, or the same without brackets and quotes: `192.0.2.1,192.0.2.2`."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError('must be a JSON list such as ["192.0.2.1"]') from error


Strings = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Port = Annotated[int, Field(ge=0, le=65535)]


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError as error:
            raise ValueError(f"{value!r} is not an address or network such as 10.0.0.0/8") from error
    return values


class Section(BaseModel):
    """One part of the tree; a misspelt name in the TOML file is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSection(Section):
    """The HTTP server."""

    host: Annotated[
        str, Field(min_length=1, description="Address to listen on; 127.0.0.1 behind a proxy")
    ] = "0.0.0.0"  # noqa: S104 - people come from other machines; configuration.md says when to narrow it
    port: Annotated[Port, Field(description="TCP port; 0 takes a free one and prints it")] = 8080
    trusted_proxies: Annotated[
        Strings,
        Field(description="Addresses or networks of the reverse proxies whose X-Forwarded-* headers count"),
    ] = ()
    public_origins: Annotated[
        Strings, Field(description="Further origins that may call, such as https://meet.example.org")
    ] = ()

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(values)

    @field_validator("public_origins")
    @classmethod
    def _are_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            parts = urlsplit(value)
            if (
                parts.scheme not in {"http", "https"}
                or not parts.hostname
                or parts.path
                or parts.query
                or parts.fragment
            ):
                raise ValueError(f"{value!r} is not an origin such as https://meet.example.org")
        return values


class TlsSection(Section):
    """TLS by this process itself; leave all of it out behind a proxy that does TLS."""

    certificate: Annotated[Path | None, Field(description="PEM file with the certificate and its chain")] = (
        None
    )
    key: Annotated[Path | None, Field(description="PEM file with the certificate's private key")] = None
    self_signed: Annotated[
        bool,
        Field(description="Make a certificate for this machine's addresses and keep it in the data folder"),
    ] = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together: give both or neither")
        if self.certificate is not None and self.self_signed:
            raise ValueError("give either certificate and key, or self_signed, not both")
        return self


class DatabaseSection(Section):
    """Where the records are."""

    url: Annotated[
        SecretStr | None,
        Field(description="postgresql://user:password@host/name; without it SQLite in the data folder"),
    ] = None


class MediaSection(Section):
    """The media port."""

    port: Annotated[
        Port, Field(description="The one port for all audio and video, UDP and TCP; 0 takes a free one")
    ] = 40000
    tcp: Annotated[bool, Field(description="Also take media over TCP, for networks that let no UDP out")] = (
        True
    )
    bind_addresses: Annotated[
        Strings, Field(min_length=1, description="Addresses the media port is opened on")
    ] = (
        "0.0.0.0",  # noqa: S104 - media comes from other machines
        "::",
    )
    announced_addresses: Annotated[
        Strings,
        Field(
            description="Addresses told to browsers: the public ones behind NAT; default the machine's own"
        ),
    ] = ()
    plane_threads: Annotated[
        int,
        Field(ge=1, le=64, description="Forwarding threads, all on the one port: one a core, but for one"),
    ] = 1
    loudest_microphones: Annotated[
        int,
        Field(
            ge=0,
            le=64,
            description="Of a room's microphones at most so many are heard at once, the loudest; 0 all",
        ),
    ] = 12
    loudest_hold_seconds: Annotated[
        float,
        Field(ge=0, le=10, description="Who has been silent for so long gives way to one who speaks"),
    ] = 0.2

    @field_validator("bind_addresses", "announced_addresses")
    @classmethod
    def _are_addresses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                ipaddress.ip_address(value)
            except ValueError as error:
                raise ValueError(f"{value!r} is not an IP address such as 192.0.2.1") from error
        return values


class IceSection(Section):
    """Help for browsers behind firewalls that let no UDP through: a STUN or TURN server of yours."""

    urls: Annotated[Strings, Field(description="Such as turn:turn.example.org:3478?transport=tcp")] = ()
    username: Annotated[str | None, Field(description="TURN user, where it has a fixed one")] = None
    credential: Annotated[SecretStr | None, Field(description="That user's password")] = None
    secret: Annotated[
        SecretStr | None,
        Field(description="Or coturn's static-auth-secret: everybody gets credentials that expire"),
    ] = None


class RecordingsSection(Section):
    """Capture and composition."""

    folder: Annotated[
        Path | None, Field(description="Where recordings lie; default recordings in the data folder")
    ] = None
    minimum_free_mebibytes: Annotated[
        int,
        Field(
            ge=0,
            description="Recording stops, and /readyz complains, when less is free; films wait below twice that",
        ),
    ] = 500
    most_upload_gibibytes: Annotated[
        int, Field(ge=1, le=1024, description="Films made elsewhere that are larger are not taken")
    ] = 8
    hls_minutes: Annotated[
        int,
        Field(ge=0, description="Lectures, and recordings longer than this, are also made in three sizes"),
    ] = 60
    niceness: Annotated[
        int,
        Field(
            ge=0, le=19, description="How far compositions give way to meetings and all else: 0 not at all"
        ),
    ] = 15
    workers: Annotated[
        int,
        Field(
            ge=0,
            le=16,
            description="How many films are made at once, two cores each; 0 leaves them to server.py compose",
        ),
    ] = 1
    keep_days: Annotated[
        int,
        Field(
            ge=0, le=36_500, description="How long recordings are kept where no organization says; 0 for ever"
        ),
    ] = 0


class StorageSection(Section):
    """A bucket of an S3-compatible service to which finished recordings are carried; none without `bucket`."""

    bucket: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$",
            description="Bucket of an S3-compatible service to which finished recordings are carried; default none",
        ),
    ] = None
    endpoint_url: Annotated[
        str | None, Field(description="Such as https://s3.example.org; default Amazon's own of the region")
    ] = None
    region: Annotated[str, Field(min_length=1, description="The service's region; many take any")] = (
        "us-east-1"
    )
    prefix: Annotated[
        str,
        Field(
            pattern=r"^([A-Za-z0-9._-]+/)*$",
            description="Before every name in the bucket, such as huitang/, where others use it too",
        ),
    ] = ""
    access_key: Annotated[
        str | None, Field(description="The account's key; default what the machine itself is allowed")
    ] = None
    secret_key: Annotated[SecretStr | None, Field(description="That key's secret")] = None
    addressing: Annotated[
        Literal["path", "virtual"],
        Field(description="Whether the bucket is part of the address's path or of its host name"),
    ] = "path"
    part_mebibytes: Annotated[
        int,
        Field(ge=5, le=512, description="Size of the parts of an upload; a broken line costs one at most"),
    ] = 16
    keep_local: Annotated[
        bool, Field(description="Keep finished films on the disk too, once they are in the store")
    ] = True
    archive_originals: Annotated[
        bool, Field(description="Carry what was captured to the store too, as a second copy")
    ] = False
    serve: Annotated[
        Literal["proxy", "signed"],
        Field(
            description="Films that are only in the store: through this server, or signed addresses of the store"
        ),
    ] = "proxy"
    signed_seconds: Annotated[
        int, Field(ge=60, le=604800, description="How long a signed address is good for")
    ] = 900

    @field_validator("endpoint_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://default")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise ValueError("is not an address such as https://s3.example.org")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key go together: give both or neither")
        if self.bucket is None and (self.endpoint_url or self.access_key):
            raise ValueError("bucket is missing")
        return self


class ConsultationsSection(Section):
    """面对面."""

    guests: Annotated[
        bool, Field(description="People who are not signed in may take a ticket by giving a name")
    ] = True


class RoomsSection(Section):
    """Live rooms."""

    grace_seconds: Annotated[
        float, Field(gt=0, le=600, description="How long a lost connection keeps its place in the room")
    ] = 20.0


class MetricsSection(Section):
    """Who may read /metrics: these networks, or anybody with the token."""

    networks: Annotated[Strings, Field(description="Addresses or networks that may read /metrics")] = (
        "127.0.0.0/8",
        "::1/128",
    )
    token: Annotated[
        SecretStr | None, Field(description="Lets a scraper from elsewhere in: Authorization: Bearer <token>")
    ] = None

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(values)


class LogSection(Section):
    """Logs go to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="What is worth a line")
    ] = "info"
    format: Annotated[
        Literal["auto", "console", "json"],
        Field(description="auto: console on a terminal, else JSON, one event a line"),
    ] = "auto"
    access: Annotated[
        bool, Field(description="A line for every HTTP request, without query strings and addresses")
    ] = False
