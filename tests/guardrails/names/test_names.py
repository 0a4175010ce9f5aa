"""The names classifier: what it reads, how it is weighed, and that it is never passed silently."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.policy import PolicyInput, decide, load_policy
from skerry.edge.screening import UNSCREENED, names_in, screen_message
from skerry.edge.types import Classification, Consent, DeviceState, Network, RequestClass, Tier
from skerry.guardrails import Finding, FindingKind, Where
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.names import classifier, find, fusion
from skerry.guardrails.names.classifier import DEFAULT_FOLDER, NamesClassifier, Word, shared
from skerry.guardrails.names.encoding import LONGEST, shape, tokens
from skerry.guardrails.screen import MAX_CHARACTERS, screen_whole


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    found: tuple[tuple[str, str], ...] = ()


CASES = [
    Case("no title", "Ada Lovelace has a cough.", (("Ada Lovelace", "person"),)),
    Case("genitive", "What was Priya Sharma's dose?", (("Priya Sharma", "person"),)),
    Case("a town", "My friend lives in Leeds.", (("Leeds", "place"),)),
    Case(
        "a hospital",
        "She was taken to Bristol Royal Infirmary.",
        (("Bristol Royal Infirmary", "organisation"),),
    ),
    Case("a disease", "Parkinson's disease and Crohn's disease are common."),
    Case("an eponym", "Record the Glasgow Coma Scale every hour."),
    Case("drugs", "Is warfarin safe with ibuprofen?"),
    Case("words that are names", "Will you come in May?"),
    Case("a question", "How often is the emergency trolley checked?"),
    Case("who speaks", "Tell Dmitri I said hi", (("Dmitri", "person"),)),
    Case("who speaks, short", "Ask Maria Lopez I'm late", (("Maria Lopez", "person"),)),
    Case("an initial", "Write to I. Novak about it", (("I. Novak", "person"),)),
    Case("a body", "The WHO guideline says twelve weeks."),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_found(case: Case) -> None:
    found = [(case.text[one.start : one.end], one.label) for one in screen_whole(case.text)]
    assert tuple(found) == case.found


def test_a_date_right_after_a_name_is_that_of_a_birth() -> None:
    text = "Ada Lovelace, 12/03/1961, ward 3"
    found = [(one.label, text[one.start : one.end]) for one in screen_whole(text)]
    assert found == [("person", "Ada Lovelace"), ("date_of_birth", "12/03/1961")]


def test_a_name_far_into_a_long_text_is_found() -> None:
    text = "The trolley is checked every day before nine. " * 120 + "Call Priya Sharma."
    (found,) = screen_whole(text)
    assert text[found.start : found.end] == "Priya Sharma"


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_is_screened_and_spans_lie_within_it(text: str) -> None:
    found = [one for one in screen_whole(text, Where.CHUNK) if one.kind is FindingKind.PII]
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(left.end <= right.start for left, right in itertools.pairwise(found))


@given(st.text("ab A.'\n1é", max_size=1500))
@settings(max_examples=30, deadline=None)
def test_windows_cover_every_token_once(text: str) -> None:
    seen = tokens(shared()._tokenizer, text)
    bounds = [bound for window in seen.windows() for bound in window]
    assert bounds == sorted(bounds)
    assert [0, *bounds[1::2]][:-1] == bounds[0::2] or not bounds
    assert all(end - start <= LONGEST - 2 for start, end in seen.windows())


@pytest.mark.parametrize(
    ("word", "number"),
    [("ada", 1), ("Ada", 2), ("ADA", 3), ("McA", 4), ("A", 5), ("12", 6), ("-", 0), ("a1", 0)],
)
def test_how_a_word_is_written(word: str, number: int) -> None:
    assert shape(word) == number


class Fixed:
    """A classifier that gives one chance to every word."""

    def __init__(self, chance: float) -> None:
        self._chance = chance

    def words(self, text: str) -> list[Word]:
        words, at = [], 0
        for part in text.split(" "):
            words.append(Word(at, at + len(part), (self._chance, 0.0, 0.0)))
            at += len(part) + 1
        return words


@pytest.mark.parametrize(
    ("chance", "text", "found"),
    [
        (0.5, "Ada", ["Ada"]),
        (0.08, "Ada", []),
        (0.08, "Mrs Ada", ["Ada"]),
        (0.08, "lives in Leeds", ["Leeds"]),
        (0.7, "Crohn disease", ["disease"]),
        (0.7, "Glasgow Coma Scale", ["Scale"]),
        (0.9, "Ada's", ["Ada"]),
        (0.9, "Ada\nLeeds", ["Ada\nLeeds"]),
    ],
)
def test_words_around_weigh(chance: float, text: str, found: list[str]) -> None:
    names = fusion.names(Fixed(chance), text)
    assert [text[one.start : one.end] for one in names] == found


def damaged(folder: Path, name: str, *, missing: bool) -> Path:
    shutil.copytree(DEFAULT_FOLDER, folder)
    if missing:
        (folder / name).unlink()
    else:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(bytes(content))
    return folder


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "names.json"])
@pytest.mark.parametrize("missing", [True, False])
def test_a_file_that_is_missing_or_was_changed_is_refused(
    tmp_path: Path, name: str, missing: bool
) -> None:
    with pytest.raises(GuardrailError) as caught:
        NamesClassifier.load(damaged(tmp_path / "weights", name, missing=missing))
    assert name in caught.value.what or "digest" in caught.value.what


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NamesClassifier:
        raise GuardrailError("the file is gone")

    monkeypatch.setattr(classifier, "shared", refuse)


def test_what_cannot_be_screened_is_an_error(broken: None) -> None:
    with pytest.raises(GuardrailError):
        screen_whole("Ada")


def test_what_cannot_be_screened_does_not_leave(broken: None) -> None:
    findings = names_in("Compare ada@example.org with the two schemes.")
    assert [one.label for one in findings] == [UNSCREENED]
    request = PolicyInput(
        classification=Classification(
            RequestClass.QUESTION, confidence=0.9, complexity=0.9, reasoning=0.9, in_scope=0.9
        ),
        network=Network.ONLINE,
        consent=Consent.GRANTED,
        device=DeviceState(memory_free_mb=2048),
        available=frozenset({Tier.DEVICE, Tier.CLOUD}),
        findings=findings,
    )
    route = decide(request, load_policy(None))
    assert route.tier is Tier.DEVICE
    assert any(reason.rule == "deny.unscreened" for reason in route.reasons)


def test_the_longest_text_is_screened_in_parts() -> None:
    assert find("word " * 5_000) == []
    with pytest.raises(GuardrailError):
        screen_whole("x" * (MAX_CHARACTERS + 1))


def test_documents_are_screened_for_sure_names() -> None:
    text = "# Contacts\n\nAda Lovelace has the keys: ada@example.org"
    assert [one.label for one in screen_message("system", text)] == ["person", "email"]


DOCUMENTS = (
    "# Pain relief\n\nAdults who take warfarin, apixaban, rivaroxaban or dabigatran: no ibuprofen.",
    "| Drawer | Item |\n|---|---|\n| 1 | Amiodarone 300 mg |\n| 2 | Cannulas, 18 G |",
    "## Roles and Responsibilities\n\nThe Ward Manager keeps the register.",
    "1. Look at the seal.\n2. Rinse the eye.\n3. Tell the Site Coordinator.",
)


@pytest.mark.parametrize("text", DOCUMENTS)
def test_headings_tables_and_drugs_are_no_names_in_documents(text: str) -> None:
    assert screen_message("system", text) == ()


def test_only_what_patterns_do_not_find_is_added() -> None:
    assert [one.label for one in names_in("Ada Lovelace: ada@example.org")] == ["person"]


def test_a_finding_says_that_a_model_found_it() -> None:
    (found,) = screen_whole("Ada Lovelace has a cough.")
    assert isinstance(found, Finding)
    assert found.rule == "model:names"


class Given(Fixed):
    """A classifier that gives each word a chance of its own, of the class `at`."""

    def __init__(self, chances: tuple[float, ...], at: int = 0) -> None:
        self.chances = chances
        self._at = at

    def words(self, text: str) -> list[Word]:
        made = Fixed(0.0).words(text)
        rows = [tuple(one * (self._at == at) for at in range(3)) for one in self.chances]
        return [Word(w.start, w.end, row) for w, row in zip(made, rows, strict=True)]


class Counting:
    """A session that counts its passes."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.passes = 0

    def run(self, names: list[str], feed: dict[str, Any]) -> Any:
        self.passes += 1
        return self._session.run(names, feed)


@pytest.fixture
def counting() -> tuple[NamesClassifier, Counting]:
    whole = shared()
    session = Counting(whole._session)
    return NamesClassifier(session, whole._tokenizer), session


@pytest.mark.parametrize(
    ("unit", "most"),
    [("@a.b ", 0), ("1 2 - 4111. ", 0), ("@ab.cd ", 12), ("Ada Lovelace coughs. ", 60)],
)
def test_what_repeats_or_has_no_words_costs_few_passes(
    unit: str, most: int, counting: tuple[NamesClassifier, Counting]
) -> None:
    classifier, session = counting
    few = classifier.words(unit * 2_000)
    assert session.passes <= most
    assert len(few) == 2_000 * len(classifier.words(unit))


def test_a_pass_is_kept_for_a_window_of_the_same_words_only(
    counting: tuple[NamesClassifier, Counting],
) -> None:
    classifier, _ = counting
    long = "The trolley is checked daily. " * 200 + "Ask Priya Sharma."
    words = [one for one in classifier.words(long) if one.chance > 0.5]
    assert [long[one.start : one.end] for one in words] == ["Priya", "Sharma"]


@pytest.mark.parametrize(
    ("chances", "found"),
    [
        ((0.95, 0.12, 0.0), ["Leanne Abc"]),
        ((0.12, 0.95, 0.0), ["Leanne Abc"]),
        ((0.5, 0.08, 0.0), ["Leanne"]),
        ((0.95, 0.0, 0.08), ["Leanne"]),
    ],
)
def test_a_sure_neighbour_makes_less_of_a_chance_enough(
    chances: tuple[float, ...], found: list[str]
) -> None:
    text = "Leanne Abc coughs"
    names = fusion.names(Given(chances), text)
    assert [text[one.start : one.end] for one in names] == found


def test_a_small_word_between_two_names_is_none() -> None:
    text = "Oxana nor Godelieve"
    names = fusion.names(Given((0.95, 0.12, 0.95)), text)
    assert [text[one.start : one.end] for one in names] == ["Oxana", "Godelieve"]


def test_a_name_that_is_sure_once_is_one_where_it_stands_again() -> None:
    text = "Leanne sleeps , Abc , leanne , Leanne"
    sure = (0.95, 0.0, 0.0, 0.085, 0.0, 0.085, 0.0, 0.085)
    names = fusion.names(Given(sure), text)
    assert [(one.start, one.end) for one in names] == [(0, 6), (31, 37)]


def test_in_documents_only_sure_names_count() -> None:
    text = "Leanne Abc coughs"
    for chance, found in ((0.95, ["Leanne"]), (0.7, [])):
        names = fusion.names(Given((chance, 0.2, 0.0)), text, fusion.WRITTEN)
        assert [text[one.start : one.end] for one in names] == found


@pytest.mark.parametrize(
    ("text", "label"),
    [("80119", "postcode"), ("LS7 4QA", "postcode"), ("1317 YB", "postcode"), ("8th Ave", "place"),
     ("K1A 0B1", "postcode"), ("61-668", "postcode"), ("Leeds", "place")],
)  # fmt: skip
def test_a_place_that_is_a_code_is_a_postcode(text: str, label: str) -> None:
    classifier = Given((0.0,) * 3, at=1)
    classifier.chances = (0.9,) * len(text.split(" "))
    (name,) = fusion.names(classifier, text)
    assert name.label == label
