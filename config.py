"""One configuration: environment HUITANG_SECTION__NAME, else a TOML file, else the defaults of config_sections.py.

Only server.py reads it; every package gets its own part in a settings class of its own.
"""

import difflib
import json
import os
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from config_sections import (
    ConsultationsSection,
    DatabaseSection,
    HttpSection,
    IceSection,
    LogSection,
    MediaSection,
    MetricsSection,
    RecordingsSection,
    RoomsSection,
    Section,
    StorageSection,
    TlsSection,
)

PREFIX: Final = "HUITANG_"
CONFIG_VARIABLE: Final = "HUITANG_CONFIG"


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says which variable and what to do."""


class Config(BaseSettings):
    """The whole tree."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    data_dir: Annotated[Path, Field(description="Folder of everything that must be kept")] = Path("data")
    http: HttpSection = HttpSection()
    tls: TlsSection = TlsSection()
    database: DatabaseSection = DatabaseSection()
    media: MediaSection = MediaSection()
    ice: IceSection = IceSection()
    recordings: RecordingsSection = RecordingsSection()
    storage: StorageSection = StorageSection()
    consultations: ConsultationsSection = ConsultationsSection()
    rooms: RoomsSection = RoomsSection()
    metrics: MetricsSection = MetricsSection()
    log: LogSection = LogSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file."""
        return (env_settings, init_settings)


class _FileAlone(Config):
    """The tree as the file has it, without the environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What `load` has read."""
        return (init_settings,)


def load(file: Path | None = None) -> Config:
    """Read the configuration; ConfigurationError says in a sentence what to change.

    `file` (or HUITANG_CONFIG) is a TOML file: `[http]` with `port = 8443` is HUITANG_HTTP__PORT.
    """
    path = file or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = TomlConfigSettingsSource(Config, path)() if path.is_file() else _missing(path)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"The configuration file {path} cannot be read: {error}.") from error
    wrong = _wrong_in_file(values)
    try:
        config = Config(**values)
    except ValidationError as error:
        wrong += [_sentence(problem, values) for problem in error.errors()]
    except SettingsError as error:
        raise ConfigurationError(f"The environment holds a value that cannot be read: {error}.") from error
    if wrong:
        raise ConfigurationError("\n".join(dict.fromkeys(wrong)))
    return config


def variables() -> dict[str, tuple[str, str]]:
    """Every environment variable with (default as text, what it is), in the order of the tree."""
    return dict(_walk(Config, PREFIX))


def unknown_variables() -> dict[str, str | None]:
    """HUITANG_* variables of the environment that mean nothing here, each with the likely meant name."""
    known = [*variables(), CONFIG_VARIABLE]
    strangers = [name for name in os.environ if name.startswith(PREFIX) and name.upper() not in known]
    return {name: next(iter(difflib.get_close_matches(name.upper(), known, n=1)), None) for name in strangers}


def _walk(model: type[BaseModel], prefix: str) -> list[tuple[str, tuple[str, str]]]:
    rows: list[tuple[str, tuple[str, str]]] = []
    for name, field in model.model_fields.items():
        if isinstance(field.default, Section):
            rows += _walk(type(field.default), f"{prefix}{name.upper()}__")
        else:
            rows.append((f"{prefix}{name.upper()}", (_as_text(field.default), field.description or "")))
    return rows


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return str(value)


def _missing(path: Path) -> dict[str, Any]:
    raise ConfigurationError(
        f"The configuration file {path} does not exist: correct --config or {CONFIG_VARIABLE}."
    )


def _wrong_in_file(values: dict[str, Any]) -> list[str]:
    """Sentences about what no environment mends: it only hides it until somebody takes a variable away.

    Whether a section is whole is not asked here: the environment may hold its other half.
    """
    try:
        _FileAlone(**values)
    except ValidationError as error:
        return [
            _sentence(problem, values, hidden=True)
            for problem in error.errors()
            if len(problem["loc"]) > 1 or problem["type"] != "value_error"
        ]
    return []


def _sentence(problem: Any, file_values: dict[str, Any], *, hidden: bool = False) -> str:
    """What pydantic found, under the name that the person wrote it by; `hidden`: in the file, whatever else says."""
    parts = [str(part) for part in problem["loc"] if not isinstance(part, int)]
    variable = PREFIX + "__".join(parts).upper()
    from_file = hidden or (_holds(file_values, parts) and variable not in os.environ)
    where = f"{'.'.join(parts)} in the configuration file" if from_file else variable
    what = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(variable, variables(), n=1)
        return f"{where} is not a setting{f'; did you mean {near[0]}?' if near else '.'}"
    value = problem.get("input")
    shown = (
        f" (it is {value!r})" if isinstance(value, str | int | float) and "DATABASE" not in variable else ""
    )
    return f"{where} is wrong: {what}{shown}."


def _holds(values: dict[str, Any], parts: list[str]) -> bool:
    inner: Any = values
    for part in parts:
        if not isinstance(inner, dict) or part not in inner:
            return False
        inner = inner[part]
    return bool(parts)
