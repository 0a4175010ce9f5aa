"""From a model and examples to an adapter's folder: the order of the work, and what is kept.

While it works, its state is in a hidden folder beside the result; run again, it goes on from there.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.bundles.beside import beside, move
from skerry.export.adapters.base import Base, read_base
from skerry.export.adapters.card import Score, card
from skerry.export.adapters.checkpoint import load_state, save_state
from skerry.export.adapters.examples import (
    Example,
    Split,
    digest_of,
    read_examples,
    split,
)
from skerry.export.adapters.peft_folder import CARD, CONFIG, WEIGHTS
from skerry.export.adapters.recipe import Recipe
from skerry.export.adapters.tensors import write_tensors
from skerry.export.errors import MissingExtra, OutputFailed
from skerry.export.exporter import Progress, unheard
from skerry.export.genai.source import Source, open_source

if TYPE_CHECKING:
    from skerry.export.adapters.train import Tokens, Trainer

_SPINS = "GOMP_SPINCOUNT"
"""Read by OpenMP when torch loads it: how long a thread waits awake for the others of a step.
Asleep soon, two threads trained three times as fast on a busy machine (docs/decisions/0008)."""

_NEEDED = ("torch", "transformers", "peft", "accelerate")
_SAVE_EVERY_S = 30.0


def finetune(
    source: Path, examples: Path, out: Path, recipe: Recipe, *, licence: str | None = None,
    progress: Progress = unheard,
) -> dict[str, Any]:  # fmt: skip
    """Trains an adapter; writes the folder `out`, which must not exist; returns its card.

    Args:
        source: a GGUF file or a Hugging Face folder of a chat model.
        examples: JSON lines of chats.
        licence: of the adapter; the source's by default.

    Raises:
        SourceRefused, Unsupported: the source, the examples or the recipe do not do.
        MissingExtra: torch, transformers, peft or accelerate is not installed.
        OutputFailed: `out` exists, or cannot be written, or the training diverged.
    """
    chats = read_examples(examples)
    if out.exists():
        raise OutputFailed(f"'{out}' exists already", hint="remove it, or give another --out")
    job = _Job(chats, read_base(source), recipe, out.with_name(f".{out.name}.training"), licence)
    _check_extra(recipe)
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(_SPINS, "1000")
    try:
        job.work.mkdir(parents=True, exist_ok=True)
        with beside(out) as adapter:
            made = _made(job, source, adapter, progress)
            move(adapter, out)
    except OSError as error:
        raise OutputFailed(
            f"'{out}' cannot be made: {error.strerror or error}", hint="free some space, and go on"
        ) from error
    shutil.rmtree(job.work)
    return made


@dataclass(frozen=True, slots=True)
class _Job:
    """What is trained, on what, and the folder for what is not finished."""

    chats: Sequence[Example]
    base: Base
    recipe: Recipe
    work: Path
    licence: str | None

    def run(self, source: Source) -> str:
        """A digest of all that decides what the adapter will be."""
        model = json.dumps(self.base.fingerprint())
        return self.recipe.digest(digest_of(self.chats), source.digest, model)


def _check_extra(recipe: Recipe) -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"{', '.join(missing)} not installed",
            hint="pip install torch==2.13.0, then pip install 'skerry[adapters]'",
        )
    if recipe.four_bit:
        from skerry.export.adapters.train import check_four_bit

        check_four_bit()


def _made(job: _Job, source: Path, out: Path, progress: Progress) -> dict[str, Any]:
    """Opens the source, trains, and writes the adapter into the folder `out`."""
    for left in job.work.glob("source-*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with _quiet(), tempfile.TemporaryDirectory(dir=job.work, prefix="source-") as unpacked:
        progress("opening the source", 0.0)
        return _trained(job, open_source(source, Path(unpacked)), out, progress)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars and the deprecations of transformers; ours is the progress."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _trained(job: _Job, source: Source, out: Path, progress: Progress) -> dict[str, Any]:
    """Trains, and writes the adapter into the folder `out`; returns its card."""
    from skerry.export.adapters.train import Trainer, measured, open_model

    recipe, run = job.recipe, job.run(source)
    parts = split(job.chats, recipe.held_out, seed=recipe.seed)
    learnt, held_out = _tokens(parts, source, recipe)
    state = load_state(job.work, run)
    trainer = Trainer(open_model(source.folder, recipe), learnt, recipe)
    progress("measuring before", 0.0)
    before = state.before if state else measured(trainer.model, held_out, batch=recipe.batch)
    if state:
        trainer.resume(state)
    _train(trainer, run, before, job.work, progress)
    progress("measuring after", 1.0)
    after = measured(trainer.model, held_out, batch=recipe.batch)
    made = card(
        recipe=recipe, base=job.base, base_digest=source.digest, split=parts, before=before,
        after=after, licence=job.licence or source.licence,
        tools={name: version(name) for name in _NEEDED[:3]},
    )  # fmt: skip
    _write(trainer.model, job.base, made, out)
    return made


def _tokens(parts: Split, source: Source, recipe: Recipe) -> tuple[list[Tokens], list[Tokens]]:
    from transformers import AutoTokenizer

    from skerry.export.adapters.train import tokenized

    tokenizer = AutoTokenizer.from_pretrained(str(source.folder), local_files_only=True)
    return (
        tokenized(parts.learnt, tokenizer, most_tokens=recipe.most_tokens),
        tokenized(parts.held_out, tokenizer, most_tokens=recipe.most_tokens),
    )


def _train(trainer: Trainer, run: str, before: Score, work: Path, progress: Progress) -> None:
    """Steps to the end; the state is saved twice a minute."""
    saved = time.monotonic()
    while trainer.step < trainer.steps:
        loss = trainer.advance()
        progress(f"training, {loss:.3f} nats per token", trainer.step / trainer.steps)
        if time.monotonic() - saved > _SAVE_EVERY_S or trainer.step == trainer.steps:
            save_state(work, trainer.state(run, before))
            saved = time.monotonic()


def _write(model: Any, base: Base, made: dict[str, Any], folder: Path) -> None:
    """A PEFT folder and its card, with the base's name in place of a path of this machine.

    Raises:
        OSError: the disk is full.
        OutputFailed: the same, of the weights.
    """
    from peft import get_peft_model_state_dict

    config = model.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": base.name, "inference_mode": True}
    config["target_modules"] = sorted(config["target_modules"])
    state = get_peft_model_state_dict(model)
    weights = {name: value.detach().float().cpu().numpy() for name, value in state.items()}
    layout = {name: ("F32", value.shape) for name, value in weights.items()}
    write_tensors(folder / WEIGHTS, layout, weights.items(), {"format": "pt"})
    for name, value in ((CONFIG, config), (CARD, made)):
        text = json.dumps(value, indent=2, sort_keys=name == CONFIG, default=str)
        (folder / name).write_text(text + "\n", "utf-8")
