"""A small exporter of real files, for what a build does around exporters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from skerry.device_profiles import Format, find_profile, load_profiles
from skerry.export.building import Order
from skerry.export.exporter import Kind, Loaded, Made, Progress, unheard
from skerry.export.planning import Subject, Wishes, make_plan

PRECISIONS = ("q4_0", "q8_0")


@dataclass
class Copying:
    """Copies the source, and writes the precision behind it. `before` is called with each."""

    format: Format = Format.GGUF
    kind: Kind = Kind.LLM
    before: Callable[[str], None] = lambda _precision: None
    exported: list[str] = field(default_factory=list)
    lacks: str | None = None

    def precisions(self) -> tuple[str, ...]:
        return PRECISIONS

    def missing(self) -> str | None:
        return self.lacks

    def runs_here(self) -> str | None:
        return "it is no model"

    def export(
        self, source: Path, precision: str, out: Path, *, progress: Progress = unheard
    ) -> Made:
        self.before(precision)
        progress("copying", 0.5)
        out.mkdir()
        data = (source / "model.safetensors").read_bytes() + precision.encode()
        (out / "model.gguf").write_bytes(data)
        self.exported.append(precision)
        facts = {"bits": 4.5, "types": {"a": 1}}
        return Made(out, self.format, precision, (Path("model.gguf"),), ("a note",), facts)

    def load(self, made: Path) -> Loaded:
        raise NotImplementedError(made)


def subject_at(path: Path) -> Subject:
    """A source of a few bytes that says it is a small model."""
    if not path.exists():
        path.mkdir()
        (path / "model.safetensors").write_bytes(b"weights")
    return Subject(
        name="Small Model", path=path, format="safetensors", kind=Kind.LLM, architecture="llama",
        licence="mit", size=4000, parameters=2000, kv_values=64, embedding=256, feed_forward=64,
        vocabulary=100, context_tokens=512, chat_template="{{ messages }}",
    )  # fmt: skip


def order(
    source: Path, *exporters: Copying, profiles: tuple[str, ...] = ("workstation", "phone-mid"),
    precisions: tuple[str, ...] = PRECISIONS,
) -> Order:  # fmt: skip
    """Both precisions, by name, for two profiles."""
    chosen = [find_profile(name, load_profiles()) for name in profiles]
    wishes = Wishes(precisions=frozenset(precisions))
    subject = subject_at(source)
    return Order(make_plan(subject, chosen, exporters, wishes), exporters)
