"""What every state must do with collections; see `state_conformance`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from skerry.cloud.collections.nearest import NotFound, OtherEncoder, Searcher
from skerry.cloud.collections.store import STAGED_S, TooManyPassages, UnknownParts
from skerry.cloud.collections.wire import BadCollection, Publish, Search
from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.state import State
from tests.cloud.gateway.parts import NOW, Sent, asked, part, publish

A, B = part("adrenaline", 0, 1), part("bandages", 2)
MANY = 1_000


def _published(state: State, *sent: Sent, name: str = "formulary") -> None:
    for one in sent:
        state.collections.add(one.digest, one.part, NOW)
    state.collections.publish(name, publish(*sent), NOW, MANY)


def _searcher(state: State, now: float = NOW) -> Searcher:
    return Searcher(state.collections, look_s=0, clock=lambda: now)


def _found(state: State, axis: int, *, now: float = NOW, most: int = 1) -> list[str]:
    answer = _searcher(state, now).search("formulary", asked(axis, most))
    return [one.passage.text for one in answer.found]


class CollectionConformance:
    def test_what_is_published_is_found(self, state: State) -> None:
        _published(state, A, B)
        answer = _searcher(state).search("formulary", asked(2, 2))
        assert [one.passage.text for one in answer.found] == [
            "bandages says 2",
            "adrenaline says 0",
        ]
        assert answer.found[0].document == B.part.document
        assert answer.found[0].passage == B.part.passages[0]
        assert answer.found[0].similarity == pytest.approx(1)
        (info,) = state.collections.published()
        assert (info.documents, info.passages, info.digest) == (2, 3, answer.digest)

    def test_only_what_is_missing_is_named(self, state: State) -> None:
        state.collections.add(A.digest, A.part, NOW)
        wanted = [A.digest, B.digest, B.digest, "0" * 64]
        assert state.collections.missing(wanted, NOW) == [B.digest, "0" * 64]
        assert state.collections.missing([], NOW) == []

    def test_nothing_is_visible_before_it_is_published(self, state: State) -> None:
        state.collections.add(A.digest, A.part, NOW)
        assert state.collections.published() == []
        with pytest.raises(NotFound):
            _searcher(state).search("formulary", asked(0))
        _published(state, B)
        assert _found(state, 0, most=9) == ["bandages says 2"]

    def test_a_part_that_was_never_sent_leaves_the_version_before(self, state: State) -> None:
        _published(state, A)
        before = state.collections.published()
        with pytest.raises(UnknownParts):
            state.collections.publish("formulary", publish(A, B), NOW, MANY)
        assert state.collections.published() == before
        assert _found(state, 0) == ["adrenaline says 0"]

    def test_a_part_of_another_encoder_is_not_taken(self, state: State) -> None:
        other = part("other", 3, encoder="minilm-test@2")
        state.collections.add(other.digest, other.part, NOW)
        with pytest.raises(UnknownParts):
            _published(state, A, other)
        assert state.collections.published() == []

    def test_too_many_passages_are_not_taken(self, state: State) -> None:
        state.collections.add(A.digest, A.part, NOW)
        with pytest.raises(TooManyPassages):
            state.collections.publish("formulary", publish(A), NOW, 1)
        assert state.collections.published() == []

    def test_a_new_version_takes_the_place_of_the_old_one(self, state: State) -> None:
        _published(state, A)
        searcher = _searcher(state)
        first = searcher.search("formulary", asked(0, 9))
        _published(state, B)
        second = searcher.search("formulary", asked(0, 9))
        assert [one.passage.text for one in second.found] == ["bandages says 2"]
        assert first.digest != second.digest

    def test_twice_the_same_is_once(self, state: State) -> None:
        _published(state, A, A, B)
        before = state.collections.published()
        _published(state, B, A)
        assert state.collections.published() == before
        assert len(_found(state, 0, most=9)) == 3

    def test_what_is_used_nowhere_goes_after_a_day(self, state: State) -> None:
        _published(state, A)
        state.collections.add(B.digest, B.part, NOW)
        again = publish(A)
        state.collections.publish("formulary", again, NOW + STAGED_S - 1, MANY)
        assert state.collections.missing([B.digest], NOW + 5) == []
        state.collections.publish("formulary", again, NOW + STAGED_S + 9, MANY)
        assert state.collections.missing([A.digest, B.digest], NOW) == [B.digest]
        assert state.collections.passages([(B.digest, 0)]) == {}
        assert _found(state, 0, now=NOW, most=9) == ["adrenaline says 0", "adrenaline says 1"]

    def test_two_collections_may_share_a_part(self, state: State) -> None:
        _published(state, A, B)
        _published(state, A, name="handbook")
        assert state.collections.remove("handbook")
        assert not state.collections.remove("handbook")
        assert [one.name for one in state.collections.published()] == ["formulary"]
        assert len(_found(state, 0, most=9)) == 3

    def test_what_is_removed_is_deleted(self, state: State) -> None:
        _published(state, A, B)
        _published(state, A, name="handbook")
        assert state.collections.remove("formulary")
        assert state.collections.missing([A.digest, B.digest], NOW) == [B.digest]
        assert state.collections.passages([(A.digest, 0), (B.digest, 0)]).keys() == {(A.digest, 0)}

    def test_only_what_is_in_force_is_found(self, state: State) -> None:
        _published(
            state,
            part("old", 0, expires_at=NOW),
            part("replaced", 0, superseded_at=NOW - 1),
            part("later", 0, valid_from=NOW + 1),
            part("now", 0, valid_from=NOW, expires_at=NOW + 1),
        )
        assert _found(state, 0, most=9) == ["now says 0"]
        early = sorted(_found(state, 0, now=NOW - 2, most=9))
        assert early == ["old says 0", "replaced says 0"]
        assert _found(state, 0, now=NOW + 9, most=9) == ["later says 0"]

    @pytest.mark.parametrize("name", ["a' OR '1'='1", "x; DROP TABLE collections; --", "%", ""])
    def test_names_are_values(self, state: State, name: str) -> None:
        _published(state, A)
        assert not state.collections.remove(name)
        with pytest.raises(NotFound):
            _searcher(state).search(name, asked(0))
        assert len(state.collections.published()) == 1

    def test_another_encoder_and_dimension_are_refused(self, state: State) -> None:
        _published(state, A)
        with pytest.raises(OtherEncoder, match="minilm-test@1"):
            _searcher(state).search("formulary", Search("minilm-test@2", asked(0).vector))
        with pytest.raises(OtherEncoder, match="dimensions"):
            _searcher(state).search("formulary", Search("minilm-test@1", "fw=="))

    def test_many_parts(self, state: State) -> None:
        sent = [part(f"document {number}", number % 8) for number in range(900)]
        _published(state, *sent)
        assert state.collections.published()[0].passages == 900
        assert len(_found(state, 3, most=20)) == 20
        assert state.collections.missing([one.digest for one in sent], NOW) == []

    def test_several_publish_at_once(self, state: State) -> None:
        for one in (A, B):
            state.collections.add(one.digest, one.part, NOW)
        versions = [publish(A), publish(B), publish(A, B)]

        def put(wanted: Publish) -> str:
            return state.collections.publish("formulary", wanted, NOW, MANY).digest

        with ThreadPoolExecutor(3) as threads:
            digests = set(threads.map(put, versions * 5))
        (info,) = state.collections.published()
        assert info.digest in digests
        assert len(_found(state, 0, most=9)) == info.passages

    def test_collections_after_close(self, state: State) -> None:
        state.close()
        with pytest.raises(StateError):
            state.collections.published()

    @pytest.mark.parametrize("vector", ["", "AAAA", "not base64!", "fw"])
    def test_a_vector_that_is_none(self, state: State, vector: str) -> None:
        _published(state, A)
        with pytest.raises(BadCollection):
            _searcher(state).search("formulary", Search("minilm-test@1", vector))
