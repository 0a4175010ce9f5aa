"""Run by the interpreter that has LiteRT: `run.py MODEL IN.npy OUT.npy`. Imports no Skerry.

IN: int64 [texts, 2, most], ids and masks; OUT: float32 [texts, dimensions].
"""

from __future__ import annotations

import sys

import numpy as np


def main(model: str, given: str, out: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=1)
    run = interpreter.get_signature_runner()
    names = sorted(run.get_input_details())
    kinds = {name: run.get_input_details()[name]["dtype"] for name in names}
    rows = []
    for row in np.load(given):
        feed = {name: part[None].astype(kinds[name]) for name, part in zip(names, row, strict=True)}
        rows.append(next(iter(run(**feed).values())))
    np.save(out, np.concatenate(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
