"""Thresholds of a deployment's own: each class of danger, and the level of orders."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

import pytest

from skerry.edge.errors import ConfigError
from skerry.edge.policy import decide, load_policy, parse_policy
from skerry.edge.policy.load import DEFAULTS
from skerry.edge.policy.rules import AnswerDangers, Policy, QuestionDangers
from skerry.edge.types import RequestClass
from skerry.guardrails.findings import Where
from skerry.guardrails.safety import CLASSES
from skerry.guardrails.screen import screen_sentences
from skerry.guardrails.wording.signs import COUNTS
from tests.edge.policy.cases import DEVICE, HUMAN, SELF_HARM, ask


def overlay(text: str) -> Policy:
    return parse_policy(text, "ward.toml")


@pytest.mark.parametrize("rules", [QuestionDangers, AnswerDangers])
def test_every_class_has_a_threshold(rules: type) -> None:
    assert [one.name for one in fields(rules)] == [*CLASSES]


def test_one_class_is_made_stricter() -> None:
    hate = replace(SELF_HARM, label="hate", score=0.7, rule="network:safety")
    sexual = replace(hate, label="sexual")
    policy = overlay("[safety.question]\nhate = 0.7\n")
    assert decide(ask(findings=(hate,)), load_policy()).tier is DEVICE
    assert decide(ask(findings=(hate,)), policy).tier is HUMAN
    assert decide(ask(findings=(sexual,)), policy).tier is DEVICE


def test_the_score_of_all_classes_still_holds_for_each() -> None:
    violence = replace(SELF_HARM, label="violence", score=0.85, rule="network:safety")
    assert decide(ask(findings=(violence,)), overlay("safety.network_score = 0.85")).tier is HUMAN


def test_a_finding_seconds_the_router() -> None:
    doubtful = replace(SELF_HARM, label="violence", score=0.85, rule="network:safety")
    for likely, alone, seconded in ((0.14, DEVICE, DEVICE), (0.15, DEVICE, HUMAN)):
        scores = {RequestClass.SAFETY: likely}
        assert decide(ask(scores=scores), load_policy()).tier is alone
        assert decide(ask(scores=scores, findings=(doubtful,)), load_policy()).tier is seconded
    elsewhere = replace(doubtful, where=Where.CHUNK)
    given = ask(scores={RequestClass.SAFETY: 0.2}, findings=(elsewhere,))
    assert decide(given, load_policy()).tier is DEVICE


def test_a_whole_policy_may_turn_a_class_off() -> None:
    whole = DEFAULTS.read_text().replace("network_score = 0.9 ", "network_score = 1.0 ")
    whole = whole.replace("sexual = 0.9", "sexual = 1.0", 1)
    policy = overlay(whole)
    sexual = replace(SELF_HARM, label="sexual", score=0.999, rule="network:safety")
    assert decide(ask(findings=(sexual,)), load_policy()).tier is HUMAN
    assert decide(ask(findings=(sexual,)), policy).tier is DEVICE


def test_what_is_looked_for_is_what_counts_or_what_counts_by_default() -> None:
    least = load_policy().least
    assert least.order == COUNTS
    assert dict(least.danger) == dict.fromkeys(CLASSES, COUNTS)
    least = overlay("[injection]\nscore = 0.3\n[safety.question]\nhate = 0.4\n").least
    assert (least.order, least.danger["hate"], least.danger["sexual"]) == (0.3, 0.4, COUNTS)


@pytest.mark.parametrize("score", ["0", "0.0001", "0.5"])
def test_a_low_threshold_finds_more(score: str) -> None:
    """A network says of a sentence that it is a sign only from what policy wants to know of."""
    text = "Is this dangerous?"
    assert screen_sentences(text, least=load_policy().least) == ()
    policy = overlay(f"injection.score = {score}\n")
    found = screen_sentences(text, least=policy.least)
    assert all(one.score >= float(score) for one in found)
    assert bool(found) or float(score) > 0


def test_the_thresholds_are_part_of_the_digest() -> None:
    changed = {overlay(f"safety.answer.{name} = 0.5").digest for name in CLASSES}
    changed |= {overlay(f"safety.question.{name} = 0.5").digest for name in CLASSES}
    assert len(changed | {load_policy().digest}) == 2 * len(CLASSES) + 1


WRONG = {
    "safety.question.hatred = 0.5": "safety.question.hatred: unknown key",
    "safety.question.hate = 0": "should be greater than 0",
    "safety.answer.hate = 1.5": "less than or equal to 1",
    "safety.answer.sexual = 'low'": 'valid number, not "low"',
    "safety.answer = 0.5": "safety.answer: should be an object",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_threshold_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overlay(text)
    assert WRONG[text] in caught.value.what
    assert "ward.toml, line 1" in caught.value.what
    assert caught.value.hint


def test_red_flags_are_never_withheld_from_an_answer() -> None:
    assert asdict(load_policy().safety.answer)["clinical_red_flag"] == 1.0
