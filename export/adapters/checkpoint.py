"""The state of a training, so that one that was killed goes on. Safetensors, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skerry.export.adapters.card import Score
from skerry.export.adapters.tensors import Floats, read_metadata, read_tensors, write_tensors
from skerry.export.errors import OutputFailed, SourceRefused

_FILE = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class State:
    """After `step` steps: the learnt `weights` and Adam's two `moments` of each, by name."""

    run: str
    step: int
    before: Score
    weights: Mapping[str, Floats]
    moments: Mapping[str, tuple[Floats, Floats]]


def save_state(folder: Path, state: State) -> None:
    """Raises OutputFailed: the disk is full. What was there before is replaced or kept, whole."""
    tensors = {f"weight.{name}": value for name, value in state.weights.items()}
    for name, (first, second) in state.moments.items():
        tensors |= {f"first.{name}": first, f"second.{name}": second}
    layout = {name: ("F32", value.shape) for name, value in tensors.items()}
    facts = {"run": state.run, "step": state.step, "before": asdict(state.before)}
    write_tensors(folder / _FILE, layout, tensors.items(), {"skerry": json.dumps(facts)})


def load_state(folder: Path, run: str) -> State | None:
    """The state of the training `run`; None: there is none.

    Raises:
        OutputFailed: it is of another training, or damaged.
    """
    file = folder / _FILE
    if not file.exists():
        return None
    try:
        tensors = read_tensors(file)
        facts: dict[str, Any] = json.loads(read_metadata(file)["skerry"])
        state = State(
            facts["run"], int(facts["step"]), Score(**facts["before"]),
            {name[7:]: tensors[name] for name in tensors if name.startswith("weight.")},
            {name[6:]: (tensors[name], tensors[f"second.{name[6:]}"])
             for name in tensors if name.startswith("first.")},
        )  # fmt: skip
    except (SourceRefused, ValueError, KeyError, TypeError) as error:
        raise OutputFailed(f"'{file}' is damaged", hint="remove it, and begin anew") from error
    if state.run != run:
        raise OutputFailed(
            f"'{file}' is of a training with another recipe, other examples or another model",
            hint="go on with those, remove the folder, or give another --out",
        )
    return state
