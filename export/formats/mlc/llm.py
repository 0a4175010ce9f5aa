"""Language models for MLC-LLM, whose own command line makes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.exporter import Kind, Loaded, Made
from skerry.export.formats.base import FormatExporter, Job, Outcome
from skerry.export.formats.mlc.plan import PRECISIONS, Step, conversation, plan
from skerry.export.formats.needs import Needs
from skerry.export.formats.unpacking import unpacked
from skerry.export.with_parent import last_words, module_command

_TIMEOUT_S = 4 * 3600
_INSTALL = (
    "pip install --pre -f https://mlc.ai/wheels mlc-llm-nightly-cpu mlc-ai-nightly-cpu"
    "  # not on PyPI: https://llm.mlc.ai/docs/install/mlc_llm"
)
_TEMPLATES = ("chat_template.jinja", "tokenizer_config.json")


class MlcLlm(FormatExporter):
    """An `Exporter`; the library is compiled for `device`, a key of `plan.LIBRARIES`."""

    format = Format.MLC
    kind = Kind.LLM
    needs = Needs(("mlc_llm", "transformers"), _INSTALL, ("mlc-llm-nightly-cpu", "mlc-llm"))
    to_run = needs
    reads_gguf = True

    def __init__(self, device: str = "android") -> None:
        self.device = device

    def precisions(self) -> tuple[str, ...]:
        return PRECISIONS

    def runs_here(self) -> str | None:
        return (
            f"its library is compiled for {self.device}; MLC's own tools run it there "
            "(mlc_llm chat), and Skerry has no code that does"
        )

    def _make(self, job: Job) -> Outcome:
        source = unpacked(job.source, job.work)
        job.folder.mkdir()
        template = conversation(_template(source))
        program = tuple(module_command("mlc_llm"))
        steps = plan(
            source, job.folder, job.precision, self.device, template=template, program=program
        )
        for number, step in enumerate(steps):
            job.progress(step.what, 0.1 + 0.3 * number)
            _run(step)
        return Outcome(facts={"device": self.device, "conversation": template})

    def _open(self, made: Made) -> Loaded:
        raise Unsupported(f"'{made.folder}' cannot run here", hint="run it with mlc_llm")


def _template(source: Path) -> str:
    files = (source / name for name in _TEMPLATES)
    return "".join(file.read_text("utf-8", "replace") for file in files if file.is_file())


def _run(step: Step) -> None:
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        step.command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        last = last_words(done.returncode, done.stderr)
        raise OutputFailed(f"MLC failed at {step.what}: {last}", hint=" ".join(step.command))
