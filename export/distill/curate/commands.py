"""The commands of a round in text: prompts, ask, curate, iterate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import click

from skerry.export.distill.curate.records import (
    Said,
    asked_of,
    plain,
    read_rows,
    said_of,
    write_rows,
)
from skerry.export.distill.curate.trace import Traces
from skerry.export.distill.errors import DistillError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_SEED = click.option("--seed", default=0, show_default=True, show_envvar=True,
                     help="Fixes every random draw.")  # fmt: skip


Command = Callable[..., Any]


def option(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option whose help shows its environment variable."""
    return click.option(*names, show_envvar=True, **attributes)


@click.command()
@option("--passages", type=_FILE, help="JSON lines of passages: title, text, question.")
@option("--data", type=click.Path(file_okay=False, path_type=Path), help="Public data sets.")
@option("--count", type=click.IntRange(1), default=1000, show_default=True, help="How many.")
@_SEED
@option("--out", type=_NEW, required=True, help="Prompts, as JSON lines.")
def prompts(passages: Path | None, data: Path | None, count: int, seed: int, out: Path) -> None:
    """Make prompts whose sources are known, for a teacher to answer."""
    from skerry.export.distill.curate import asking
    from skerry.export.distill.sources import read

    found = list(read_rows(passages, asking.passage_of)) if passages else []
    found += read(data).passages if data else []
    made = islice(asking.prompts(found, seed=seed), count)
    click.echo(f"{write_rows(out, map(plain, made))} prompts in {out}")


@click.command()
@click.argument("asked", type=_FILE)
@option("--teacher", type=_FILE, help="A GGUF model that answers here.")
@option("--url", help="Or an OpenAI-compatible server, up to /v1.")
@option("--model", default="", help="The model's name there.")
@option("--key-file", type=_FILE, help="Its API key.")
@option("--most-tokens", type=click.IntRange(1), default=400, show_default=True,
        help="Of an answer; longer ones are cut off, and not learnt.")  # fmt: skip
@_SEED
@option("--out", type=_NEW, required=True, help="Answers; those that it has are not asked again.")
def ask(
    asked: Path, teacher: Path | None, url: str | None, model: str, key_file: Path | None,
    most_tokens: int, seed: int, out: Path,
) -> None:  # fmt: skip
    """Have a teacher answer the prompts ASKED. Run again after it was stopped, and it goes on."""
    from skerry.export.distill.curate.teacher import LocalTeacher, ServedTeacher, answers

    if (teacher is None) == (url is None):
        raise click.UsageError("give either --teacher or --url")
    every = list(read_rows(asked, asked_of))
    with ExitStack() as stack:
        out_file, done = stack.enter_context(_appending(out))
        left = [one for one in every if one.id not in done]
        key = key_file.read_text("utf-8").strip() if key_file else ""
        who = (LocalTeacher(teacher) if teacher is not None
               else stack.enter_context(ServedTeacher(url or "", model, key=key)))  # fmt: skip
        bar = stack.enter_context(click.progressbar(length=len(left), label="asking"))
        for said in answers(who, left, most_tokens=most_tokens, seed=seed):
            out_file.write(json.dumps(plain(said), ensure_ascii=False) + "\n")
            out_file.flush()
            bar.update(1)
    click.echo(f"{len(every)} answers in {out}")


@click.command()
@click.argument("answers", type=_FILE, nargs=-1, required=True)
@option("--noise", type=click.FloatRange(0, 1), default=0.3, show_default=True,
        help="Share that is added with a noisy question.")  # fmt: skip
@option("--not-found", type=click.FloatRange(0, 1), default=0.15, show_default=True,
        help="Share that is added with sources that do not hold the answer.")  # fmt: skip
@option("--refusals", type=click.IntRange(0), default=12, show_default=True,
        help="Requests that must be refused.")  # fmt: skip
@option("--traces", type=click.Choice([str(one) for one in Traces]), default="strip",
        show_default=True, help="What becomes of the teacher's reasoning.")  # fmt: skip
@option("--without", "left_out", multiple=True, metavar="CHECK", help="Do not make this check.")
@_SEED
@option("--out", type=_NEW, required=True, help="Chats to learn, as JSON lines.")
@option("--report", "report_file", type=_NEW, help="What was left out and why, as JSON.")
def curate(
    answers: tuple[Path, ...], noise: float, not_found: float, refusals: int, traces: str,
    left_out: tuple[str, ...], seed: int, out: Path, report_file: Path | None,
) -> None:  # fmt: skip
    """Check ANSWERS, leave out what is unfit, and add what a teacher does not write."""
    from skerry.export.distill.curate import filtering
    from skerry.export.distill.curate.checks import CHECKS

    if unknown := set(left_out) - set(CHECKS):
        raise click.UsageError(f"no check {sorted(unknown)[0]!r}; there are {', '.join(CHECKS)}")
    checks = {name: check for name, check in CHECKS.items() if name not in left_out}
    rows = [row for file in answers for row in read_rows(file, said_of)]
    made = filtering.curated(rows, filtering.Additions(noise, not_found, refusals, seed), checks)
    mode = Traces(traces)
    told = filtering.report(made, mode)
    if not made.filtered.kept:
        said = ", ".join(f"{name} {count}" for name, count in told["by_check"].items())
        raise DistillError(f"no answer of {len(rows)} passed ({said})", hint="look at --report")
    write_rows(out, (filtering.chat_of(row, mode) for row in made.rows()))
    if report_file is not None:
        write_rows(report_file, [told])
    click.echo(summary(told))


@click.command()
@click.argument("cases", type=_FILE, nargs=-1, required=True)
@option("--variants", type=click.IntRange(0), default=2, show_default=True,
        help="Noisy forms of each question, besides itself.")  # fmt: skip
@option("--seen", type=_FILE, multiple=True, help="Prompts of rounds before; they are left out.")
@_SEED
@option("--prompts", "prompts_file", type=_NEW, required=True, help="For the teacher, next.")
@option("--answers", "answers_file", type=_NEW, required=True, help="What people answered.")
def iterate(
    cases: tuple[Path, ...], variants: int, seen: tuple[Path, ...], seed: int, prompts_file: Path,
    answers_file: Path,
) -> None:  # fmt: skip
    """Make the next round of CASES: corrections of `skerry review examples`, or telemetry."""
    from skerry.export.distill.curate.iterate import case_of, next_round

    before = [one.question for file in seen for one in read_rows(file, asked_of)]
    rows = (case for file in cases for case in read_rows(file, case_of))
    made = next_round(rows, variants=variants, seed=seed, seen=before)
    write_rows(prompts_file, map(plain, made.prompts))
    write_rows(answers_file, map(plain, made.said))
    why = ", ".join(f"{name} {count}" for name, count in sorted(made.counts.items())) or "none"
    click.echo(f"{len(made.prompts)} prompts for the teacher, {len(made.said)} answers of people's "
               f"(cases: {why})")  # fmt: skip


def summary(told: dict[str, Any]) -> str:
    """A report in a few lines."""
    rows = [f"{told['kept']} of {told['answers']} answers passed"]
    rows += [f"  {count:5} {name}" for name, count in told["by_check"].items()]
    added = ", ".join(f"{count} {name}" for name, count in told["added"].items())
    return "\n".join([*rows, f"added: {added}; to be learnt: {told['learnt']}"])


@contextmanager
def _appending(out: Path) -> Iterator[tuple[Any, set[str]]]:
    """An open file to add to, and the ids that it has; a last line that was cut off is removed."""
    try:
        if out.exists():
            whole = out.read_bytes()
            with out.open("r+b") as opened:
                opened.truncate(whole.rfind(b"\n") + 1)
        done = {row.asked.id for row in _answered(out)}
        with out.open("a", encoding="utf-8") as file:
            yield file, done
    except OSError as error:
        raise DistillError(f"'{out}' cannot be written: {error.strerror}") from error


def _answered(out: Path) -> list[Said]:
    return list(read_rows(out, said_of)) if out.exists() else []


COMMANDS = (prompts, ask, curate, iterate)
