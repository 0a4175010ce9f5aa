"""The commands that make an MLC model, as data. Pure: nothing is run here.

From MLC's documentation, "Compile Model Libraries" (https://llm.mlc.ai/docs/compilation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skerry.export.errors import Unsupported

PRECISIONS = ("q4f16_1", "q4f32_1", "q3f16_1", "q0f16", "q0f32")
CONFIG = "mlc-chat-config.json"
LIBRARIES: Mapping[str, str] = {
    "android": "model.tar",
    "iphone": "model.tar",
    "vulkan": "model.so",
    "cuda": "model.so",
    "rocm": "model.so",
    "metal": "model.so",
    "webgpu": "model.wasm",
}
"""What `compile` makes for each device."""

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what it does."""

    what: str
    command: Command


def plan(
    source: Path, out: Path, precision: str, device: str, *, template: str, program: Command
) -> tuple[Step, ...]:
    """Converts the weights, writes the configuration, compiles the model's library.

    Args:
        source: a Hugging Face folder.
        out: a folder for all that is made.
        precision: one of `PRECISIONS`.
        device: a key of `LIBRARIES`.
        template: MLC's name of the chat template, such as "chatml".
        program: how `mlc_llm` is started.

    Raises:
        Unsupported: no such precision or device.
    """
    if precision not in PRECISIONS:
        raise Unsupported(f"MLC has no '{precision}'", hint=f"there are: {', '.join(PRECISIONS)}")
    if device not in LIBRARIES:
        known = ", ".join(LIBRARIES)
        raise Unsupported(f"MLC has no device '{device}'", hint=f"there are: {known}")
    quantized = ("--quantization", precision)
    convert = (*program, "convert_weight", str(source), *quantized, "-o", str(out))
    configure = (
        *(*program, "gen_config", str(source), *quantized),
        *("--conv-template", template, "-o", str(out)),
    )
    library = str(out / LIBRARIES[device])
    build = (*program, "compile", str(out / CONFIG), "--device", device, "-o", library)
    return (
        Step("converting the weights", convert),
        Step("writing the configuration", configure),
        Step("compiling the model's library", build),
    )


def conversation(template: str) -> str:
    """MLC's name of the chat template that a Jinja template amounts to.

    MLC keeps a list of its own; "LM" is its name of no template.
    """
    marks = {
        "<|im_start|>": "chatml",
        "<|start_header_id|>": "llama-3",
        "[INST]": "mistral_default",
        "<start_of_turn>": "gemma_instruction",
    }
    return next((name for mark, name in marks.items() if mark in template), "LM")
