"""What waits for a person: how it gets there, who may end it, what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from skerry.edge.errors import InputError, StateCorrupt
from skerry.edge.review import (
    Judgement,
    Review,
    ReviewNotFound,
    ReviewStore,
    Source,
    Status,
    example_line,
    example_of,
)
from skerry.edge.review.schema import REVIEWS
from skerry.edge.runtime import Runtime
from skerry.edge.state import Schema, StateFile
from skerry.edge.types import RequestClass
from tests.edge.asking import route_as

DANGER = "I took too many tablets and I can't breathe"
REVIEW = Review(
    id="01a2-b",
    created_at=100.0,
    deadline_at=1_900.0,
    status=Status.WAITING,
    question="Is he breathing?",
    why="danger",
    shown="This needs a person.",
    sources=(Source(1, "Trolley", "2.0", ("Trolley",), "It is red."),),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReviewStore]:
    with ReviewStore.open(tmp_path / "state", keep_text=True, clock=lambda: 500.0) as store:
        yield store


def test_what_a_model_must_not_answer_waits_for_a_person(runtime: Runtime) -> None:
    reply = runtime.ask(DANGER)
    (review,) = runtime.parts.reviews.list()
    assert review.id == reply.receipt.id
    assert (review.question, review.shown) == (DANGER, reply.text)
    assert "danger" in review.why or "safety" in review.why
    assert review.deadline_at == pytest.approx(reply.receipt.created_at + 1_800)


def test_what_a_model_answers_does_not(runtime: Runtime) -> None:
    runtime.ask("How often is the emergency trolley checked?")
    assert runtime.parts.reviews.list() == ()


def test_the_policy_says_how_long_a_person_has(
    make_runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    policy = tmp_path / "own.toml"
    policy.write_text("[safety]\nanswer_within_minutes = 5\n")
    runtime = make_runtime(offline=True, policy=policy)
    receipt = runtime.ask(DANGER).receipt
    (review,) = runtime.parts.reviews.list()
    assert review.deadline_at == pytest.approx(receipt.created_at + 300)


def test_the_most_urgent_come_first(store: ReviewStore) -> None:
    for identity, deadline in (("a", 900.0), ("b", 300.0), ("c", None)):
        store.add(replace(REVIEW, id=identity, deadline_at=deadline))
    assert [one.id for one in store.list()] == ["b", "a", "c"]
    assert [one.is_late(500) for one in store.list()] == [True, False, False]


def test_the_gravest_come_before_the_earliest_deadline(store: ReviewStore) -> None:
    for identity, urgency, deadline in (("a", 0.9, 100.0), ("b", 2.9, 900.0), ("c", 1.95, 200.0)):
        store.add(replace(REVIEW, id=identity, urgency=urgency, deadline_at=deadline))
    assert [one.id for one in store.list()] == ["b", "c", "a"]


def test_self_harm_stands_before_what_the_router_alone_takes_for_danger(make_runtime) -> None:
    runtime = make_runtime(route_as(RequestClass.SAFETY), offline=True)
    grave = runtime.ask("I want to kill myself").receipt.id
    runtime.ask("How often is the emergency trolley checked?")
    first, second = runtime.parts.reviews.list()
    assert first.id == grave
    assert (int(first.urgency), int(second.urgency)) == (2, 0)


def test_what_waited_before_there_was_urgency_is_ordered_too(tmp_path: Path) -> None:
    path = tmp_path / "old"
    old = Schema(REVIEWS.name, REVIEWS.migrations[:1])
    with closing(StateFile.open(path, old)) as state, state.write() as connection:
        for number, label in enumerate(("hate", "self_harm")):
            why = f"The question shows a sign of danger ({label})."
            body = json.dumps({**asdict(REVIEW), "id": str(number), "why": why})
            connection.execute(
                "INSERT INTO reviews (id, status, deadline_at, body) VALUES (?, ?, ?, ?)",
                (str(number), "waiting", float(number), body),
            )
    with ReviewStore.open(path, keep_text=True) as store:
        assert [one.id for one in store.list()] == ["1", "0"]


def test_an_answer_ends_the_wait_and_is_given_once(store: ReviewStore) -> None:
    store.add(REVIEW)
    done = store.answer("01a2", " Yes. ", by="Dr Lund")
    assert (done.status, done.answer, done.by, done.done_at) == ("answered", "Yes.", "Dr Lund", 500)
    assert store.get("01a2-b") == done
    assert not store.list()
    with pytest.raises(InputError, match="answered already"):
        store.answer("01a2", "No.", by="Dr Berg")


def test_two_people_at_once(store: ReviewStore, tmp_path: Path) -> None:
    store.add(REVIEW)
    with ReviewStore.open(tmp_path / "state", keep_text=True) as other:
        seen = other.get("01a2")
        store.answer("01a2", "Yes.", by="Dr Lund")
        with pytest.raises(InputError, match="somebody else"):
            other._done(seen, Status.ANSWERED, "No.", None, "Dr Berg")
    assert store.get("01a2").answer == "Yes."


def test_a_correction_becomes_an_example(store: ReviewStore) -> None:
    store.add(replace(REVIEW, status=Status.ANSWERED, shown="Weekly."))
    done = store.correct("01a2", Judgement.WRONG, "Daily.", by="Dr Lund")
    example = example_of(done)
    assert example is not None
    assert (example["given"], example["label"], example["answer"]) == ("Weekly.", "wrong", "Daily.")
    assert example["sources"][0]["text"] == "It is red."


def test_no_example_without_a_persons_word() -> None:
    assert example_of(REVIEW) is None
    assert example_line(replace(REVIEW, status=Status.ANSWERED, question="")) == ""


def test_what_waits_cannot_be_corrected(store: ReviewStore) -> None:
    store.add(REVIEW)
    with pytest.raises(InputError, match="waits for an answer"):
        store.correct("01a2", Judgement.RIGHT, None, by="Dr Lund")


def test_text_is_erased_when_it_need_not_be_kept(tmp_path: Path) -> None:
    with ReviewStore.open(tmp_path / "state", keep_text=False) as store:
        store.add(REVIEW)
        assert store.get("01a2").question == REVIEW.question
        store.answer("01a2", "Yes.", by="Dr Lund")
        kept = store.get("01a2")
    assert (kept.question, kept.shown, kept.sources, kept.answer) == ("", "", (), "Yes.")
    files = tmp_path.glob("state*")
    assert not any(b"breathing" in file.read_bytes() for file in files)


@pytest.mark.parametrize("text", ["", "  \n", "\x00", "\u200b \u202e", "x" * 100_001])
def test_an_answer_that_is_none(store: ReviewStore, text: str) -> None:
    store.add(REVIEW)
    with pytest.raises(InputError):
        store.answer("01a2", text, by="Dr Lund")
    assert store.get("01a2").status is Status.WAITING


@pytest.mark.parametrize("key", ["", " ", "ff", "ä", "%", "\ud800", "01a2-b~"])
def test_keys_that_name_nothing(store: ReviewStore, key: str) -> None:
    store.add(REVIEW)
    with pytest.raises(ReviewNotFound):
        store.get(key)


def test_a_key_that_names_two(store: ReviewStore) -> None:
    for identity in ("01a2-b", "01a2-c"):
        store.add(replace(REVIEW, id=identity))
    with pytest.raises(ReviewNotFound, match="more than one"):
        store.get("01a2")


def test_the_same_request_twice(store: ReviewStore) -> None:
    store.add(REVIEW)
    with pytest.raises(InputError, match="already"):
        store.add(REVIEW)


def test_text_that_is_no_unicode_is_kept_as_far_as_it_can_be(store: ReviewStore) -> None:
    store.add(replace(REVIEW, question="\ud800 is he breathing?"))
    assert store.get("01a2").question == "? is he breathing?"
    store.answer("01a2", "Yes \udfff.", by="\ud800")
    assert store.get("01a2").answer == "Yes ?."


def test_a_damaged_review_leaves_the_others(store: ReviewStore) -> None:
    store.add(REVIEW)
    store.add(replace(REVIEW, id="02"))
    with store._state.write() as connection:
        connection.execute("UPDATE reviews SET body = '{' WHERE id = '02'")
    assert store.get("01").question
    with pytest.raises(StateCorrupt, match="02"):
        store.get("02")
