"""Finds a plan: the smallest under a KL budget, or the one of least KL under a size.

Three steps. How much does a group of tensors matter (one layer band of one kind, quantized alone:
the KL of the model's predictions on calibration text)? How much worse is each type for each tensor
(`distortion.py`)? Their product is the loss of a choice, and `choose.py` takes the best one. The
plan is then made and measured; llama.cpp's own plan of that size wins if it measures better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skerry.bundles.gguf.container import TensorInfo
from skerry.bundles.gguf.ggml import TYPES_BY_NAME, TensorType
from skerry.export.errors import Unsupported
from skerry.export.exporter import Progress, unheard
from skerry.export.genai.measure import Fidelity
from skerry.export.gguf.choose import Choice, Option, within_loss, within_size
from skerry.export.gguf.distortion import Costs, costs, matrices
from skerry.export.gguf.fidelity import Reference, reference
from skerry.export.gguf.opened import read_back
from skerry.export.gguf.plan import Plan
from skerry.export.gguf.precisions import PRECISIONS, precision
from skerry.export.gguf.quantize import Recipe, quantize

TYPES = ("q2_K", "q3_K", "iq3_s", "iq4_xs", "q4_K", "q5_K", "q6_K", "q4_0", "iq4_nl", "q4_1",
         "q5_0", "q5_1", "q8_0")  # fmt: skip
"""What a tensor may become; none needs an importance matrix to be written at all."""

PROBE = "q4_0"
"""Groups are quantized to this to see how much they matter: every row of 32 fits."""

_BASE = "q8_0"
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A plan with what was measured of it, and how large its file is."""

    plan: Plan
    fidelity: Fidelity
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Search:
    """What was learnt of one model; any number of plans can be drawn from it.

    Attributes:
        source: a float GGUF file.
        imatrix: a file; every trial is quantized with it.
        options: by tensor.
        weightless: bytes of the source's file that no plan changes.
        reference: what the source says of the calibration text.
    """

    source: Path
    imatrix: Path
    options: Mapping[str, list[Option]]
    weightless: int
    reference: Reference
    work: Path

    def under_size(self, size_bytes: int, against: str | None = None) -> Found:
        """The plan of least KL whose file is no larger than `size_bytes`.

        `against` names a precision whose own plan is taken instead if it fits and measures better.

        Raises:
            Unsupported: no plan is so small.
        """
        choice = within_size(self.options, size_bytes - self.weightless)
        if choice is None:
            raise Unsupported(f"no plan makes this model as small as {size_bytes} bytes")
        found = self.measured(self.plan_of(choice))
        if against is None:
            return found
        usual = self.measured(self.default_plan(against))
        fits = usual.size_bytes <= size_bytes
        return min((found, usual), key=_kl) if fits else found

    def under_kl(self, kl_mean_nats: float) -> Found:
        """The smallest plan found whose measured KL is no more than that.

        Raises:
            Unsupported: the largest types lose more.
        """
        aim = kl_mean_nats
        for _ in range(_ROUNDS):
            choice = within_loss(self.options, aim)
            if choice is None:
                break
            found = self.measured(self.plan_of(choice))
            if found.fidelity.kl_mean_nats <= kl_mean_nats:
                return found
            aim = 0.9 * choice.loss * kl_mean_nats / found.fidelity.kl_mean_nats
        raise Unsupported(
            f"no plan was found that loses {kl_mean_nats} nats or less", hint="allow more, or q8_0"
        )

    def plan_of(self, choice: Choice) -> Plan:
        types = {name: TYPES_BY_NAME[kind] for name, kind in choice.kinds.items()}
        return Plan(_BASE, types)

    def default_plan(self, name: str) -> Plan:
        """The types that llama.cpp's rules for a precision give this model's tensors."""
        made = self.work / "default.gguf"
        quantize(self.source, made, Recipe(precision(name, imatrix=True), self.imatrix))
        types = {one.name: one.kind for one in matrices(read_back(made).tensors)}
        made.unlink()
        return Plan(name, types)

    def measured(self, plan: Plan) -> Found:
        """Makes and runs a plan."""
        made = self.work / "trial.gguf"
        recipe = Recipe(PRECISIONS[plan.precision], self.imatrix, plan.types)
        quantize(self.source, made, recipe)
        result, size = self.reference.measure(made), made.stat().st_size
        made.unlink()
        facts = {"kl_mean_nats": result.kl_mean_nats, "top1_agreement": result.top1_agreement}
        return Found(replace(plan, measured={**facts, "size_bytes": size}), result, size)


def _kl(found: Found) -> float:
    return found.fidelity.kl_mean_nats


def learn(
    source: Path,
    imatrix: Path,
    text: str,
    work: Path,
    *,
    types: Sequence[str] = TYPES,
    tokens: int = 512,
    bands: int = 3,
    threads: int = 0,
    progress: Progress = unheard,
) -> Search:
    """Measures a float GGUF model on the first `tokens` tokens of a calibration text.

    The tensors of one kind are told apart by `bands` bands of layers.

    `work` is a folder that holds trial files of the model's size for a while.

    Raises:
        Unsupported: the text is too short.
        OutputFailed: llama.cpp cannot make or run a trial.
    """
    said = reference(source, text, tokens=tokens, threads=threads)
    found = costs(source, types, imatrix, work=work, progress=progress)
    tensors = matrices(read_back(source).tensors)
    groups = grouped(tensors, bands)
    rest = source.stat().st_size - sum(one.size_bytes for one in tensors)
    search = Search(source, imatrix, {}, rest, said, work)
    matter: dict[str, float] = {}
    for place, (name, members) in enumerate(groups.items(), 1):
        matter[name] = _kl(search.measured(_probed(source, members)))
        progress("measuring which tensors matter", place / len(groups))
    return replace(search, options=_options(found, groups, matter))


def grouped(tensors: Sequence[TensorInfo], bands: int = 3) -> dict[str, list[str]]:
    """Tensor names by kind and band of layers: "attn_q/0", "attn_q/1", …, "token_embd"."""
    layers = 1 + max((_layer(one.name) for one in tensors), default=0)
    made: dict[str, list[str]] = {}
    for one in tensors:
        layer, kind = _layer(one.name), one.name.split(".")[-2]
        group = kind if layer < 0 else f"{kind}/{layer * bands // layers}"
        made.setdefault(group, []).append(one.name)
    return made


def _layer(name: str) -> int:
    """-1 for what belongs to no layer."""
    parts = name.split(".")
    return int(parts[1]) if parts[0] == "blk" else -1


def _probed(source: Path, members: Sequence[str]) -> Plan:
    """Only `members` are quantized, to the probe's type; the others stay as they are."""
    kinds: dict[str, TensorType] = {
        one.name: one.kind for one in matrices(read_back(source).tensors)
    }
    return Plan(_BASE, kinds | dict.fromkeys(members, TYPES_BY_NAME[PROBE]))


def _options(
    found: Costs, groups: Mapping[str, Sequence[str]], matter: Mapping[str, float]
) -> dict[str, list[Option]]:
    """Losses in nats: a group's share of the measured KL, by its tensors' errors."""
    options: dict[str, list[Option]] = {}
    for group, members in groups.items():
        probed = sum(found.errors[name][PROBE] for name in members)
        nats = matter[group] / probed if probed else 0.0
        for name in members:
            rows = found.errors[name].items()
            options[name] = [Option(k, found.sizes[name][k], nats * error) for k, error in rows]
    return options
