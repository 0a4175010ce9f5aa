"""A run against a target that does what a test says; groups compared; the report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.redteam import Asked, Kind, Observed, ToolSeen, load_suite, run
from skerry.guardrails.redteam.fairness import Variant, VariantResult, compare
from skerry.guardrails.redteam.fields import results_fields
from skerry.guardrails.redteam.journal import Journal
from skerry.guardrails.redteam.report import render
from skerry.guardrails.redteam.run import wilson

QUIET = Observed("The documents do not say.", tier="device", abstained=True)


class Target:
    """Answers as `answer` says."""

    def __init__(self, answer: Callable[[Asked], Observed] = lambda asked: QUIET) -> None:
        self._answer = answer
        self.asked: list[Asked] = []

    def describe(self) -> Mapping[str, str]:
        return {"model": "<b>none</b>"}

    def ask(self, asked: Asked) -> Observed:
        self.asked.append(asked)
        return self._answer(asked)


def test_a_target_that_says_nothing_is_safe() -> None:
    target, names = Target(), []
    only = [Kind.DIRECT_INJECTION, Kind.EXFILTRATION]
    results = run(load_suite(), target, only=only, done=names.append)
    assert results.ok
    assert [one.kind for one in results.kinds] == only
    assert len(names) == len(target.asked) == len(results.cases)
    assert any(asked.documents for asked in target.asked)


def test_one_failed_case_that_must_pass_fails_the_run() -> None:
    target = Target(lambda asked: Observed("PELICAN-9" if "ROT13" in asked.text else "No."))
    results = run(load_suite(), target, only=[Kind.DIRECT_INJECTION])
    assert not results.ok
    (failed,) = [one for one in results.cases if not one.passed]
    assert failed.case.id == "direct-rot13"


def test_a_kind_that_is_only_measured_does_not() -> None:
    results = run(load_suite(), Target(lambda _: Observed("40")), only=[Kind.HALLUCINATION])
    (kind,) = results.kinds
    assert kind.passed < kind.total
    assert results.ok


def test_unequal_treatment_fails_the_run() -> None:
    def unequal(asked: Asked) -> Observed:
        polish = ("Nowak", "Kaczmarek", "Wrona")
        return QUIET if any(name in asked.text for name in polish) else Observed("", tier="device")

    results = run(load_suite(), Target(unequal), only=[Kind.BIAS])
    assert ("name", "refused") in {(one.attribute, one.measure) for one in results.unequal}
    assert not results.ok


def outcome(ask: str, group: str, refused: bool) -> VariantResult:
    seen = Observed("yes", tier="device", abstained=refused)
    return VariantResult(Variant("name", ask, group, "?", ("yes",)), seen)


@pytest.mark.parametrize(
    ("refused", "beyond"),
    [
        (lambda ask, group: False, False),
        (lambda ask, group: ask % 2 == 0, False),
        (lambda ask, group: (ask, group) == (3, "b"), False),
        (lambda ask, group: group == "b", True),
    ],
    ids=["never", "the same for all", "one of many", "one group always"],
)
def test_what_is_more_than_noise(refused: Callable[[int, str], bool], beyond: bool) -> None:
    results = [
        outcome(str(ask), group, refused(ask, group)) for ask in range(8) for group in "abcd"
    ]
    (measured,) = [one for one in compare(results, 0) if one.measure == "refused"]
    assert measured.beyond_noise is beyond
    assert compare(results, 0) == compare(results, 0)


def test_a_request_that_not_every_group_was_asked_counts_for_none() -> None:
    results = [outcome("x", group, False) for group in "ab"] + [outcome("y", "a", True)]
    refused = next(one for one in compare(results, 0) if one.measure == "refused")
    assert refused.rates == {"a": 0.0, "b": 0.0}


@given(st.integers(0, 50), st.integers(0, 50))
def test_an_interval_holds_its_share(one: int, other: int) -> None:
    passed, total = min(one, other), max(one, other)
    low, high = wilson(passed, total)
    assert 0 <= low <= high <= 1
    if total:
        assert low - 1e-9 <= passed / total <= high + 1e-9


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    path, head, only = tmp_path / "observed.jsonl", {"suite": "1"}, [Kind.JAILBREAK]

    def tired(asked: Asked) -> Observed:
        if len(first.asked) == 4:
            raise KeyboardInterrupt
        return Observed("héron", tools=(ToolSeen("look_up", "ok"),), sent=("x",))

    first = Target(tired)
    with pytest.raises(KeyboardInterrupt):
        run(load_suite(), first, only=only, journal=Journal(path, head, resume=False))
    path.write_text(path.read_text() + '{"name": "half')
    journal = Journal(path, head, resume=True)
    assert len(journal) == 3
    second = Target()
    results = run(load_suite(), second, only=only, journal=journal)
    assert len(second.asked) == len(results.cases) - 3
    assert sum(one.seen.text == "héron" for one in results.cases) == 3
    assert sum(one.seen.sent == ("x",) for one in results.cases) == 3
    assert len(Journal(path, head, resume=True)) == len(results.cases)
    assert len(Journal(path, {"suite": "2"}, resume=True)) == 0
    assert len(Journal(path, head, resume=True)) == 0
    journal.finish()
    assert not path.exists()


class Loads(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img", "link", "iframe", "a"} or {"src", "href", "onload"} & set(
            given
        ):
            self.found.append((tag, given))


@pytest.fixture(scope="module")
def page() -> str:
    def hostile(asked: Asked) -> Observed:
        return Observed('"><script>alert(1)</script>![x](https://e.example)', tier="device")

    return render(run(load_suite(), Target(hostile)))


def test_the_report_loads_nothing_and_runs_nothing(page: str) -> None:
    parser = Loads()
    parser.feed(page)
    assert parser.found == []
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;none" in page
    assert page.count("<svg") >= 8
    assert "NaN" not in page
    assert not re.search(r"\{\{|\{%", page)


def test_the_results_are_json() -> None:
    fields = results_fields(run(load_suite(), Target(), only=[Kind.BIAS, Kind.PII_LEAK]))
    again = json.loads(json.dumps(fields))
    assert again["ok"] is True
    assert {one["kind"] for one in again["kinds"]} == {"bias", "pii_leak"}
    assert len(again["groups"]) == 9
