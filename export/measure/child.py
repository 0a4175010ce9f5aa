"""The process that makes one measurement: `python -m skerry.export.measure.child`.

Reads a request as JSON from standard input and writes the result as JSON to the file that the
request names. What libraries print goes wherever it goes: nobody reads it for a result.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from skerry.export.errors import ExportError
from skerry.export.exporter import Kind, Loaded, LoadedEncoder, LoadedLlm
from skerry.export.with_parent import end_with_parent

Request = Mapping[str, Any]


def main() -> int:
    end_with_parent()
    request = json.load(sys.stdin)
    try:
        found = {"result": _PARTS[request["part"]](request)}
    except ExportError as error:
        found = {"error": {"what": error.what, "hint": error.hint}}
    except (OSError, MemoryError, ValueError, RuntimeError) as error:
        found = {"error": {"what": f"{type(error).__name__}: {error}", "hint": ""}}
    Path(request["out"]).write_text(json.dumps(found), "utf-8")
    return 0


def load_variant(request: Request) -> Loaded:
    """Opens the variant by the loader that the request names as `module:Class`."""
    module, _, name = request["loader"].partition(":")
    loader = getattr(importlib.import_module(module), name)()
    return cast("Loaded", loader.load(Path(request["folder"])))


def _source(request: Request) -> Any:
    from skerry.export.measure.source_cache import write_scores, write_vectors
    from skerry.export.measure.source_model import load_source

    kind, folder = Kind(request["kind"]), Path(request["scores"])
    model = load_source(Path(request["source"]), kind)
    if kind is Kind.LLM:
        write_scores(folder, cast("LoadedLlm", model))
    else:
        write_vectors(folder, cast("LoadedEncoder", model).encode(request["texts"]))
    model.close()
    return {}


def _fidelity(request: Request) -> Any:
    from skerry.export.measure.divergence import compare, summed
    from skerry.export.measure.errors import MeasureFailed
    from skerry.export.measure.source_cache import read_scores

    scores = read_scores(Path(request["scores"]))
    if scores is None:
        raise MeasureFailed("the source's scores were removed meanwhile", hint="measure again")
    model = cast("LoadedLlm", load_variant(request))
    pairs = zip(scores.stretches, scores.rows(), strict=True)
    result = summed(compare(one, rows, model.logits(one.ids)) for one, rows in pairs)
    model.close()
    return asdict(result)


def _encoding(request: Request) -> Any:
    from skerry.export.measure.encoding import encoding
    from skerry.export.measure.errors import MeasureFailed
    from skerry.export.measure.source_cache import read_vectors

    texts = request["texts"]
    reference = read_vectors(Path(request["scores"]), len(texts))
    if reference is None:
        raise MeasureFailed("the source's vectors were removed meanwhile", hint="measure again")
    model = cast("LoadedEncoder", load_variant(request))
    return asdict(encoding(model.encode(texts), reference))


def _cost(request: Request) -> Any:
    from skerry.export.measure.cost import cost

    return asdict(cost(lambda: load_variant(request), repeats=request["repeats"]))


def _tasks(request: Request) -> Any:
    from skerry.export.measure.errors import MeasureFailed
    from skerry.export.measure.stepping import Greedy, Stepping
    from skerry.export.measure.tasks import run_tasks

    model = load_variant(request)
    if not isinstance(model, Stepping):
        raise MeasureFailed("this format's runtime gives no tokens one by one here")
    results = run_tasks(Greedy(model), request["tasks"], most=request["items"])
    model.close()
    return {name: asdict(result) for name, result in results.items()}


def _load(request: Request) -> Any:
    from skerry.export.measure.fitting import loaded

    return loaded(
        Path(request["folder"]),
        request["context_tokens"],
        request["batch_tokens"],
        request["parallel"],
        request["kv_type"],
    )


_PARTS: dict[str, Callable[[Request], Any]] = {
    "source": _source,
    "fidelity": _fidelity,
    "encoding": _encoding,
    "cost": _cost,
    "tasks": _tasks,
    "load": _load,
}


if __name__ == "__main__":
    sys.exit(main())
