"""How near `device_profiles.fit` comes to what a GGUF model takes, load by load.

Each load runs in a process of its own: the model, a full batch of its prompt, and one token.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.device_profiles import Loading, ModelFacts, Room, fit, probe
from skerry.device_profiles.repack import repacked_types
from skerry.export.measure.process import measured_in_child

_NO_LIMIT_MB = 1e9


@dataclass(frozen=True, slots=True)
class Fitted:
    """Memory in MiB. `error` is predicted over measured, less 1."""

    name: str
    loading: Loading
    predicted_mb: float
    measured_mb: float

    @property
    def error(self) -> float:
        return self.predicted_mb / self.measured_mb - 1


def fitted(
    name: str,
    model: Path,
    loads: Iterable[Loading],
    *,
    matrices: Mapping[str, int],
    timeout_s: float = 600,
) -> Iterator[Fitted]:
    """Loads the GGUF file `model` in each way and compares.

    Args:
        name: what to call it.
        model: the file.
        loads: one sequence is used, however many there are.
        matrices: bytes of its matrices by type (`repack.matrix_bytes`).
        timeout_s: for each load.

    Raises:
        MeasureFailed: it cannot be loaded so.
    """
    room = Room(_NO_LIMIT_MB, repacks=repacked_types(probe().features))
    for how in loads:
        request = {
            "folder": str(model.resolve()),
            "context_tokens": how.context_tokens,
            "batch_tokens": how.batch_tokens,
            "parallel": how.parallel,
            "kv_type": str(how.kv_type),
        }
        found = measured_in_child("load", request, timeout_s=timeout_s)
        facts = ModelFacts(name=name, matrices=matrices, **found["facts"])
        predicted = fit(facts, room, how.context_tokens, loading=how)
        yield Fitted(name, how, predicted.total_mb, found["peak_mb"])


def largest_error(found: Iterable[Fitted]) -> float:
    """`fit_prediction_error_max` of the benchmark `export`: 0.1 is ten per cent."""
    return max(abs(one.error) for one in found)


def loaded(
    model: Path, context_tokens: int, batch_tokens: int, parallel: int = 1, kv_type: str = "f16"
) -> dict[str, Any]:
    """What this process holds at most when it has answered one token; see `fitted`."""
    from skerry.export.measure.cost import peak_mb
    from skerry.export.measure.llama import LlamaModel

    opened = LlamaModel(
        model,
        context_tokens=context_tokens,
        batch_tokens=batch_tokens,
        threads=1,
        parallel=parallel,
        kv_type=kv_type,
    )
    prompt = [20 + 37 * number % 20_000 for number in range(min(batch_tokens, context_tokens - 1))]
    opened.step(int(opened.begin([one % opened.vocabulary for one in prompt]).argmax()))
    found = {"peak_mb": peak_mb(), "facts": opened.facts()}
    opened.close()
    return found


def load_command(model: Path, how: Loading) -> list[str]:
    """A command that loads a model as `loaded` does, and prints that as JSON."""
    said = (how.context_tokens, how.batch_tokens, how.parallel, how.kv_type)
    return [sys.executable, "-m", "skerry.export.measure.fitting", str(model), *map(str, said)]


def _main(model: str, context: str, batch: str, parallel: str, kv_type: str) -> None:
    found = loaded(Path(model), int(context), int(batch), int(parallel), kv_type)
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    _main(*sys.argv[1:])
