"""From a model and examples to an adapter's folder: the order of the work, and what is kept.

While it works, its state is in a hidden folder beside the result; run again, it goes on from there.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from skerry.export.errors import MissingExtra, OutputFailed
from skerry.export.exporter import Progress, unheard
from skerry.export.genai.source import Source, open_source

if TYPE_CHECKING:
    from skerry.export.adapters.train import Tokens, Trainer

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
    job.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=job.work, prefix="source-") as unpacked:
        progress("opening the source", 0.0)
        made = _trained(job, open_source(source, Path(unpacked)), progress)
    _moved(job.work / "adapter", out)
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


def _trained(job: _Job, source: Source, progress: Progress) -> dict[str, Any]:
    """Trains, and writes the adapter into the work's folder; returns its card."""
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
    _write(trainer.model, job.base, made, job.work / "adapter")
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
    """PEFT's own folder, with the base's name in place of a path of this machine."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        model.save_pretrained(str(folder))
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        config["base_model_name_or_path"] = base.name
        config["target_modules"] = sorted(config["target_modules"])
        (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
        (folder / CARD).write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise OutputFailed(f"'{folder}' cannot be written: {error.strerror}") from error
    for file in folder.iterdir():
        if file.name not in {CONFIG, WEIGHTS, CARD}:
            file.unlink()


def _moved(made: Path, out: Path) -> None:
    try:
        made.rename(out)
    except OSError as error:
        raise OutputFailed(f"'{out}' cannot be made: {error.strerror}") from error
