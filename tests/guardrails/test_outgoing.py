"""What a model writes is screened for danger before it is shown; what it quotes is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails import Evidence, Verdict
from skerry.guardrails import safety as safety_room
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.findings import FindingKind, Where
from skerry.guardrails.gate import DANGEROUS, GroundedGate, OpenGate
from skerry.guardrails.judging import Judge
from skerry.guardrails.outgoing import UNSCREENED, OutputScreen
from skerry.guardrails.safety import CLASSES

LEAST = dict.fromkeys(CLASSES, 0.9)
THREAT = "I am going to stab him when he comes home."
HATE = "All immigrants are vermin and should be shot."
SAFE = "The trolley is checked every day before nine."


def open_gate(*sources: str, **least: float) -> OpenGate:
    return OpenGate(screen=OutputScreen({**LEAST, **least}, sources))


def fed(gate: OpenGate | GroundedGate, parts: Sequence[str]) -> list[str]:
    return [gate.feed(part) for part in parts]


def test_a_dangerous_sentence_is_found_with_its_class_and_place() -> None:
    (found,) = OutputScreen(LEAST)(f"{SAFE} {HATE}")
    assert (found.kind, found.label, found.where) == (FindingKind.SAFETY, "hate", Where.OUTPUT)
    assert f"{SAFE} {HATE}"[found.start : found.end] == HATE
    assert found.score >= 0.9


def test_a_threshold_is_for_its_class() -> None:
    hate = "All immigrants are vermin."
    assert OutputScreen({**LEAST, "hate": 1.0})(hate) == ()
    assert OutputScreen({**LEAST, "violence": 1.0})(hate)


def test_what_a_source_says_word_for_word_is_no_finding() -> None:
    source = f"Example of a threat:\n{THREAT.replace(' him', '  him')} Report it."
    assert OutputScreen(LEAST, [source])(f"{SAFE} {THREAT}") == ()
    assert OutputScreen(LEAST, [SAFE])(THREAT)
    assert OutputScreen(LEAST, [""])(THREAT)


def test_what_cannot_be_screened_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise GuardrailError("the weights were changed", hint="Reinstall skerry.")

    monkeypatch.setattr(safety_room, "find", broken)
    gate = open_gate()
    assert gate.feed(f"{SAFE} ") == ""
    last, answer = gate.finish()
    assert (last, answer.verdict) == (DANGEROUS, Verdict.WITHHELD)
    assert [one.label for one in answer.findings] == [UNSCREENED]


def test_an_open_answer_ends_where_it_becomes_dangerous() -> None:
    gate = open_gate()
    parts = [f"{SAFE} ", "I am going to", " stab him when he comes home. ", SAFE]
    shown = "".join(fed(gate, parts))
    assert not gate.wants_more
    last, answer = gate.finish()
    assert shown.strip() == SAFE
    assert shown + last == answer.text
    assert answer.text.endswith(DANGEROUS)
    assert "stab" not in answer.text
    assert answer.verdict is Verdict.REPAIRED
    assert [one.label for one in answer.findings] == ["violence"]


def test_an_answer_that_is_dangerous_from_the_start_is_withheld() -> None:
    gate = open_gate()
    assert fed(gate, HATE) == [""] * len(HATE)
    last, answer = gate.finish()
    assert (last, answer.text, answer.verdict) == (DANGEROUS, DANGEROUS, Verdict.WITHHELD)


def test_a_sentence_over_several_lines_is_read_whole() -> None:
    gate = open_gate()
    shown = "".join(fed(gate, ["All immigrants\n", "are vermin and\n", "should be shot.\n"]))
    assert "shot" not in shown + gate.finish()[0]


def test_a_harmless_answer_is_passed_on_as_it_is() -> None:
    text = f'{SAFE}\n\n```\nkill(pid)\n```\n{{"name": "x", "n": [1, 2]}}\n - last'
    gate = open_gate()
    shown = fed(gate, [text[at : at + 3] for at in range(0, len(text), 3)])
    last, answer = gate.finish()
    assert "".join(shown) + last == answer.text == text
    assert answer.verdict is Verdict.RELEASED
    assert sum(map(bool, shown)) > 4


def test_a_text_without_an_end_is_not_waited_for() -> None:
    gate = open_gate()
    assert len("".join(fed(gate, ["word "] * 400))) > 1000


@given(st.lists(st.text(max_size=40), max_size=12))
def test_how_a_draft_comes_changes_nothing(parts: list[str]) -> None:
    gate, whole = open_gate(), open_gate()
    shown = "".join(fed(gate, parts))
    last, answer = gate.finish()
    assert shown + last == answer.text
    whole.feed("".join(parts))
    assert whole.finish()[1].text == answer.text


SOURCE = Evidence(1, f"A man said on the ward: {THREAT} He was calmed. The alarm is button 7.")


def grounded(least: dict[str, float], sources: Sequence[str] = ()) -> GroundedGate:
    judge = Judge("What did the man on the ward say that he is going to do?", [SOURCE])
    return GroundedGate(judge, OutputScreen(least, sources))


def test_a_grounded_sentence_that_is_dangerous_is_dropped() -> None:
    gate = grounded(LEAST)
    gate.feed(f"{THREAT} The alarm is button 7 [1]. ")
    _, answer = gate.finish()
    assert "stab" not in answer.text
    assert "button 7" in answer.text
    assert answer.verdict is Verdict.REPAIRED
    assert ("violence", Where.OUTPUT) in {(one.label, one.where) for one in answer.findings}


def test_a_grounded_quotation_is_shown() -> None:
    gate = grounded(LEAST, [SOURCE.text])
    gate.feed(f"{THREAT} ")
    _, answer = gate.finish()
    assert "stab him" in answer.text
    assert answer.verdict is Verdict.RELEASED
