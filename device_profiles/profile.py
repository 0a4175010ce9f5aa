"""What a class of device is and how the runtime should use it; read from TOML files.

Each file is checked strictly: an error names file, line and key. Says nothing of which
profile suits this machine (`pick`) or which model fits (`fit`).

Memory and storage are in MiB (2**20 bytes, `_mb`), bandwidth in 10**9 bytes per second (`_gb_s`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from skerry.device_profiles.errors import ProfileInvalid, ProfileNotFound
from skerry.device_profiles.kv import KvType
from skerry.device_profiles.located_toml import LocatedToml, TomlFault, parse, read

MAX_PROFILE_BYTES = 64 * 1024
_BUILT_IN = Path(__file__).parent
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_WHAT_TO_DO = "docs/device-profiles.md describes every key"


class Kind(StrEnum):
    PHONE = "phone"
    BOARD = "board"
    LAPTOP = "laptop"
    WORKSTATION = "workstation"
    MAC = "mac"


class Format(StrEnum):
    """A kind of model file."""

    GGUF = "gguf"
    ONNX = "onnx"
    COREML = "coreml"
    EXECUTORCH = "executorch"
    LITERT = "litert"
    MLC = "mlc"
    SAFETENSORS = "safetensors"


class Accelerator(StrEnum):
    """Hardware beside the CPU's cores, by the interface through which it is used."""

    CUDA = "cuda"
    ROCM = "rocm"
    VULKAN = "vulkan"
    OPENCL = "opencl"
    METAL = "metal"
    NEURAL_ENGINE = "neural_engine"
    NPU = "npu"


Word = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Megabytes = Annotated[int, Field(ge=1, le=1 << 24)]
GigabytesPerSecond = Annotated[float, Field(gt=0, le=10_000)]


@dataclass(frozen=True, slots=True)
class Memory:
    """`runtime_mb` is what the runtime may hold of `total_mb` without the system suffering.

    `bandwidth_gb_s` is the peak of the data sheet; `decode_gb_s` is what reading the weights
    reaches while decoding with this profile's threads.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    total_mb: Megabytes
    runtime_mb: Megabytes
    bandwidth_gb_s: GigabytesPerSecond
    decode_gb_s: GigabytesPerSecond

    def __post_init__(self) -> None:
        if self.runtime_mb > self.total_mb:
            raise ValueError("runtime_mb is more than total_mb")
        if self.decode_gb_s > self.bandwidth_gb_s:
            raise ValueError("decode_gb_s is more than bandwidth_gb_s")


@dataclass(frozen=True, slots=True)
class Cpu:
    """Cores by kind; `features` are instruction sets that matter to a model's kernels."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    architecture: Word
    performance_cores: Annotated[int, Field(ge=1, le=1024)]
    efficiency_cores: Annotated[int, Field(ge=0, le=1024)]
    features: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A class of device.

    `threads`, `context_tokens` (per sequence), `batch_tokens`, `kv_type`, `parallel` and
    `gpu_layers` (-1 is all) are how a model is loaded there; `storage_mb` is the room for models.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Word
    title: Text
    description: Text
    kind: Kind
    formats: Annotated[tuple[Format, ...], Field(min_length=1)]
    accelerators: tuple[Accelerator, ...]
    threads: Annotated[int, Field(ge=1, le=512)]
    context_tokens: Annotated[int, Field(ge=128, le=1 << 20)]
    batch_tokens: Annotated[int, Field(ge=1, le=8192)]
    kv_type: KvType
    parallel: Annotated[int, Field(ge=1, le=64)]
    gpu_layers: Annotated[int, Field(ge=-1, le=1024)]
    storage_mb: Megabytes
    thermal_notes: Text
    memory: Memory
    cpu: Cpu

    def __post_init__(self) -> None:
        if self.threads > self.cpu.performance_cores + self.cpu.efficiency_cores:
            raise ValueError("threads is more than the cores")


def load_profiles(directory: Path | None = None) -> tuple[Profile, ...]:
    """The built-in profiles and those of `directory`, by name.

    A profile of the directory replaces the built-in one of its name. A directory that does not
    exist adds none.

    Raises:
        ProfileInvalid: a file is not a profile.
    """
    profiles = {profile.name: profile for profile in _built_in()}
    if directory is not None:
        profiles |= {profile.name: profile for profile in _read_all(directory)}
    return tuple(profiles[name] for name in sorted(profiles))


def find_profile(name: str, profiles: Sequence[Profile]) -> Profile:
    """The profile called `name`.

    Raises:
        ProfileNotFound: there is none.
    """
    for profile in profiles:
        if profile.name == name:
            return profile
    names = ", ".join(profile.name for profile in profiles)
    raise ProfileNotFound(f"no device profile is called '{name}'", hint=f"there are: {names}")


def read_profile(path: Path) -> Profile:
    """The profile in the file `path`, whose name is the file's.

    Raises:
        ProfileNotFound: the file cannot be read.
        ProfileInvalid: it is not a profile; names file, line and key.
    """
    try:
        located = read(path, max_bytes=MAX_PROFILE_BYTES)
    except OSError as error:
        what = f"the device profile '{path}' cannot be read: {error.strerror}"
        raise ProfileNotFound(what, hint="check the path") from error
    except TomlFault as fault:
        raise _invalid(str(path), fault.line, fault.what) from None
    profile = _validated(located, str(path))
    if profile.name != path.stem:
        what = f"{path}: name is '{profile.name}', but the file is called '{path.stem}'"
        raise ProfileInvalid(what, hint="give both the same name")
    return profile


def parse_profile(text: str, source: str) -> Profile:
    """The profile that `text` says; errors call it `source`.

    Raises:
        ProfileInvalid: it is not a profile.
    """
    try:
        return _validated(parse(text), source)
    except TomlFault as fault:
        raise _invalid(source, fault.line, fault.what) from None


def _validated(located: LocatedToml, source: str) -> Profile:
    try:
        return _adapter().validate_json(to_json(located.data))
    except ValidationError as error:
        fault = located.fault(error)
        what = f"{fault.key or 'the profile'}: {fault.what}"
        raise _invalid(source, fault.line, what) from None


def _invalid(source: str, line: int, what: str) -> ProfileInvalid:
    return ProfileInvalid(f"{source}, line {line}: {what}", hint=_WHAT_TO_DO)


def _read_all(directory: Path) -> list[Profile]:
    return [read_profile(path) for path in sorted(directory.glob("*.toml"))]


@cache
def _built_in() -> tuple[Profile, ...]:
    return tuple(_read_all(_BUILT_IN))


@cache
def _adapter() -> TypeAdapter[Profile]:
    return TypeAdapter(Profile)
