"""The runtime's settings: one frozen object from arguments, environment, a file and defaults.

An argument wins over an environment variable, that over the file, that over the default. This
module says where values come from and checks them one by one; what they do is their users' affair.
`python -m skerry.edge.settings` prints the table of docs/settings.md.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from skerry.device_profiles.kv import KvType
from skerry.device_profiles.located_toml import LocatedToml, TomlFault, read
from skerry.edge.errors import ConfigError
from skerry.edge.folders import config_folder, data_folder, expanded
from skerry.edge.types import Consent, Sensitivity

PREFIX = "SKERRY_"
CONFIG_VARIABLE = "SKERRY_CONFIG"
MAX_CONFIG_BYTES = 64 * 1024

_NOT_SETTINGS = frozenset({"config", "data", "debug"})
_LONGEST_SHOWN = 60
_SERVICES = ("cloud", "split", "collections")
_SECRET = frozenset(f"{one}_{kind}" for one in _SERVICES for kind in ("url", "api_key"))
"""A wrong URL may hold a password."""


def _split(value: object) -> object:
    """`a, b` as a list; everything else as it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _user_path(path: Path) -> Path:
    try:
        return expanded(path)
    except ConfigError as error:
        raise ValueError(f"{error.what}; {error.hint}") from None


def _service_url(text: str) -> str:
    """Checked when it is read, since nothing may look at it until text is to leave."""
    from skerry.edge.escalate.options import check_url

    try:
        if text:
            check_url(text)
    except ConfigError as error:
        raise ValueError(f"{error.what}; {error.hint}") from None
    return text


UserPath = Annotated[Path, AfterValidator(_user_path)]
ServiceUrl = Annotated[str, AfterValidator(_service_url)]
Labels = Annotated[frozenset[str], NoDecode, BeforeValidator(_split)]
CollectionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Collections = Annotated[frozenset[CollectionName], NoDecode, BeforeValidator(_split)]


def _in_data(name: str, description: str) -> Any:
    return Field(
        default_factory=lambda: data_folder() / name,
        description=description,
        json_schema_extra={"shown": f"DATA/{name}"},
    )


def _in_config(name: str, description: str) -> Any:
    return Field(
        default_factory=lambda: config_folder() / name,
        description=description,
        json_schema_extra={"shown": f"CONFIG/{name}"},
    )


class Settings(BaseSettings):
    """Every setting of the runtime. Frozen; `with_changes` makes a changed one.

    Raises:
        ConfigError: a value cannot be used; names the argument, the variable, or the file with
            line and key.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    model: str = Field("smollm2", min_length=1, description="Default model: a name, or a path.")
    bundle: UserPath | None = Field(
        None, description="Folder of a bundle, which is run: its model and all its parts."
    )
    models_dir: UserPath = _in_data("models", "Folder of model files known by name.")
    index: UserPath = _in_data("index.sqlite", "File of the document index.")
    state: UserPath = _in_data("state.sqlite", "File of sessions and receipts.")
    screening_key_file: UserPath = _in_data(
        "screening.key", "File of the key that seals what is found in documents, mode 0600."
    )
    policy: UserPath | None = Field(None, description="Policy file laid over the default policy.")

    profile: str | None = Field(
        None, description="Device profile by name; unset picks one that suits this machine."
    )
    profiles_dir: UserPath = _in_config("profiles", "Folder of your own device profiles.")
    threads: int | None = Field(
        None, ge=1, le=512, description="Threads of a model; unset takes the profile's."
    )
    context_tokens: int | None = Field(
        None, ge=128, le=1 << 20, description="Tokens of context; unset takes the profile's."
    )
    batch_tokens: int | None = Field(
        None, ge=1, le=8192, description="Tokens prefilled at once; unset takes the profile's."
    )
    kv_type: KvType | None = Field(
        None, description="Number type of the KV cache; unset takes the profile's."
    )
    parallel: int | None = Field(
        None, ge=1, le=64, description="Requests decoded together; unset takes the profile's."
    )
    gpu_layers: int = Field(
        0, ge=-1, le=1024, description="Layers computed on a GPU; -1 is all, 0 takes the profile's."
    )
    max_loaded: int = Field(2, ge=1, le=64, description="Models kept in memory at once.")
    idle_unload_s: float = Field(
        600.0, ge=0, description="Seconds without use before a model is unloaded; 0 is never."
    )

    offline: bool = Field(False, description="Never use the network.")
    network_metered: bool = Field(False, description="Say that the network costs by volume.")
    consent: Consent = Field(Consent.ASK, description="What may leave the device.")
    sensitivity: Sensitivity = Field(
        Sensitivity.PUBLIC, description="Least sensitivity that every request is given."
    )
    store_text: bool = Field(
        False, description="Keep the text of questions and answers in receipts."
    )
    store_conversations: bool = Field(
        True, description="Keep conversations on disk; if not, they end with the process."
    )

    cloud_url: ServiceUrl | None = Field(
        None, description="Base URL of an OpenAI-compatible service."
    )
    cloud_model: str | None = Field(None, description="Model to ask for there.")
    cloud_reasoning_model: str | None = Field(
        None, description="Model for several steps of thought; unset takes cloud_model."
    )
    cloud_api_key: SecretStr | None = Field(None, description="Key of the service; never shown.")
    cloud_connect_s: float = Field(5.0, gt=0, le=600, description="Seconds to connect.")
    cloud_ttft_s: float = Field(20.0, gt=0, le=600, description="Seconds to the first token.")
    cloud_idle_s: float = Field(15.0, gt=0, le=600, description="Seconds between two tokens.")
    cloud_total_s: float = Field(
        120.0, gt=0, le=3600, description="Seconds for a whole answer, with retries."
    )

    split_url: ServiceUrl | None = Field(
        None, description="Base URL of a Skerry cloud tier that verifies this device's drafts."
    )
    split_api_key: SecretStr | None = Field(None, description="Its API key; never shown.")
    split_patience_ms: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description="How long it waits for drafts; 0 never waits; unset, where that is faster.",
    )
    split_draft: str = Field(
        "auto",
        min_length=1,
        description="GGUF model that drafts on this device; `off` only copies, `auto` takes the "
        "one that comes with Skerry, where its tokens are the model's.",
    )
    split_transport: Literal["auto", "websocket", "http"] = Field(
        "auto", description="How drafts travel; `auto` takes HTTP where WebSockets are blocked."
    )

    collections: Collections = Field(
        frozenset(), description="Cloud collections that are searched, too, separated by commas."
    )
    collections_url: ServiceUrl | None = Field(
        None, description="Base URL of the Skerry gateway that has them."
    )
    collections_api_key: SecretStr | None = Field(None, description="Its API key; never shown.")
    collections_s: float = Field(3.0, gt=0, le=60, description="Seconds for a search there.")

    role: str = Field("user", min_length=1, description="Role of the user, for the rules of tools.")
    appointments: UserPath = _in_data(
        "appointments.sqlite", "File of the appointment book; its tools are there when it is."
    )
    tool_rules: UserPath | None = Field(
        None, description="File of rules for tools, in place of those that come with Skerry."
    )

    labels: Labels = Field(
        frozenset(), description="Access labels that the user holds, separated by commas."
    )
    domain: str | None = Field(None, description="Search only documents of this domain.")
    top_k: int = Field(4, ge=1, le=64, description="Most chunks given to the model.")
    similarity_floor: float | None = Field(
        None, ge=-1, le=1, description="Least cosine of a chunk; unset takes the index's own."
    )

    max_tokens: int = Field(256, ge=1, le=1 << 20, description="Most tokens of an answer.")
    temperature: float = Field(0.0, ge=0, le=5, description="Sampling temperature; 0 is greedy.")
    seed: int | None = Field(
        None, ge=0, lt=1 << 32, description="Seed of sampling; unset draws one per answer."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least severity that is logged."
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address that the server binds.")
    port: int = Field(8484, ge=0, le=65535, description="Port of the server; 0 takes a free one.")
    api_key_file: UserPath = _in_config("api-key", "File of the server's API key, mode 0600.")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _config_error(error, values) from None

    def with_changes(self, **values: Any) -> Settings:
        """These settings with others in place of some; checked as arguments are.

        Raises:
            ConfigError: a value cannot be used.
        """
        return Settings(**{**dict(self), **values})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class names them
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, _read_config().data)

    @model_validator(mode="after")
    def _cloud_has_model(self) -> Settings:
        if self.cloud_url and not self.cloud_model:
            raise ValueError("cloud_url is given without cloud_model")
        return self

    @model_validator(mode="after")
    def _collections_are_somewhere(self) -> Settings:
        if self.collections and not self.collections_url:
            raise ValueError("collections is given without collections_url")
        return self


@dataclass(frozen=True, slots=True)
class Misspelling:
    """An environment variable that nothing reads, and the one that was probably meant."""

    name: str
    nearest: str


def unknown_variables(environ: Mapping[str, str] = os.environ) -> list[Misspelling]:
    """Variables that look like misspelt settings, sorted by name.

    `SKERRY_ASK_MAX_TOKENS` is none: the command line reads such names for its own options.
    """
    return list(_misspellings(environ))


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file of settings: SKERRY_CONFIG, or `config.toml` in the user's folder for settings."""
    named = environ.get(CONFIG_VARIABLE)
    return expanded(Path(named)) if named else config_folder() / "config.toml"


def markdown_table() -> str:
    """Every setting as a row of a Markdown table, in the order of the class."""
    rows = [
        f"| `{name}` | `{PREFIX}{name.upper()}` | {_default(field)} | {_meaning(field)} |"
        for name, field in Settings.model_fields.items()
    ]
    head = "| setting | environment variable | default | meaning |\n|---|---|---|---|"
    return "\n".join([head, *rows]) + "\n"


def _misspellings(environ: Mapping[str, str]) -> Iterator[Misspelling]:
    known = {*Settings.model_fields, *_NOT_SETTINGS}
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name in known:
            continue
        if any(name.endswith(f"_{setting}") for setting in known):
            continue
        if near := _nearest(name, known):
            yield Misspelling(variable, PREFIX + near.upper())


def _nearest(name: str, known: Any) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)), None)


def _read_config() -> LocatedToml:
    path = config_path()
    try:
        return read(path, max_bytes=MAX_CONFIG_BYTES)
    except FileNotFoundError:
        if not os.environ.get(CONFIG_VARIABLE):
            return LocatedToml({}, "")
        hint = f"write it, or unset {CONFIG_VARIABLE}"
        raise ConfigError(f"the file of settings '{path}' does not exist", hint=hint) from None
    except OSError as error:
        what = f"the file of settings '{path}' cannot be read: {error.strerror}"
        raise ConfigError(what, hint="check its permissions") from error
    except TomlFault as fault:
        what = f"{path}, line {fault.line}: {fault.what}"
        raise ConfigError(what, hint="docs/settings.md shows such a file") from None


def _config_error(error: ValidationError, given: Mapping[str, Any]) -> ConfigError:
    detail = _first_fault(error)
    if not detail["loc"]:
        return ConfigError(_complaint(detail), hint="give both, or neither")
    key = str(detail["loc"][0])
    field = Settings.model_fields.get(key)
    where = _where(key, given)
    if field is None:
        near = _nearest(key, Settings.model_fields)
        hint = f"did you mean '{near}'?" if near else "docs/settings.md lists every setting"
        return ConfigError(f"{where}: no setting is called '{key}'", hint=hint)
    what = f"{where}: {key}: {_complaint(detail)}{_shown(key, detail['input'])}"
    return ConfigError(what, hint=f"{key} is: {field.description}")


def _first_fault(error: ValidationError) -> Mapping[str, Any]:
    """The fault of the first wrong key; the last of its alternatives, which is the plainest."""
    details = error.errors(include_url=False)
    return [detail for detail in details if detail["loc"][:1] == details[0]["loc"][:1]][-1]


def _where(key: str, given: Mapping[str, Any]) -> str:
    """The source that the wrong value came from: that of the highest rank that has it."""
    if key in given:
        return "argument"
    variables = {name.upper(): name for name in os.environ if os.environ[name]}
    if variable := variables.get(PREFIX + key.upper()):
        return f"environment variable {variable}"
    return f"{config_path()}, line {_read_config().line((key,))}"


def _complaint(detail: Mapping[str, Any]) -> str:
    return str(detail["msg"]).removeprefix("Value error, ")


def _shown(key: str, value: object) -> str:
    if key in _SECRET:
        return ""
    text = repr(value)
    return f", not {text[:_LONGEST_SHOWN]}{'…' if len(text) > _LONGEST_SHOWN else ''}"


def _default(field: FieldInfo) -> str:
    if isinstance(field.json_schema_extra, dict):
        return f"`{field.json_schema_extra['shown']}`"
    if field.default is None or field.default == frozenset():
        return "unset"
    value = getattr(field.default, "word", field.default)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(field: FieldInfo) -> str:
    words = _choices(field.annotation)
    return f"{field.description}{' One of ' + ', '.join(words) + '.' if words else ''}"


def _choices(annotation: Any) -> list[str]:
    """The words that an enum or a literal takes; none for other types."""
    schema = TypeAdapter(annotation).json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return [f"`{word}`" for part in parts for word in part.get("enum", ())]


if __name__ == "__main__":
    sys.stdout.write(markdown_table())
