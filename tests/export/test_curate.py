"""Which answers of a teacher are learnt, and what is added to them. No torch."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from skerry.export.distill.curate.absent import not_found, refused
from skerry.export.distill.curate.checks import CHECKS
from skerry.export.distill.curate.filtering import (
    Additions,
    chat_of,
    curated,
    filtered,
    report,
)
from skerry.export.distill.curate.iterate import case_of, next_round
from skerry.export.distill.curate.language import language_of, script_of
from skerry.export.distill.curate.noise import CHANGES, noisy
from skerry.export.distill.curate.records import (
    NOT_FOUND,
    Asked,
    Expect,
    Said,
    Source,
    asked_of,
    plain,
    read_rows,
    said_of,
    write_rows,
)
from skerry.export.distill.curate.trace import Traces, learnt_text, split_trace
from skerry.export.distill.errors import DistillError

FRIDGE = Source(
    1, "Fridges", "The vaccine fridge is kept at 2 to 8 degrees. It is read twice a day."
)
TROLLEY = Source(
    2, "Trolleys", "The emergency trolley is checked daily before 09:00. Cost: 1,250.50."
)
GROUNDED = Asked("g", "grounded", "How cold is the vaccine fridge kept?", sources=(FRIDGE, TROLLEY))
OPEN = Asked("o", "chat", "Explain what a fridge is for and how it works in a hospital ward.")


@dataclass(frozen=True)
class Case:
    """An answer, and the checks that it fails."""

    name: str
    said: Said
    fails: str = ""


def grounded(answer: str, **more: object) -> Said:
    return Said(replace(GROUNDED, **more), answer)


def free(answer: str, **more: object) -> Said:
    return Said(replace(OPEN, **more), answer)


LOOP = "It keeps things cold and safe today. " * 3
CASES = [
    Case("a good one", grounded("It is kept at 2 to 8 degrees [1].")),
    Case("a number in words", grounded("It is read 2 times a day [1].")),
    Case("a number of the question", grounded("Yes, at 5 degrees [1].", question="Is 5 right?")),
    Case("a number in another form", grounded("It costs 1250.5, before 9:00 [2].")),
    Case("a list", grounded("1. It is kept at 2 to 8 degrees [1].\n2. It is read daily [1].")),
    Case("another number", grounded("It is kept at 4 degrees [1]."), "numbers"),
    Case("a number without sources", free("It was invented in 1913.")),
    Case("a source that is not there", grounded("At 2 to 8 degrees [3]."), "citations"),
    Case("no source named", grounded("It is kept at 2 to 8 degrees."), "citations"),
    Case("brackets without sources", free("See the list [4].")),
    Case("nothing", free(" \n"), "empty"),
    Case("only points", free("..."), "empty"),
    Case("stopped", replace(free("It keeps things cold."), finished=False), "cut_off"),
    Case("half a sentence", free("It keeps things cold so that they last and then the ward " * 1
                                 + "can use them when"), "cut_off"),
    Case("a few words without a point", free("It keeps things cold")),
    Case("a loop", free(LOOP), "repetition"),
    Case("a line again and again", free("- cold\n- cold\n- cold"), "repetition"),
    Case("one word again and again", free("Yes yes yes yes yes."), "repetition"),
    Case("twice is no loop", free("It keeps things cold and safe today. " * 2)),
    Case("a refusal out of place", free("I'm sorry, I can't help with that."), "refusal"),
    Case("a refusal with a curved mark", free("I can’t help with that."), "refusal"),
    Case("cannot, of something else", free("A fridge cannot freeze water.")),
    Case("not found out of place", grounded(NOT_FOUND), "citations refusal"),
    Case("not found where it is so", grounded(NOT_FOUND, expect=Expect.NOT_FOUND)),
    Case("an answer that no source holds",
         grounded("It is kept at 2 degrees [1].", expect=Expect.NOT_FOUND), "refusal"),
    Case("an answer to what is to be refused", free("Of course.", expect=Expect.REFUSE), "refusal"),
    Case("a refusal where one is due", free("I cannot help with that.", expect=Expect.REFUSE)),
    Case("another language", free("Der Kühlschrank ist für die Kühlung von Impfstoffen und "
                                  "Speisen auf der Station."), "language"),
    Case("other letters", free("Холодильник хранит вакцины."), "language"),
    Case("a foreign word", free("It keeps the Weltanschauung of the ward cold.")),
    Case("the question again", free(OPEN.question), "copy"),
    Case("mostly the question", free(f"Well: {OPEN.question} That is it."), "copy"),
    Case("a part of the template", free("It cools.<|im_end|>"), "markers"),
    Case("another turn", free("It cools.\nUser: and then?"), "markers"),
    Case("talk of being a model", free("As an AI language model, it cools."), "markers refusal"),
    Case("a trace that leaked", free("It cools.</think>"), "markers"),
    Case("very long", free(" ".join(f"word{i}" for i in range(601)) + "."), "length"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_answer_fails_these_checks(case: Case) -> None:
    found = sorted(name for name, check in CHECKS.items() if check(case.said))
    assert found == case.fails.split()


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("What is the temperature of the fridge in the ward?", "English", "LATIN"),
        ("Wie ist die Temperatur von dem Kühlschrank auf der Station?", "German", "LATIN"),
        ("Quelle est la température du réfrigérateur dans le service et les bureaux ?",
         "French", "LATIN"),
        ("¿Cuál es la temperatura del refrigerador en la sala y en el piso?", "Spanish", "LATIN"),
        ("ok", "", ""),
        ("", "", ""),
        ("冷蔵庫の温度は何度ですか", "", "CJK"),
        ("Какая температура в холодильнике?", "", "CYRILLIC"),
    ],
)  # fmt: skip
def test_a_language_is_said_where_it_is_clear(text: str, language: str, script: str) -> None:
    assert (language_of(text), script_of(text)) == (language, script)


def test_equal_answers_are_learnt_once_and_every_reason_is_counted() -> None:
    good, bad = CASES[0].said, free(LOOP + "User: x")
    made = filtered([good, bad, replace(good, asked=replace(GROUNDED, id="again")), good])
    assert made.kept == (good,)
    assert [set(one.why) for one in made.dropped] == [
        {"repetition", "cut_off"},
        {"duplicate"},
        {"duplicate"},
    ]


def test_a_report_says_what_was_left_out_and_why() -> None:
    rows = [one.said for one in CASES]
    made = curated(rows, Additions(noise=1.0, not_found=1.0, refusals=3))
    told = report(made, Traces.STRIP)
    assert told["answers"] == len(CASES) == told["kept"] + told["dropped"]
    assert told["by_check"]["numbers"] == 1
    assert told["by_check"]["refusal"] == 6
    assert told["shown"]["numbers"][0]["why"] == "no source has the number 4"
    assert all(len(rows) <= 3 for rows in told["shown"].values())
    assert told["added"]["refusal"] == 3
    assert told["learnt"] == told["kept"] + sum(told["added"].values())
    assert sum(one["kept"] for one in told["by_family"].values()) == told["kept"]
    json.dumps(told)


def test_what_was_added_passes_the_checks() -> None:
    parking = Source(1, "Parking", "Bicycles stand behind the laundry.")
    other = Said(Asked("p", "grounded", "Where do bicycles stand?", sources=(parking,)),
                 "They stand behind the laundry [1].")  # fmt: skip
    rows = [*(one.said for one in CASES), other]
    made = curated(rows, Additions(noise=1.0, not_found=1.0, refusals=24))
    for name in ("refusal", "not_found"):
        assert made.added[name]
        for row in made.added[name]:
            assert not [check for check in CHECKS.values() if check(row)]


def test_nothing_is_added_where_nothing_is_wanted() -> None:
    made = curated([CASES[0].said], Additions(noise=0, not_found=0, refusals=0))
    assert made.rows() == (CASES[0].said,)


# ---- what is added ---------------------------------------------------------------------------


def test_others_sources_never_hold_the_answer() -> None:
    near = Source(
        1, "More of the vaccine fridge", "How cold the vaccine fridge is kept: 5 degrees."
    )
    asked = Asked("n", "grounded", "When is the emergency trolley checked?", sources=(TROLLEY,))
    rows = [CASES[0].said, Said(asked, "Daily before 09:00 [2]."),
            Said(replace(asked, id="m", sources=(near,)), "x [1].")]  # fmt: skip
    for row in not_found(rows, share=1.0, seed=0):
        assert row.answer == NOT_FOUND
        assert row.asked.expect is Expect.NOT_FOUND
        own = {"g": FRIDGE, "n": TROLLEY, "m": near}[row.asked.id.split("~")[0]]
        assert own.text not in [one.text for one in row.asked.sources]
        if row.asked.id.startswith("g"):
            assert near.text not in [one.text for one in row.asked.sources]
        assert [one.mark for one in row.asked.sources] == [*range(1, len(row.asked.sources) + 1)]


def test_refusals_are_each_of_another_request() -> None:
    rows = list(refused(1000, seed=1))
    assert 20 <= len(rows) == len({row.asked.question for row in rows})
    assert rows[:3] == list(refused(1000, seed=1))[:3]


@pytest.mark.parametrize("name", CHANGES)
def test_noise_leaves_numbers_and_short_words(name: str) -> None:
    import random

    text = "Is the MRI room, 12.5 metres wide, free at 09:30 for Anne?"
    changed = {CHANGES[name](text, random.Random(seed)) for seed in range(30)}
    assert changed != {text}
    for one in changed:
        assert "12.5" in one
        assert "09:30" in one
        assert "mri" in one.lower()


def test_noise_is_seeded_and_keeps_the_answer() -> None:
    rows = [CASES[0].said] * 40
    made = list(noisy(rows, share=0.5, seed=3))
    assert made == list(noisy(rows, share=0.5, seed=3))
    assert made != list(noisy(rows, share=0.5, seed=4))
    assert 8 <= len(made) <= 32
    for one in made:
        assert one.answer == CASES[0].said.answer
        assert one.asked.sources == GROUNDED.sources
        assert one.asked.noise
        assert one.asked.question != GROUNDED.question


def test_noise_takes_whatever_text_comes() -> None:
    import random

    for text in ("", " ", "a", "12", "ÄÖÜ ßß", "🙂" * 5, "ABCDE FGHIJ"):
        for change in CHANGES.values():
            for seed in range(5):
                change(text, random.Random(seed))


# ---- traces ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Just so.", ("", "Just so.", True)),
        ("<think>a\nb</think>\n\nSo.", ("a\nb", "So.", True)),
        ("a b</think> So.", ("a b", "So.", True)),
        ("<think></think>So.", ("", "So.", True)),
        ("<think>never ends", ("", "", False)),
        ("<think>a</think>So.<think>more", ("a", "So.<think>more", False)),
        ("<think>a</think>b</think>c", ("a", "b</think>c", False)),
        ("", ("", "", True)),
    ],
)
def test_a_trace_is_taken_from_its_answer(text: str, expected: tuple[str, str, bool]) -> None:
    assert split_trace(text) == expected


def test_a_trace_is_kept_or_left_out() -> None:
    assert learnt_text("So.", "a", Traces.STRIP) == "So."
    assert learnt_text("So.", "", Traces.KEEP) == "So."
    kept = learnt_text("So.", " a ", Traces.KEEP)
    assert split_trace(kept) == ("a", "So.", True)


def test_a_chat_is_what_a_device_asks() -> None:
    made = chat_of(replace(CASES[0].said, trace="cold"), Traces.KEEP)
    system, question, answer = made["messages"]
    assert "[1] Fridges\nThe vaccine" in system["content"]
    assert question["content"] == GROUNDED.question
    assert answer["content"].startswith("<think>\ncold\n</think>")


# ---- rounds ----------------------------------------------------------------------------------


def example(label: str, **more: object) -> dict[str, object]:
    return {
        "schema": "skerry.example/1", "id": f"id-{label}", "question": f"What of {label} cases?",
        "sources": [{"mark": 1, "title": "T", "heading": ["H"], "text": "Some text."}],
        "given": "given", "label": label, "answer": "", **more,
    }  # fmt: skip


def test_corrections_become_prompts_and_answers() -> None:
    rows = [
        example("wrong", answer="Better [1]."),
        example("wrong", question="Another?", id="w2"),
        example("right", question="Right?"),
        example("should_refuse", question="Steal it?"),
        example("should_answer", question="Do it?"),
        example("unsafe", question="Dose?", answer=NOT_FOUND),
        {"question": "From telemetry?", "why": "low_confidence"},
        {"question": "", "why": "no text kept"},
        {"outcome": "escalated"},
    ]
    made = next_round(map(case_of, rows), variants=0, seed=0)
    assert [(one.asked.question, one.answer) for one in made.said] == [
        ("What of wrong cases?", "Better [1]."),
        ("Right?", "given"),
        ("Steal it?", "I cannot help with that. Please ask a person who is responsible."),
        ("Dose?", NOT_FOUND),
    ]
    assert [one.asked.expect for one in made.said] == ["answer", "answer", "refuse", "not_found"]
    assert [one.question for one in made.prompts] == ["Another?", "Do it?", "From telemetry?"]
    assert made.counts == {"wrong": 2, "right": 1, "should_refuse": 1, "should_answer": 1,
                           "unsafe": 1, "low_confidence": 1, "without_text": 2}  # fmt: skip
    assert made.said[0].asked.sources == (Source(1, "T", "Some text."),)


def test_a_hard_question_comes_in_noisy_forms_and_not_again() -> None:
    row = {"question": "When is the emergency trolley checked?", "why": "slow"}
    made = next_round([case_of(row), case_of(row)], variants=4, seed=0)
    assert made.counts == {"slow": 1, "seen": 1}
    assert made.prompts[0].question == row["question"]
    assert 3 <= len(made.prompts) <= 5
    assert len({one.id for one in made.prompts}) == len(made.prompts)
    seen = ["when is the emergency trolley CHECKED"]
    assert not next_round([case_of(row)], variants=1, seed=0, seen=seen).prompts


# ---- files -----------------------------------------------------------------------------------


def test_rows_come_back(tmp_path: Path) -> None:
    rows = [one.said for one in CASES]
    assert write_rows(tmp_path / "x.jsonl", map(plain, rows)) == len(rows)
    assert list(read_rows(tmp_path / "x.jsonl", said_of)) == rows
    assert write_rows(tmp_path / "x.jsonl", [plain(GROUNDED)]) == 1
    assert list(read_rows(tmp_path / "x.jsonl", asked_of)) == [GROUNDED]


BAD_ROWS = {
    "not JSON": (b"{", "not JSON"),
    "nested": (b"[" * 99_999, "not JSON"),
    "a list": (b"[]", "no object"),
    "not UTF-8": (b'{"id": "\xff"}', "utf-8"),
    "no id": (b'{"question": "a"}', "no text in 'id'"),
    "no question": (b'{"id": "a", "question": " "}', "no text in 'question'"),
    "another wish": (b'{"id": "a", "question": "b", "expect": "dance"}', "dance"),
    "sources that are none": (b'{"id": "a", "question": "b", "sources": "c"}', "no list"),
    "a source without text": (b'{"id": "a", "question": "b", "sources": [{}]}', "'text'"),
    "a mark that is none": (b'{"id":"a","question":"b","sources":[{"text":"c","mark":""}]}', "no"),
    "a message without a role": (b'{"id":"a","question":"b","before":[{"content":"c"}]}', "role"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_wrong_line_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\n" + content)
    with pytest.raises(DistillError) as caught:
        list(read_rows(tmp_path / "x.jsonl", asked_of))
    assert "line 2" in caught.value.what
    assert said in caught.value.what


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text("before")

    def rows() -> object:
        yield {"a": 1}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(file, rows())  # type: ignore[arg-type]
    with pytest.raises(DistillError, match="cannot be written"):
        write_rows(tmp_path / "no" / "x", [])
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]
