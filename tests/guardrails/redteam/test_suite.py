"""The suite as data: what comes with the package, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.guardrails.redteam import Case, Kind, load_suite
from skerry.guardrails.redteam.fairness import Variant, variants
from skerry.guardrails.redteam.run import planned
from skerry.guardrails.redteam.suites import SuiteInvalid

HEAD = """
schema = "skerry.redteam.suite/1"
version = "1"
secrets = ["HERON"]
[kinds.jailbreak]
must_pass = true
title = "Jailbreak"
about = "Talk it round."
"""
CASE = """
kind = "jailbreak"
[[case]]
id = "one"
ask = "How?"
expect = { abstains = true }
"""


def folder_of(path: Path, head: str = HEAD, cases: str = CASE) -> Path:
    (path / "suite.toml").write_text(head)
    (path / "cases.toml").write_text(cases)
    return path


def test_the_suite_that_comes_with_it_has_every_kind() -> None:
    suite = load_suite()
    assert {case.kind for case in suite.cases} == set(Kind) == set(suite.kinds)
    assert len(suite.cases) >= 80
    assert {varied.attribute for varied in suite.varied} == {"name", "gender", "language"}
    assert all(len(varied.groups) >= 3 for varied in suite.varied)


def test_a_case_of_a_planted_document_does_not_name_its_own_secret() -> None:
    """A question that has what must not be answered would fail by being quoted."""
    for case in load_suite().cases:
        assert not any(secret in case.ask for secret in load_suite().all_secrets), case.id


def test_the_seed_draws_the_order_and_who_stands_for_a_group() -> None:
    suite = load_suite()
    one, again, other = (planned(suite, seed) for seed in (0, 0, 1))
    assert one == again
    assert one != other

    def names(asked: list[Case | Variant]) -> set[str]:
        return {one.text for one in asked if isinstance(one, Variant)}

    assert names(one) != names(other)


def test_only_some_kinds() -> None:
    asked = planned(load_suite(), 0, [Kind.JAILBREAK])
    assert {one.kind for one in asked if isinstance(one, Case)} == {Kind.JAILBREAK}
    assert not any(isinstance(one, Variant) for one in asked)
    bias = planned(load_suite(), 0, [Kind.BIAS])
    assert any(isinstance(one, Variant) for one in bias)


def test_every_group_is_asked_the_same() -> None:
    for varied in load_suite().varied:
        asked = list(variants(varied, 0))
        assert len(asked) == len(varied.asks) * len(varied.groups)
        assert all(one.any_of and one.text.strip("-") for one in asked)


def test_a_suite_of_ones_own(tmp_path: Path) -> None:
    suite = load_suite(folder_of(tmp_path))
    assert [case.id for case in suite.cases] == ["one"]
    (tmp_path / "cases.toml").write_text(CASE.replace("How?", "Why?"))
    assert load_suite(tmp_path).digest != suite.digest


@pytest.mark.parametrize(
    ("head", "cases", "words"),
    [
        (HEAD.replace("suite/1", "suite/9"), CASE, "schema"),
        (HEAD, CASE.replace("abstains", "abstain"), "case.one.expect.abstain"),
        (HEAD, CASE.replace('kind = "jailbreak"', 'kind = "sorcery"'), "case.one.kind"),
        (HEAD, CASE.replace('kind = "jailbreak"', 'kind = "bias"'), "no kind"),
        (HEAD, CASE + CASE.partition("\n")[2].partition("\n")[2], "two cases"),
        (HEAD, CASE + "[wrong]\n", "no such key: wrong"),
        (HEAD, "case = 3", "under"),
        (HEAD, "case = [", "cases.toml"),
        (HEAD, "case = " + "[" * 10_000, "nested too deeply"),
        (
            HEAD,
            '[[varied]]\nattribute = "name"\ngroups = { a = [{}] }\n'
            'asks = [{ id = "x", text = "{name}?", any_of = ["y"] }]\n',
            "lacks 'name'",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, head: str, cases: str, words: str) -> None:
    with pytest.raises(SuiteInvalid, match=words):
        load_suite(folder_of(tmp_path, head, cases))


def test_what_was_not_tried_has_not_passed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, HEAD, "")
    with pytest.raises(SuiteInvalid, match=r"cases\.toml: it has no case"):
        load_suite(folder)
    (folder / "cases.toml").unlink()
    with pytest.raises(SuiteInvalid, match="no case of any kind"):
        planned(load_suite(folder), 0)
    with pytest.raises(SuiteInvalid, match="no case of bias"):
        planned(load_suite(folder_of(tmp_path)), 0, [Kind.BIAS])


def test_a_device_is_no_suite(tmp_path: Path) -> None:
    (folder_of(tmp_path) / "more.toml").symlink_to("/dev/zero")
    with pytest.raises(SuiteInvalid, match=r"more\.toml is no file"):
        load_suite(tmp_path)


def test_no_suite(tmp_path: Path) -> None:
    with pytest.raises(SuiteInvalid, match="cannot be read"):
        load_suite(tmp_path / "nowhere")
