"""Plans: written, read, refused, followed; and the search that finds them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from skerry.bundles.gguf.ggml import TYPES_BY_NAME
from skerry.export.errors import ExportError, SourceRefused, Unsupported
from skerry.export.gguf import imatrix, search
from skerry.export.gguf.choose import Choice, Option, frontier, hull, within_loss, within_size
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.opened import read_back
from skerry.export.gguf.plan import Plan, load_plan, save_plan
from tests.export.gguf import tiny

TEXT = "The emergency trolley is checked every day before 09:00, and again after each use. " * 40


def test_a_plan_is_what_was_saved(tmp_path: Path) -> None:
    types = {
        "blk.10.ffn_up.weight": TYPES_BY_NAME["q4_K"],
        "blk.2.ffn_up.weight": TYPES_BY_NAME["q8_0"],
        "token_embd.weight": TYPES_BY_NAME["q6_K"],
    }
    save_plan(Plan("q4_k_m", types, {"kl_mean_nats": 0.0123}), tmp_path / "plan.toml")
    assert load_plan(tmp_path / "plan.toml") == Plan("q4_k_m", types)
    text = (tmp_path / "plan.toml").read_text()
    assert text.index("token_embd") < text.index("blk.2.") < text.index("blk.10.")
    with pytest.raises(FileExistsError):
        save_plan(Plan("q4_k_m", types), tmp_path / "plan.toml")


REFUSED = {
    "not there": (None, SourceRefused),
    "no TOML": ("format =", SourceRefused),
    "other format": ("format = 2", SourceRefused),
    "no tensors": ('format = 1\nprecision = "q4_0"', SourceRefused),
    "no quotation marks": (
        'format = 1\nprecision = "q4_0"\n[tensors]\nblk.0.attn_q.weight = "q8_0"', SourceRefused,
    ),
    "unknown type": ('format = 1\nprecision = "q4_0"\n[tensors]\n"a" = "q9"', Unsupported),
    "unwritten type": ('format = 1\nprecision = "q4_0"\n[tensors]\n"a" = "q8_K"', Unsupported),
    "unknown precision": ('format = 1\nprecision = "q9"\n[tensors]', Unsupported),
}  # fmt: skip


@pytest.mark.parametrize(("content", "kind"), REFUSED.values(), ids=REFUSED)
def test_plans_that_are_refused(
    content: str | None, kind: type[ExportError], tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "plan.toml").write_text(content)
    with pytest.raises(kind):
        load_plan(tmp_path / "plan.toml")


def test_a_plan_is_followed(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    kinds = {"blk.0.ffn_down.weight": "q8_0", "blk.1.attn_v.weight": "f16"}
    plan = Plan("q4_0", {name: TYPES_BY_NAME[kind] for name, kind in kinds.items()})
    exporter = GgufExporter(plan=plan)
    assert exporter.precisions() == ("q4_0",)
    made = exporter.export(tmp_path / "model", "q4_0", tmp_path / "made")
    got = {one.name: one.kind.name for one in read_back(made.folder / FILE).tensors}
    assert got.items() >= kinds.items()
    assert got["blk.1.ffn_down.weight"] == "q4_0"
    with pytest.raises(Unsupported, match="the plan is for q4_0"):
        exporter.export(tmp_path / "model", "q8_0", tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("blk.9.ffn_down.weight", "q8_0", "does not have"),
        ("blk.0.ffn_down.weight", "q4_K", "no multiple of 256"),
        ("blk.0.ffn_norm.weight", "q8_0", "no multiple"),
    ],
)
def test_a_plan_that_does_not_fit(name: str, kind: str, said: str, tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    plan = Plan("q4_0", {name: TYPES_BY_NAME[kind]})
    with pytest.raises(Unsupported, match=said):
        GgufExporter(plan=plan).export(tmp_path / "model", "q4_0", tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


OPTIONS = {
    "a": [Option("s", 1, 9.0), Option("m", 2, 5.0), Option("l", 4, 4.0), Option("bad", 3, 6.0)],
    "b": [Option("s", 2, 3.0), Option("m", 3, 1.0), Option("l", 9, 0.0)],
    "c": [Option("only", 5, 1.0)],
}


def every_choice() -> list[Choice]:
    rows = [[(name, option) for option in options] for name, options in OPTIONS.items()]
    return [
        Choice(
            {name: one.kind for name, one in picked},
            sum(one.size for _, one in picked),
            sum(one.loss for _, one in picked),
        )
        for picked in product(*rows)
    ]


def test_options_that_cannot_be_best_are_left_out() -> None:
    assert [one.kind for one in hull(OPTIONS["a"])] == ["s", "m", "l"]
    bent = [Option("s", 1, 9.0), Option("m", 2, 8.5), Option("l", 3, 1.0)]
    assert [one.kind for one in hull(bent)] == ["s", "l"]
    assert hull([Option("x", 1, 2.0), Option("y", 1, 1.0)]) == [Option("y", 1, 1.0)]


def test_each_choice_of_the_frontier_is_the_best_of_its_size() -> None:
    choices = list(frontier(OPTIONS))
    assert [one.size for one in choices] == sorted({one.size for one in choices})
    for choice in choices:
        assert choice.loss == min(one.loss for one in every_choice() if one.size <= choice.size)


def test_budgets() -> None:
    chosen = within_size(OPTIONS, 10)
    assert chosen is not None
    assert (chosen.size, chosen.loss) == (10, 7.0)
    assert within_size(OPTIONS, 7) is None
    chosen = within_loss(OPTIONS, 7.0)
    assert chosen is not None
    assert chosen.size == 10
    assert within_loss(OPTIONS, 1.0) is None


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> search.Search:
    folder = tmp_path_factory.mktemp("search")
    tiny.save_model(folder / "model")
    made = GgufExporter().export(folder / "model", "f32", folder / "made").folder / FILE
    imatrix.save(imatrix.measure(made, TEXT, threads=1), folder / "imatrix.gguf")
    kinds = ("q4_0", "q5_0", "q8_0")
    return search.learn(
        made, folder / "imatrix.gguf", TEXT, folder, types=kinds, tokens=300, bands=1, threads=1
    )


def test_a_larger_budget_loses_less(learnt: search.Search) -> None:
    wide = _widest(learnt)
    narrow = learnt.under_size(learnt.weightless + _smallest(learnt))
    assert wide.size_bytes > narrow.size_bytes
    assert wide.fidelity.kl_mean_nats < narrow.fidelity.kl_mean_nats


def _widest(learnt: search.Search) -> search.Found:
    choice = within_size(learnt.options, 10**9)
    assert choice is not None
    return learnt.measured(learnt.plan_of(choice))


def _smallest(learnt: search.Search) -> int:
    return sum(min(one.size for one in rows) for rows in learnt.options.values())


def test_a_plan_under_a_size_is_no_larger_and_no_worse(learnt: search.Search) -> None:
    usual = learnt.measured(learnt.default_plan("q5_0"))
    found = learnt.under_size(usual.size_bytes, against="q5_0")
    assert found.size_bytes <= usual.size_bytes
    assert found.fidelity.kl_mean_nats <= usual.fidelity.kl_mean_nats
    assert found.plan.measured["size_bytes"] == found.size_bytes
    with pytest.raises(Unsupported, match="as small as"):
        learnt.under_size(learnt.weightless + 10)


def test_a_plan_under_a_kl_keeps_to_it(learnt: search.Search) -> None:
    widest = _widest(learnt)
    budget = 4 * widest.fidelity.kl_mean_nats
    found = learnt.under_kl(budget)
    assert found.fidelity.kl_mean_nats <= budget
    assert found.size_bytes < widest.size_bytes
    with pytest.raises(Unsupported, match="no plan was found"):
        learnt.under_kl(widest.fidelity.kl_mean_nats / 1000)


def test_groups_are_bands_of_one_kind(learnt: search.Search) -> None:
    groups = search.grouped(search.matrices(read_back(learnt.source).tensors))
    assert groups["token_embd"] == ["token_embd.weight"]
    assert sorted(name for names in groups.values() for name in names) == sorted(learnt.options)
    assert groups["attn_q/0"] == ["blk.0.attn_q.weight"]
    assert groups["attn_q/1"] == ["blk.1.attn_q.weight"]
