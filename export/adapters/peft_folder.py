"""Reads an adapter as PEFT saves it: adapter_config.json and adapter_model.safetensors.

Everything that cannot be right is refused here, by name. Pickles are never opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skerry.export.adapters.base import Base, read_json
from skerry.export.adapters.pairs import Method, Pair, scale_of, vera_pair
from skerry.export.adapters.tensors import Floats, Tensors, read_tensors
from skerry.export.errors import SourceRefused, Unsupported

CONFIG, WEIGHTS, CARD = "adapter_config.json", "adapter_model.safetensors", "adapter.json"

_PREFIX = "base_model.model."
_PARTS = {
    ".lora_A.weight": "a",
    ".lora_B.weight": "b",
    ".lora_magnitude_vector": "magnitude",
    ".lora_magnitude_vector.weight": "magnitude",
    ".vera_lambda_b": "outputs",
    ".vera_lambda_d": "d",
}
_SHARED_A, _SHARED_B = "base_model.vera_A", "base_model.vera_B"
_MOST_RANK = 4096
_OTHER_CHANGES = (
    "modules_to_save", "trainable_token_indices", "lora_bias", "layer_replication", "use_qalora",
    "use_bdlora", "alora_invocation_tokens", "target_parameters", "fan_in_fan_out", "kasa_config",
    "velora_config", "arrow_config", "monteclora_config",
)  # fmt: skip
_PLAIN_PATTERN = re.compile(r"[\w.]+")


@dataclass(frozen=True, slots=True)
class Adapter:
    """`pairs` by the module that each changes, such as `model.layers.0.mlp.up_proj`; `card` is
    what `finetune` wrote about it, empty for an adapter from elsewhere."""

    folder: Path
    method: Method
    pairs: Mapping[str, Pair]
    card: Mapping[str, Any]


def read_adapter(folder: Path, base: Base) -> Adapter:
    """The adapter in `folder`, checked against the model that it is for.

    Raises:
        SourceRefused: it is damaged, or of another model.
        Unsupported: it does what neither a GGUF adapter nor merged matrices can hold.
    """
    config = read_json(_needed(folder, CONFIG))
    method = _method(config, folder)
    card = read_json(folder / CARD) if (folder / CARD).is_file() else {}
    _check_base(card, base, folder)
    parts = _parts(read_tensors(_needed(folder, WEIGHTS)), folder)
    read = _vera_pairs if method is Method.VERA else _lora_pairs
    pairs = read(parts, config, method, base)
    for module, pair in pairs.items():
        _check_pair(module, pair, base)
    return Adapter(folder, method, pairs, card)


def _needed(folder: Path, name: str) -> Path:
    file = folder / name
    if file.is_file():
        return file
    if (folder / "adapter_model.bin").is_file() and name == WEIGHTS:
        raise SourceRefused(
            f"'{folder}' has its weights in a pickle, which may run code and is never opened",
            hint="save the adapter as safetensors (PEFT does so by default)",
        )
    raise SourceRefused(f"'{folder}' is no PEFT adapter: it has no {name}")


def _method(config: Mapping[str, Any], folder: Path) -> Method:
    kind = config.get("peft_type")
    if kind not in {"LORA", "VERA"}:
        raise Unsupported(
            f"'{folder}' is an adapter of the kind {kind!r}", hint="LoRA, rsLoRA, DoRA or VeRA are"
        )
    more = [name for name in _OTHER_CHANGES if config.get(name)]
    if config.get("bias", "none") != "none":
        more.append("bias")
    if more:
        raise Unsupported(
            f"the adapter '{folder}' changes more than matrices: {', '.join(more)}",
            hint="merge it into its base with PEFT, and export the whole model",
        )
    return _which(config, folder)


def _which(config: Mapping[str, Any], folder: Path) -> Method:
    if config["peft_type"] == "VERA":
        return Method.VERA
    dora, rslora = bool(config.get("use_dora")), bool(config.get("use_rslora"))
    if dora and rslora:
        raise Unsupported(f"'{folder}' is DoRA with rsLoRA's scale", hint="train one of the two")
    if dora:
        return Method.DORA
    return Method.RSLORA if rslora else Method.LORA


def _check_base(card: Mapping[str, Any], base: Base, folder: Path) -> None:
    """Of a model with the same matrices only the card can say that it is another."""
    trained_on = card.get("base", {}).get("fingerprint", {}) if card else {}
    own: Mapping[str, Any] = base.fingerprint()
    other = [key for key, value in trained_on.items() if own.get(key, value) != value]
    if other:
        said = ", ".join(f"{key} {trained_on[key]} (here {own[key]})" for key in other)
        raise SourceRefused(
            f"the adapter '{folder}' was trained on another model than '{base.name}': {said}",
            hint="give the model that it was trained on with --source",
        )


def _parts(tensors: Tensors, folder: Path) -> dict[str, dict[str, Floats]]:
    """Arrays by module and part; those that all modules share are under ""."""
    parts: dict[str, dict[str, Floats]] = {}
    for name in tensors:
        module, part = _split(name, folder)
        value = tensors[name]
        if not np.isfinite(value).all():
            raise SourceRefused(f"the tensor '{name}' in '{folder}' has numbers that are none")
        parts.setdefault(module, {})[part] = value
    if not parts:
        raise SourceRefused(f"the adapter '{folder}' has no tensors")
    return parts


def _split(name: str, folder: Path) -> tuple[str, str]:
    if name in {_SHARED_A, _SHARED_B}:
        return "", name
    for ending, part in _PARTS.items():
        if name.endswith(ending) and name.startswith(_PREFIX):
            return name.removeprefix(_PREFIX).removesuffix(ending), part
    if "lora_embedding" in name:
        raise Unsupported(
            f"the adapter '{folder}' changes the embedding",
            hint="merge it into its base with PEFT, and export the whole model",
        )
    raise SourceRefused(f"'{folder}' has a tensor that no adapter has: '{name}'")


def _lora_pairs(
    parts: Mapping[str, Mapping[str, Floats]], config: Mapping[str, Any], method: Method, _: Base
) -> dict[str, Pair]:
    wanted = {"a", "b", "magnitude"} if method is Method.DORA else {"a", "b"}
    made = {}
    for module, held in parts.items():
        _check_parts(module, held, wanted)
        rank = _count(_pattern(config, "rank_pattern", module, config.get("r")))
        alpha = _number(_pattern(config, "alpha_pattern", module, config.get("lora_alpha")))
        _check_rank(module, held["a"], held["b"], rank)
        scale = scale_of(method, alpha, rank)
        made[module] = Pair(held["a"], held["b"], scale, held.get("magnitude"))
    return made


def _vera_pairs(
    parts: Mapping[str, Mapping[str, Floats]], config: Mapping[str, Any], _: Method, base: Base
) -> dict[str, Pair]:
    shared = parts.get("", {})
    if set(shared) != {_SHARED_A, _SHARED_B}:
        raise SourceRefused(
            "the adapter does not hold VeRA's shared matrices",
            hint="train it with save_projection=True; they cannot be drawn again for certain",
        )
    a, b = shared[_SHARED_A], shared[_SHARED_B]
    _check_rank("VeRA's shared matrices", a, b, _count(config.get("r")))
    made = {}
    for module, held in parts.items():
        if not module:
            continue
        _check_parts(module, held, {"d", "outputs"})
        outputs, inputs = base.shapes[base.place(module)]
        room = len(b) >= outputs and a.shape[1] >= inputs
        if held["d"].shape != (len(a),) or held["outputs"].shape != (outputs,) or not room:
            raise _other_shape(module, base)
        made[module] = vera_pair(a, b, held["d"], held["outputs"], inputs)
    return made


def _check_parts(module: str, held: Mapping[str, Floats], wanted: set[str]) -> None:
    if not module:
        raise SourceRefused("the adapter has VeRA's matrices, and says that it is another kind")
    if missing := wanted - set(held):
        raise SourceRefused(f"the adapter lacks {', '.join(sorted(missing))} of '{module}'")
    if more := set(held) - wanted:
        raise SourceRefused(f"the adapter has {', '.join(sorted(more))} of '{module}', too")


def _check_rank(module: str, a: Floats, b: Floats, rank: int) -> None:
    if a.ndim != 2 or b.ndim != 2 or not len(a) == b.shape[1] == rank:
        raise SourceRefused(
            f"'{module}' is not of the rank {rank} that the adapter says: {a.shape}, {b.shape}"
        )


def _check_pair(module: str, pair: Pair, base: Base) -> None:
    if base.shapes[base.place(module)] != pair.shape:
        raise _other_shape(module, base)
    if pair.magnitude is not None and pair.magnitude.shape != pair.shape[:1]:
        raise SourceRefused(f"the magnitude of '{module}' is not one number per output")


def _other_shape(module: str, base: Base) -> SourceRefused:
    return SourceRefused(
        f"'{module}' of the adapter does not fit the matrix of the base '{base.name}'",
        hint="give the model that the adapter was trained on with --source",
    )


def _pattern(config: Mapping[str, Any], name: str, module: str, default: Any) -> Any:
    """PEFT's exception for a module: the first key that its name ends with, at a dot."""
    pattern = config.get(name) or {}
    if not isinstance(pattern, dict):
        raise SourceRefused(f"{CONFIG} has a {name} that is no object")
    for key, value in pattern.items():
        if not _PLAIN_PATTERN.fullmatch(key):
            raise Unsupported(f"{CONFIG} has the expression {key!r} in its {name}")
        if re.search(rf"(?:^|\.){key}$", module):
            return value
    return default


def _count(value: Any) -> int:
    if type(value) is not int or not 0 < value <= _MOST_RANK:
        raise SourceRefused(f"{CONFIG} says a rank of {value!r}")
    return value


def _number(value: Any) -> float:
    if type(value) not in {int, float} or not np.isfinite(value) or value == 0:
        raise SourceRefused(f"{CONFIG} says an alpha of {value!r}")
    return float(value)
