"""How much worse is too much: the thresholds of the gate, from a TOML file that is checked.

`gate.toml` beside this module has the default of every key and says what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from skerry.device_profiles.located_toml import LocatedToml, TomlFault, parse, read
from skerry.export.evaluation.errors import ThresholdsInvalid
from skerry.export.measure.tasks import TASKS

DEFAULTS = Path(__file__).with_name("gate.toml")
_MAX_BYTES = 64 << 10
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(gt=0, le=100)]


@dataclass(frozen=True, slots=True)
class TaskLimit:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    margin: Share
    floor: Share


@dataclass(frozen=True, slots=True)
class FidelityLimit:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    perplexity_ratio: Ratio
    top1_drop: Share
    kl_max: Ratio


@dataclass(frozen=True, slots=True)
class EncodingLimit:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    cosine_mean: Share
    nn_agreement: Share


@dataclass(frozen=True, slots=True)
class SpeedLimit:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    decode_ratio: Ratio
    prefill_ratio: Ratio
    ttft_ratio: Ratio
    required: bool


@dataclass(frozen=True, slots=True)
class SizeLimit:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    file_ratio: Ratio
    memory_ratio: Ratio


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Every key of `gate.toml`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    confidence: Annotated[float, Field(ge=0.5, le=0.999)]
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    seed: Annotated[int, Field(ge=0, le=2**32)]
    tasks: dict[str, TaskLimit]
    fidelity: FidelityLimit
    encoding: EncodingLimit
    speed: SpeedLimit
    size: SizeLimit

    def __post_init__(self) -> None:
        unknown = sorted(set(self.tasks) - set(TASKS))
        if unknown:
            raise ValueError(f"there is no task '{unknown[0]}'; there are: {', '.join(TASKS)}")


def read_thresholds(path: Path | None = None) -> Thresholds:
    """The defaults, with what the file `path` says in their place.

    Raises:
        ThresholdsInvalid: the file cannot be read or used; names file, line and key.
    """
    defaults = parse(DEFAULTS.read_text("utf-8"))
    if path is None:
        return _adapter().validate_json(to_json(defaults.data))
    try:
        given = read(path, max_bytes=_MAX_BYTES)
    except OSError as error:
        raise ThresholdsInvalid(f"'{path}' cannot be read: {error.strerror}") from error
    except TomlFault as fault:
        raise ThresholdsInvalid(f"{path}, line {fault.line}: {fault.what}") from None
    return _validated(_over(defaults.data, given.data), given, path)


def _validated(data: dict[str, Any], given: LocatedToml, path: Path) -> Thresholds:
    try:
        return _adapter().validate_json(to_json(data))
    except ValidationError as error:
        fault = given.fault(error)
        what = f"{path}, line {fault.line}: {fault.key or 'the file'}: {fault.what}"
        hint = "`skerry export eval --print-thresholds` shows every key"
        raise ThresholdsInvalid(what, hint=hint) from None


def _over(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged; anything else takes the default's place."""
    both = {
        key: _over(defaults[key], value)
        for key, value in given.items()
        if isinstance(value, dict) and isinstance(defaults.get(key), dict)
    }
    return {**defaults, **given, **both}


@cache
def _adapter() -> TypeAdapter[Thresholds]:
    return TypeAdapter(Thresholds)
