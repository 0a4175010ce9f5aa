"""Only the gate makes an answer, and it lets through what its sources say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails import Answer, Evidence, Verdict
from skerry.guardrails.entailment import Label
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.gate import NOT_FOUND, OTHERWISE, GroundedGate, OpenGate, fixed
from skerry.guardrails.judging import Judge, Judgement, WordReader
from skerry.guardrails.passages import Quotation

TROLLEY = "The emergency trolley is checked every day at 08:00 by the nurse in charge."
FRIDGE = "The vaccine fridge is kept between 2 and 8 degrees. Tell the pharmacist at once."
OLD = "The emergency trolley is checked every week."
EVIDENCE = (Evidence(1, TROLLEY), Evidence(2, FRIDGE), Evidence(3, OLD, in_force=False))


@dataclass(frozen=True)
class Case:
    name: str
    sentence: str
    text: str
    labels: tuple[str, ...] = ()


CASES = [
    Case(
        "cited and supported",
        "The trolley is checked every day [1].",
        "The trolley is checked every day [1].",
    ),
    Case(
        "a missing mark is added",
        "The trolley is checked every day.",
        "The trolley is checked every day [1].",
    ),
    Case(
        "a wrong mark is mended",
        "The trolley is checked every day [2].",
        "The trolley is checked every day [1].",
        ("miscited",),
    ),
    Case(
        "an unknown mark is dropped",
        "The trolley is checked every day [9].",
        "The trolley is checked every day [1].",
        ("unknown_mark",),
    ),
    Case(
        "an old version is not cited",
        "The emergency trolley is checked [3].",
        "The emergency trolley is checked [1].",
        ("not_in_force",),
    ),
    Case("not in any source", "Bananas are rich in potassium [1].", "", ("unsupported",)),
    Case(
        "a wrong number",
        "The fridge is kept between 2 and 9 degrees [2].",
        "",
        ("number_not_in_source",),
    ),
    Case("an admission passes", "The documents do not say.", "The documents do not say."),
    Case("no words", "[1]", ""),
    Case(
        "marks in one bracket",
        "The trolley is checked every day [1, 2].",
        "The trolley is checked every day [1].",
        ("miscited",),
    ),
    Case(
        "little beside what was asked",
        "The emergency trolley is checked for dust and cobwebs [1].",
        "",
        ("unsupported",),
    ),
    Case("the opposite", "The trolley is not checked every day [1].", "", ("opposite",)),
    Case(
        "stitched together",
        "The trolley is kept between degrees; tell the nurse in charge [1].",
        "",
        ("unsupported",),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_judge(case: Case) -> None:
    judgement = Judge("How is it checked?", EVIDENCE)(case.sentence)
    assert judgement.text == case.text
    assert tuple(finding.label for finding in judgement.findings) == case.labels


def run(draft: str, question: str = "How often is the trolley checked?") -> tuple[str, Answer]:
    gate = GroundedGate(Judge(question, EVIDENCE))
    shown = gate.feed(draft)
    rest, answer = gate.finish()
    return shown + rest, answer


def test_what_was_shown_is_the_answer() -> None:
    shown, answer = run("The trolley is checked every day [1]. Bananas grow. ")
    assert shown.strip() == answer.text == "The trolley is checked every day [1]."
    assert answer.verdict is Verdict.REPAIRED
    assert answer.marks == (1,)


def test_the_source_is_quoted_when_nothing_holds() -> None:
    _, answer = run("Bananas grow in Iceland.")
    assert answer.text == f"{TROLLEY} [1]"
    assert answer.verdict is Verdict.REPAIRED


def test_without_a_fitting_source_it_says_so() -> None:
    _, answer = run("Bananas grow in Iceland.", question="Where do bananas grow?")
    assert answer.text == NOT_FOUND


def test_a_sentence_is_said_once() -> None:
    _, answer = run("The trolley is checked every day [1]. " * 5)
    assert answer.text == "The trolley is checked every day [1]."


def test_without_evidence_it_is_withheld() -> None:
    gate = GroundedGate(Judge("Anything?", ()))
    gate.feed("Yes, certainly.")
    assert gate.finish()[1].verdict is Verdict.WITHHELD


@given(st.text(max_size=300), st.integers(1, 7))
def test_streaming_changes_nothing(draft: str, width: int) -> None:
    gate = GroundedGate(Judge("How often is the trolley checked?", EVIDENCE))
    parts = [gate.feed(draft[at : at + width]) for at in range(0, len(draft), width)]
    rest, answer = gate.finish()
    whole_shown, whole = run(draft)
    assert "".join(parts) + rest == whole_shown
    assert answer == whole


@given(st.text(max_size=300))
def test_every_mark_in_an_answer_is_in_force(draft: str) -> None:
    _, answer = run(f"{draft} [1] [3] [77].")
    assert set(answer.marks) <= {1, 2}
    assert "[77]" not in answer.text


def test_nothing_else_makes_an_answer() -> None:
    with pytest.raises(TypeError, match="only the gate"):
        Answer("ungated", (), Verdict.RELEASED, ())
    with pytest.raises((TypeError, ValueError)):
        replace(fixed("no"), text="changed")


def test_the_open_gate_passes_text_on() -> None:
    gate = OpenGate()
    assert gate.feed("a") + gate.feed("b") == "ab"
    assert gate.finish()[1].text == "ab"


def test_a_number_that_was_not_given_is_found_in_an_extract() -> None:
    gate = OpenGate("A full service costs 149 euros; a puncture 14.")
    gate.feed('{"full service": 1')
    gate.feed('49, "puncture": 15}')
    _, answer = gate.finish()
    assert [finding.label for finding in answer.findings] == ["number_not_in_source"]


PHONES = Evidence(
    1,
    "When the clinic is closed, callers hear a message of 100 seconds.\n\n"
    "| Who | Extension | When |\n| Reception | 200 | daily |\n| Pharmacist | 231 | weekdays |",
    context="Opening hours and contacts\nTelephone numbers",
)


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("The extension of the pharmacist is 231.", True),
        ("The extension of the pharmacist is 200.", False),
        ("The extension of the pharmacist is 100 seconds.", False),
        ("The closed clinic has a message of 100 seconds.", True),
    ],
)
def test_a_number_belongs_to_the_words_beside_it(claim: str, holds: bool) -> None:
    judgement = Judge("", [PHONES])(claim)
    assert bool(judgement.text) is holds
    assert holds or judgement.findings[-1].label in {"number_not_in_source", "unsupported"}


def test_the_row_of_a_table_is_quoted() -> None:
    gate = GroundedGate(Judge("What is the extension of the pharmacist?", [PHONES]))
    _, answer = gate.finish()
    assert answer.text == "Who: Pharmacist; Extension: 231; When: weekdays. [1]"


def test_a_hopeless_draft_is_not_waited_for() -> None:
    gate = GroundedGate(Judge("How often is the trolley checked?", EVIDENCE))
    gate.feed("Bananas grow. ")
    assert gate.wants_more
    gate.feed("Lemons are sour. Figs are sweet. ")
    assert not gate.wants_more


def test_a_sentence_that_was_cut_off_is_left_out() -> None:
    gate = GroundedGate(Judge("How often is the trolley checked?", EVIDENCE))
    gate.feed("The trolley is checked every day. The emergency trolley is checked every")
    _, answer = gate.finish(whole=False)
    assert answer.text == "The trolley is checked every day [1]."


PRICES = Evidence(
    1,
    "| Item | Price in euro | Minutes | Notes |\n|---|---|---|---|\n"
    "| Microchip | 35 | 5 | Registration in the database included |\n"
    "| Blood test | 72 | 10 | Results on the next working day |\n",
)


@pytest.mark.parametrize(
    ("claim", "passes"),
    [
        ("Item: Blood test; Price in euro: 72; Minutes: 10.", True),
        ("Item: Blood test; Price in euro: 10; Minutes: 10.", False),
        (
            "Item: Blood test; Price in euro: 72; Notes: Registration in the database included.",
            False,
        ),
        ("A blood test: 72 euro.", True),
    ],
)
def test_a_cell_is_said_under_the_name_of_its_own_column(claim: str, passes: bool) -> None:
    judged = Judge("What does a blood test cost?", (PRICES,))(claim)
    assert bool(judged.text) is passes


class Disagreeing(WordReader):
    """Reads by words, and knows of another document."""

    def otherwise(self, claim: str, source: Evidence) -> Quotation | None:
        return Quotation("The trolley is checked every hour.", 2, fits=True)


def test_what_another_document_says_follows_the_answer() -> None:
    question = "How often is the trolley checked?"
    reader = Disagreeing(question, EVIDENCE)
    gate = GroundedGate(Judge(question, EVIDENCE, reader=reader))
    shown = gate.feed("The emergency trolley is checked every day at 08:00 [1].")
    rest, answer = gate.finish()
    told = f"{OTHERWISE} “The trolley is checked every hour.” [2]"
    assert shown + rest == answer.text
    assert answer.text == f"The emergency trolley is checked every day at 08:00 [1]. {told}"
    assert answer.marks == (1, 2)
    assert "documents_disagree" in {finding.label for finding in answer.findings}


class Checker:
    """Says of each source what it was told to."""

    def __init__(self, **labels: Label) -> None:
        self.given = {int(mark[1:]): label for mark, label in labels.items()}
        self.asked: list[str] = []

    def labels(self, claim: str, sources: Sequence[Evidence], question: str = "") -> list[Label]:
        self.asked.append(f"{question} {claim}")
        return [self.given[one.mark] for one in sources]


CLAIM = "The emergency trolley is checked at 08:00 every day [1]."


def checked(checker: object, claim: str = CLAIM) -> Judgement:
    question = "How often is the trolley checked?"
    return Judge(question, EVIDENCE, checker=lambda: checker)(claim)  # type: ignore[arg-type, return-value]


def test_a_sentence_that_its_source_does_not_entail_is_dropped() -> None:
    assert checked(Checker(_1=Label.SUPPORTED)).text
    for label in (Label.CONTRADICTED, Label.NOT_FOUND):
        judgement = checked(Checker(_1=label))
        assert not judgement.text
        assert [one.label for one in judgement.findings] == [label]


def test_what_was_copied_needs_no_checker() -> None:
    checker = Checker(_1=Label.CONTRADICTED)
    assert checked(checker, f"{TROLLEY} [1]").text
    assert not checker.asked


def test_a_checker_that_fails_withholds_the_sentence() -> None:
    class Broken:
        def labels(self, *_: object) -> list[Label]:
            raise GuardrailError("the model's file was changed")

    judgement = checked(Broken())
    assert not judgement.text
    assert [one.label for one in judgement.findings] == ["unchecked"]


def test_nothing_found_is_withheld() -> None:
    gate = GroundedGate(Judge("Who painted it?", EVIDENCE))
    _, answer = gate.finish()
    assert (answer.text, answer.verdict) == (NOT_FOUND, Verdict.WITHHELD)


@pytest.mark.parametrize(
    ("question", "sentence", "kept"),
    [
        ("How often is the trolley checked?", "The trolley is checked [1].", False),
        ("How often is the trolley checked?", "The trolley is checked every day [1].", True),
        ("Is the emergency trolley checked?", "The emergency trolley is checked [1].", True),
        ("", "The emergency trolley is checked [1].", True),
    ],
)
def test_a_sentence_that_only_repeats_the_question_is_no_answer(
    question: str, sentence: str, *, kept: bool
) -> None:
    judgement = Judge(question, EVIDENCE)(sentence)
    assert bool(judgement.text) is kept
    assert ("says_nothing" in {one.label for one in judgement.findings}) is not kept


def test_what_comes_with_an_admission_is_not_released() -> None:
    judgement = Judge("What does it cost?", EVIDENCE)("It costs $100, which is not mentioned [1].")
    assert judgement.text == NOT_FOUND


def test_a_claim_that_another_passage_denies_more_closely_is_dropped() -> None:
    text = (
        "Ibuprofen 400 mg is given three times a day after food. "
        "Ibuprofen is not given to patients on warfarin."
    )
    judge = Judge("Can ibuprofen be given to patients on warfarin?", [Evidence(1, text)])
    for claim in (
        "Ibuprofen is given to patients on warfarin after food.",
        "Patients on warfarin are given ibuprofen 400 mg after food.",
    ):
        assert not judge(claim).text
    assert judge("Ibuprofen is not given to patients on warfarin.").text
    assert judge("Ibuprofen 400 mg is given three times a day after food.").text
