"""What is on the front, where labels go, and that a page is safe whatever it shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from skerry.export.errors import OutputFailed
from skerry.export.measure.results import Cost, Failure, Measured
from skerry.export.report import plot, render, report_fields, summaries, write_report
from skerry.export.report.pareto import Place, front
from skerry.export.report.plot import Point, scatter
from tests.export.evaluation.made_up import cost, encoding, fidelity, measured, task

HOSTILE = "x\"'><script>alert(1)</script><img src=http://evil.example/a.png>"


def _names(places: list[Place]) -> str:
    return "".join(one.name for one in front(places))


FRONTS = {
    "nothing": ([], ""),
    "one": ([Place("a", 1, 1)], "a"),
    "one beaten": ([Place("a", 1, 1), Place("b", 2, 2)], "a"),
    "each best in one": ([Place("b", 2, 1), Place("a", 1, 2)], "ab"),
    "as good and larger": ([Place("a", 1, 1), Place("b", 2, 1)], "a"),
    "the same": ([Place("a", 1, 1), Place("b", 1, 1)], "ab"),
    "a chain": ([Place("a", 1, 9), Place("b", 2, 9), Place("c", 3, 1), Place("d", 4, 2)], "ac"),
}


@pytest.mark.parametrize("name", FRONTS)
def test_front(name: str) -> None:
    places, wanted = FRONTS[name]
    assert _names(places) == wanted


def _sized(name: str, size_mb: float, kl: float, speed: float) -> Measured:
    loss = fidelity([2.0], kl=kl)
    return measured(name, size_bytes=int(size_mb * 1e6), fidelity=loss, cost=cost([speed]))


def test_summaries_mark_the_fronts_of_size_and_speed() -> None:
    rows = summaries([
        _sized("gguf-f16", 270, 1e-4, 30),
        _sized("gguf-q4_0", 90, 4e-2, 70),
        _sized("gguf-q4_1", 98, 5e-2, 60),
        _sized("gguf-q8_0", 144, 1e-3, 45),
    ])  # fmt: skip
    assert [one.name for one in rows] == ["gguf-q4_0", "gguf-q4_1", "gguf-q8_0", "gguf-f16"]
    assert [one.name for one in rows if not one.size_front] == ["gguf-q4_1"]
    assert [one.name for one in rows if not one.speed_front] == ["gguf-q4_1"]


def test_a_loss_of_arithmetic_is_told_as_it_is_and_compared_as_none() -> None:
    small, large = _sized("gguf-q4_1", 98, 3e-7, 60), _sized("gguf-q8_0", 144, 2e-8, 60)
    rows = summaries([small, large])
    assert [one.loss for one in rows] == pytest.approx([3e-7, 2e-8])
    assert [one.size_front for one in rows] == [True, False]
    assert "3e-07" in render("b", [small, large])


def test_kinds_have_fronts_of_their_own() -> None:
    small = measured("onnx-int8", kind="encoder", size_bytes=100, fidelity=None, tasks={},
                     encoding=encoding())  # fmt: skip
    rows = summaries([small, measured()])
    assert [one.kind for one in rows] == ["llm", "encoder"]
    assert all(one.size_front for one in rows)
    assert rows[1].loss == pytest.approx(0.005)


def test_the_json_has_the_figures_and_all_that_was_measured() -> None:
    fields = json.loads(json.dumps(report_fields("b", [measured()])))
    (row,) = fields["variants"]
    assert (row["perplexity"], row["top1_agreement"], row["peak_mb"]) == (9.0, 0.95, 200.0)
    assert row["tasks"]["grounded_qa"] == row["task_score"] == pytest.approx(0.75)
    assert len(fields["measured"][0]["tasks"]["grounded_qa"]["items"]) == 60


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _hostile() -> list[Measured]:
    tasks = {"grounded_qa": replace(task("grounded_qa", [0.0, 1.0]), task=HOSTILE)}
    answers = tuple(replace(one, answer=HOSTILE) for one in tasks["grounded_qa"].items)
    tasks = {HOSTILE: replace(tasks["grounded_qa"], items=answers)}
    failures = (Failure("cost", HOSTILE),)
    named = measured(HOSTILE, tasks=tasks, failures=failures, notes=(HOSTILE,),
                     source={"name": HOSTILE, "sha256": HOSTILE},
                     machine={"system": HOSTILE, "architecture": HOSTILE, "cores": HOSTILE,
                              "features": [HOSTILE]})  # fmt: skip
    return [named, measured()]


def test_a_page_loads_nothing_and_runs_nothing_whatever_it_shows() -> None:
    page = Page(render(HOSTILE, _hostile()))
    tags = {tag for tag, _ in page.tags}
    assert {"svg", "table", "circle"} <= tags
    assert not tags & {"script", "img", "link", "iframe", "object", "foreignobject", "a"}
    for _, attributes in page.tags:
        assert not {"src", "href", "onload", "onclick"} & attributes.keys()


def test_every_circle_says_which_variant_it_is() -> None:
    text = render("bundle", [_sized("gguf-f16", 270, 1e-4, 30), _sized("gguf-q4_0", 90, 0.04, 70)])
    titles = re.findall(r"<circle[^>]*><title>([^<]*)</title>", text)
    assert len(titles) == 6  # three plots of two variants
    assert any(one.startswith("gguf-q4_0: 90 file, MB, 0.04 KL") for one in titles)


EMPTY = measured("gguf-q2_k", fidelity=None, cost=None, tasks={}, parameters=None,
                 bits_per_weight=None, failures=(Failure("fidelity", "crashed"),))  # fmt: skip


@pytest.mark.parametrize(
    "found", [[EMPTY], [EMPTY, measured()], [measured()] * 1], ids=["nothing", "some", "one"]
)
def test_what_was_not_measured_leaves_a_gap(found: list[Measured]) -> None:
    text = render("bundle", found)
    assert ("crashed" in text) is (EMPTY in found)
    assert "None" not in text
    assert "nan" not in text


def test_an_encoder_that_was_not_timed() -> None:
    one = measured("onnx-int8", kind="encoder", fidelity=None, tasks={}, encoding=encoding(),
                   cost=Cost(2, 0, 0, (), (), (), 40.0, 99.0))  # fmt: skip
    assert "0.9950" in render("bundle", [one])


def test_labels_lie_inside_and_apart() -> None:
    points = [Point(f"gguf-q{number}_k_m", 90 + number, 0.01 * number, True)
              for number in range(1, 12)]  # fmt: skip
    made = scatter("t", "x", "y", points, logarithmic=True)
    assert made is not None
    boxes = [plot._box(one.label) for one in made.marks if one.label]
    assert len(boxes) >= 5
    for number, one in enumerate(boxes):
        assert one[0] >= plot.LEFT
        assert one[2] <= plot.WIDTH
        assert not any(plot._overlap(one, other) for other in boxes[number + 1 :])


@pytest.mark.parametrize("value", [0.0, 1e-9, 1.0, 1e9])
def test_one_point_or_many_alike_can_be_drawn(value: float) -> None:
    points = [Point("a", value, 0.5, True), Point("b", value, 0.5, True)]
    made = scatter("t", "x", "y", points, logarithmic=False)
    assert made is not None
    assert all(plot.LEFT <= one.x <= plot.WIDTH for one in made.marks)


def test_a_report_is_written_anew_and_leaves_nothing_else(tmp_path: Path) -> None:
    for _ in range(2):
        page, data = write_report("b", [measured()], tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "report.html", "report.json",
    ]  # fmt: skip
    assert json.loads(data.read_text())["schema"] == "skerry.export.report/1"
    assert page.read_text().startswith("<!doctype html>")


def test_a_place_that_takes_no_report_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(OutputFailed, match="taken"):
        write_report("b", [measured()], tmp_path / "taken")
