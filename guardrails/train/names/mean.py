"""`python -m skerry.guardrails.train.names.mean --data DIR --out DIR FILE...`: the mean of runs
that went on from one another, which is better than each (Wortsman et al. 2022, arXiv:2203.05482).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from skerry.guardrails.train.command import DATA, FOLDER, SEED, plainly

_CALIBRATION = 200


@click.command(help="Write the mean of checkpoints of the names classifier.")
@click.argument("checkpoints", nargs=-1, required=True, type=click.Path(path_type=Path))
@DATA
@click.option("--out", required=True, type=FOLDER, help="Folder for model and tokenizer.")
@SEED
@plainly
def main(checkpoints: Sequence[Path], data: Path, out: Path, seed: int) -> None:
    from skerry.guardrails.train.names import dataset, export, network

    names, tokenizer = network.untrained()
    names.load_state_dict(mean(checkpoints))
    texts = dataset.training(data, _CALIBRATION, seed)
    export.write(names, tokenizer, [one.text for one in texts], out)


def mean(checkpoints: Sequence[Path]) -> dict[str, object]:
    """The mean of each tensor over files that `fit.fit` wrote."""
    import torch

    states = [torch.load(one, weights_only=True)["network"] for one in checkpoints]
    return {
        name: (sum(one[name].float() for one in states) / len(states)).to(first.dtype)
        for name, first in states[0].items()
    }


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.names.mean")
