"""Opens what is to be exported: a Hugging Face folder as it is, a GGUF file unpacked into one.

A GGUF's weights are dequantized to float32; nothing of them is lost.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.export.errors import ExportError

CARD = "README.md"
_BLOCK_BYTES = 1 << 20
_LICENCE_LINE = re.compile(r"\A---\n(?:.*\n)*?license: *(\S+)")


@dataclass(frozen=True, slots=True)
class Source:
    """`folder` is in Hugging Face's layout, in float; the rest says where it came from."""

    folder: Path
    name: str
    licence: str | None
    digest: str
    """SHA-256 of the GGUF file, or of the folder's model.safetensors; empty for several shards."""


def open_source(path: Path, work: Path) -> Source:
    """Raises ExportError when `path` is neither a GGUF file nor a Hugging Face folder."""
    if path.is_file() and _is_gguf(path):
        return _unpacked(path, work)
    if (path / "config.json").is_file():
        weights = path / "model.safetensors"
        digest = sha256(weights) if weights.is_file() else ""
        return Source(path, path.resolve().name, card_licence(path / CARD), digest)
    raise ExportError(
        f"'{path}' is neither a GGUF file nor a Hugging Face folder with a config.json",
        hint="give the path of one of the two with --source",
    )


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def card_licence(card: Path) -> str | None:
    """From the model card's front matter, as Hugging Face writes it; None where it says none."""
    found = _LICENCE_LINE.match(card.read_text("utf-8")) if card.is_file() else None
    return found[1] if found else None


def _unpacked(path: Path, work: Path) -> Source:
    header = _header(path)
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    place = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            **place, quantization_config=GgufConfig(dequantize=True)
        )
        tokenizer = AutoTokenizer.from_pretrained(**place)
    except (ValueError, OSError, NotImplementedError, KeyError) as error:
        raise ExportError(
            f"transformers cannot unpack '{path}': {error}",
            hint="export from the model's Hugging Face folder instead",
        ) from error
    folder = work / "source"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    mend_pre_tokenizer(folder / "tokenizer.json", header.get("tokenizer.ggml.pre"))
    return Source(folder, path.stem, header.get("general.license"), sha256(path))


def _header(path: Path) -> dict[str, Any]:
    from gguf import GGUFReader

    wanted = ("general.license", "tokenizer.ggml.pre")
    try:
        fields = GGUFReader(str(path)).fields
    except (ValueError, LookupError) as error:
        raise ExportError(
            f"'{path}' is not a whole GGUF file: {error}", hint="fetch it again"
        ) from error
    return {key: fields[key].contents() for key in wanted if key in fields}


def mend_pre_tokenizer(file: Path, pre: str | None) -> None:
    """Splits digits one by one where llama.cpp's pre-tokenizer `smollm` does.

    transformers leaves that step out: of 790 texts 44 were then tokenised unlike llama.cpp does.
    """
    if pre != "smollm":
        return
    tokenizer = json.loads(file.read_text("utf-8"))
    tokenizer["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {
                "type": "ByteLevel",
                "add_prefix_space": False,
                "trim_offsets": True,
                "use_regex": True,
            },
        ],
    }
    file.write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
