"""Reads a GenAI model folder: its configuration, tokenizer, chat template and where it came from.

Loads no weights. `skerry.export.genai` writes such folders, with a `skerry.json` that says what
GenAI's own files leave out; a folder without one can be used, with less known about it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.edge.engines.base import ModelInfo
from skerry.edge.engines.chat import ChatTemplate
from skerry.edge.engines.digest import FileDigest
from skerry.edge.engines.genai.tokens import Tokens
from skerry.edge.errors import ModelInvalid, ModelNotFound

CONFIG = "genai_config.json"
MANIFEST = "skerry.json"
DEFAULT_CONTEXT_TOKENS = 4096

_EXPORT_AGAIN = "export it again with: python -m skerry.export.genai"


@dataclass(frozen=True, slots=True)
class GenaiFolder:
    """What a folder says of its model. `stop_ids` end a turn; `manifest` may be empty."""

    path: Path
    architecture: str
    trained_context_tokens: int
    vocabulary: int
    stop_ids: frozenset[int]
    tokens: Tokens
    template: ChatTemplate
    manifest: Mapping[str, Any]

    def context_tokens(self, wanted: int) -> int:
        """`wanted`, or the default for 0, cut to what the model was trained for."""
        return min(wanted or DEFAULT_CONTEXT_TOKENS, self.trained_context_tokens)


def read_folder(path: Path, template: str = "") -> GenaiFolder:
    """Reads every small file of the folder; `template` is used in place of its chat template.

    Raises:
        ModelNotFound: there is no such folder, or no genai_config.json in it.
        ModelInvalid: a file of it is damaged or missing.
    """
    if not (path / CONFIG).is_file():
        raise ModelNotFound(
            f"there is no GenAI model at '{path}': it has no {CONFIG}",
            hint="give the folder that holds it, or make one: python -m skerry.export.genai --help",
        )
    model = _section(path, _read_json(path / CONFIG), "model")
    decoder = _section(path, model, "decoder")
    if not (path / str(decoder.get("filename", ""))).is_file():
        raise _invalid(path, f"its weights {decoder.get('filename')!r} are missing")
    tokens = Tokens.open(path)
    return GenaiFolder(
        path=path,
        architecture=str(model.get("type", "")),
        trained_context_tokens=_count(path, model, "context_length"),
        vocabulary=_count(path, model, "vocab_size"),
        stop_ids=_stop_ids(path, model),
        tokens=tokens,
        template=_template(path, tokens, template),
        manifest=read_manifest(path),
    )


def read_manifest(path: Path) -> dict[str, Any]:
    """What the folder's `skerry.json` says; empty without one.

    Raises:
        ModelInvalid: it is damaged.
    """
    return _read_json(path / MANIFEST) if (path / MANIFEST).is_file() else {}


def describe(folder: GenaiFolder, *, name: str, context_tokens: int) -> ModelInfo:
    """What is known of the model.

    The digest is the SHA-256 of lines `name sha256` for every file, sorted by name. `parameters`
    is 0 and `quantization` "unknown" where the folder has no manifest.

    Raises:
        ModelError: a file cannot be read any more.
    """
    files = sorted(file for file in folder.path.iterdir() if file.is_file())
    return ModelInfo(
        name=name,
        path=folder.path,
        engine="genai",
        architecture=folder.architecture,
        parameters=int(folder.manifest.get("parameters", 0)),
        size_bytes=sum(file.stat().st_size for file in files),
        context_tokens=context_tokens,
        trained_context_tokens=folder.trained_context_tokens,
        vocabulary=folder.vocabulary,
        quantization=str(folder.manifest.get("quantization", "unknown")),
        digest=_digest(files),
        licence=folder.manifest.get("licence"),
    )


def _digest(files: Iterable[Path]) -> str:
    digests = [(file.name, FileDigest(file)) for file in files]
    lines = "".join(f"{name} {digest.result()}\n" for name, digest in digests)
    return hashlib.sha256(lines.encode()).hexdigest()


def _read_json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _invalid(file.parent, f"its {file.name} cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise _invalid(file.parent, f"its {file.name} is not a JSON object")
    return value


def _section(path: Path, config: Mapping[str, Any], key: str) -> dict[str, Any]:
    section = config.get(key)
    if not isinstance(section, dict):
        raise _invalid(path, f"its {CONFIG} has no section {key!r}")
    return section


def _count(path: Path, model: Mapping[str, Any], key: str) -> int:
    value = model.get(key)
    if not isinstance(value, int) or value < 1:
        raise _invalid(path, f"its {CONFIG} says {key} is {value!r}")
    return value


def _stop_ids(path: Path, model: Mapping[str, Any]) -> frozenset[int]:
    """One id or a list of them."""
    value = model.get("eos_token_id", [])
    ids = value if isinstance(value, list) else [value]
    if not all(isinstance(token, int) for token in ids):
        raise _invalid(path, f"its {CONFIG} says eos_token_id is {value!r}")
    return frozenset(ids)


def _template(path: Path, tokens: Tokens, given: str) -> ChatTemplate:
    """`given`, or from `chat_template.jinja`, or from tokenizer_config.json; else ChatML."""
    config_file = path / "tokenizer_config.json"
    config = _read_json(config_file) if config_file.is_file() else {}
    file = path / "chat_template.jinja"
    own = file.read_text("utf-8") if file.is_file() else _default(config.get("chat_template"))
    return ChatTemplate(
        given or own,
        control=tokens.control,
        bos=_token_text(config.get("bos_token")),
        eos=_token_text(config.get("eos_token")),
    )


def _default(template: object) -> str | None:
    """tokenizer_config.json holds one template, or a list of named ones."""
    if isinstance(template, list):
        named = {entry.get("name"): entry.get("template") for entry in template}
        template = named.get("default")
    return template if isinstance(template, str) else None


def _token_text(token: object) -> str:
    """A special token is written as its text, or as an object with its text in `content`."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else ""


def _invalid(path: Path, why: str) -> ModelInvalid:
    return ModelInvalid(f"the model '{path}' cannot be used: {why}", hint=_EXPORT_AGAIN)
