"""What is trained on, and what chooses between tries: pairs of every source and kind, seeded.

The passages of a document are its windows, as at run time. A document trains or chooses, never
both: by a hash of its title.
"""

from __future__ import annotations

import difflib
import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skerry.guardrails.grounding.windows import WIDTH, windows
from skerry.guardrails.sentences import sentences
from skerry.guardrails.train.grounding import sets, templates
from skerry.guardrails.train.grounding.edits import NAME, Place, edited
from skerry.guardrails.train.grounding.entailment import entailment
from skerry.guardrails.train.grounding.lexicon import Lexicon, lexicon
from skerry.guardrails.train.grounding.pair import Pair, Truth, shuffled
from skerry.guardrails.train.grounding.rephrase import rephrased

TEMPLATES, BINDING, EDITED = 2_500, 3_000, 6_000
"""Pairs of our own making in one round: rules of all kinds, rules with their values exchanged,
edited sentences."""
DEV_EACH = 150
_DEV_SHARE = 0.06
_CLAIM = range(30, 260)  # characters of a sentence that becomes a claim
_SENTENCE = re.compile(r"[a-z]{2,} [a-z]{2,}")
_SHARES = {"medquad": 4, "halueval": 2, "scifact": 2}
_WHERE_TITLE = 0.4  # share of passages that come with their title


@dataclass(frozen=True, slots=True)
class Passage:
    """Neighbouring sentences of one document, and sentences from elsewhere in it."""

    sentences: tuple[str, ...]
    elsewhere: tuple[str, ...]
    document: sets.Document

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def training(data: Path, seed: int) -> list[Pair]:
    """All pairs of one round of training, shuffled. Another seed makes other edits and rules."""
    draw, words = random.Random(seed), lexicon("train")
    known = templates.facts(held_out=False)
    made = [
        *templates.pairs(known, words, draw, TEMPLATES),
        *templates.pairs(known, words, draw, BINDING, templates.BINDING),
        *_from_passages(passages(data, draw, dev=False), words, draw, EDITED),
        *_public(data, draw, dev=False),
    ]
    return shuffled(made, draw)


def development(data: Path, seed: int) -> dict[str, list[Pair]]:
    """Pairs to choose by, by kind of source."""
    draw, words = random.Random(seed + 1), lexicon("train")
    edits = _from_passages(passages(data, draw, dev=True), words, draw, DEV_EACH)
    public = _public(data, draw, dev=True)
    return {
        "templates": templates.pairs(templates.facts(held_out=False), words, draw, DEV_EACH),
        "passages": edits,
        **{
            name: [one for one in public if one.source == name][:DEV_EACH]
            for name in ("scifact", "halueval", "multinli", "fool_me_twice")
        },
        "summedits": _sampled(
            _by_sentence(sets.summedits(data, (sets.SUMMEDITS_DEV,))), DEV_EACH, draw
        ),
    }


def _sampled(pairs: Sequence[Pair], count: int, draw: random.Random) -> list[Pair]:
    return draw.sample(list(pairs), min(count, len(pairs)))


def chooses(key: str) -> bool:
    """Whether what has this key is kept for choosing."""
    return hashlib.sha256(key.encode()).digest()[0] < 256 * _DEV_SHARE


def passages(data: Path, draw: random.Random, *, dev: bool) -> Iterator[Passage]:
    """Passages of chance, without end, of the documents that train or of those that choose."""
    every = sets.documents(data)
    kept = (one for one in every if chooses(one.title or one.text[:80]) == dev)
    return cut(kept, draw, _SHARES)


def cut(
    documents: Iterable[sets.Document], draw: random.Random, shares: Mapping[str, float]
) -> Iterator[Passage]:
    """Passages of chance, without end. Every source has its share (1), however large it is."""
    by_source: dict[str, list[sets.Document]] = {}
    for document in documents:
        by_source.setdefault(document.source, []).append(document)
    names = sorted(by_source)
    weights = [shares.get(name, 1) for name in names]
    while True:
        document = draw.choice(by_source[draw.choices(names, weights)[0]])
        if passage := _passage(document, draw):
            yield passage


def _passage(document: sets.Document, draw: random.Random) -> Passage | None:
    told = [document.text[start:end] for start, end in sentences(document.text[:6000])]
    if not told:
        return None
    first = draw.randrange(len(told))
    last = min(len(told), first + draw.choice((1, 2, 2, 3, 3, 4)))
    while last - first > 1 and sum(len(one) for one in told[first:last]) > WIDTH:
        last -= 1
    if not any(_claimable(one) for one in told[first:last]):
        return None
    return Passage(tuple(told[first:last]), tuple(told[:first] + told[last:]), document)


def _claimable(sentence: str) -> bool:
    return len(sentence) in _CLAIM and _SENTENCE.search(sentence) is not None


def _from_passages(
    passages: Iterator[Passage], words: Lexicon, draw: random.Random, count: int
) -> list[Pair]:
    """`count` pairs: claims that their passage holds, and claims that it does not."""
    made: list[Pair] = []
    while len(made) < count:
        passage = next(passages)
        made += _twins(passage, words, draw)
        for maker in (_faithful, _spoilt, _elsewhere):
            if draw.random() < 0.5 and (pair := maker(passage, words, draw)) is not None:
                made.append(pair)
    return made[:count]


def _twins(passage: Passage, words: Lexicon, draw: random.Random) -> Iterator[Pair]:
    """A rephrased sentence of the passage, and the same with one edit, twice."""
    told = [one for one in passage.sentences if _claimable(one)]
    if not told:
        return
    text = rephrased(draw.choice(told), words, draw)
    yield _pair(passage, text, Truth.SUPPORTED, "faithful", draw, wrong=())
    for _ in range(2):
        yield from _edited_pair(passage, text, words, draw)


def _faithful(passage: Passage, words: Lexicon, draw: random.Random) -> Pair | None:
    """A sentence or two of the passage, rephrased."""
    told = [one for one in passage.sentences if _claimable(one)]
    if not told:
        return None
    text = rephrased(draw.choice(told), words, draw)
    if len(told) > 1 and draw.random() < 0.2:
        one, two = (rephrased(each, words, draw) for each in draw.sample(told, 2))
        text = f"{one.rstrip('. ')}, and {two}"
    return _pair(passage, text, Truth.SUPPORTED, "faithful", draw, wrong=())


def _spoilt(passage: Passage, words: Lexicon, draw: random.Random) -> Pair | None:
    """A rephrased sentence of the passage with one edit."""
    told = [one for one in passage.sentences if _claimable(one)]
    if not told:
        return None
    text = rephrased(draw.choice(told), words, draw)
    return next(_edited_pair(passage, text, words, draw), None)


def _edited_pair(
    passage: Passage, text: str, words: Lexicon, draw: random.Random
) -> Iterator[Pair]:
    """The sentence with an edit that applies to it, if there is one."""
    place = Place(passage.text, _names(passage), [*passage.sentences, *passage.elsewhere[:20]])
    if made := edited(text, place, words, draw):
        kind, edit = made
        yield _pair(passage, edit.text, edit.truth, kind, draw, wrong=edit.wrong)


def _elsewhere(passage: Passage, words: Lexicon, draw: random.Random) -> Pair | None:
    """A true sentence from elsewhere in the same document: the same topic, not found here."""
    told = [one for one in passage.elsewhere if _claimable(one) and one not in passage.text]
    if not told:
        return None
    text = rephrased(draw.choice(told), words, draw)
    return _pair(passage, text, Truth.NOT_FOUND, "elsewhere", draw)


def _names(passage: Passage) -> list[str]:
    text = f"{passage.text} {' '.join(passage.elsewhere[:20])}"
    return sorted(set(NAME.findall(text)))


def _pair(
    passage: Passage, claim: str, truth: Truth, kind: str, draw: random.Random, *,
    wrong: tuple[tuple[int, int], ...] | None = None,
) -> Pair:  # fmt: skip
    context = passage.document.title if draw.random() < _WHERE_TITLE else ""
    return Pair(
        claim.removeprefix("- "), passage.text, truth, passage.document.source, kind,
        context=context, wrong=None if claim.startswith("- ") else wrong,
    )  # fmt: skip


def _public(data: Path, draw: random.Random, *, dev: bool) -> list[Pair]:
    """Pairs that people or larger models made."""
    found = [
        *sets.scifact(data, "train"),
        *sets.scifact_around(data),
        *sets.scifact_unrelated(data, "train"),
        *_questions(data),
        *_answers(data),
        *_notes(data),
        *_summaries(data),
        *entailment(data, draw),
    ]
    kept = [one for one in found if chooses(_key(one)) == dev]
    return shuffled(kept, draw)


def _key(pair: Pair) -> str:
    """Claims about one text stay together."""
    return pair.claim if pair.source == "scifact" else pair.group or pair.evidence[:80]


def _questions(data: Path) -> Iterator[Pair]:
    """HaluEval: a right and an invented answer to a question, beside two paragraphs."""
    for row in sets.rows(data, "halueval_part/qa_one-turn_500.jsonl"):
        evidence = re.sub(r"(?<=[a-z0-9)\"])\.(?=[A-Z])", ". ", row["knowledge"])
        question = row["question"].strip()
        for answer, truth in (
            (row["right_answer"], Truth.SUPPORTED),
            (row["hallucinated_answer"], Truth.UNSUPPORTED),
        ):
            yield Pair(answer, evidence, truth, "halueval", "answer", question=question)


def _answers(data: Path) -> Iterator[Pair]:
    """PubMedQA: yes or no to a question, beside the conclusion; and the conclusion by itself."""
    for row in sets.pubmedqa(data).values():
        question, said = row["QUESTION"], row["final_decision"]
        evidence = row["LONG_ANSWER"]
        for answer in ("yes", "no") if said != "maybe" else ():
            truth = Truth.SUPPORTED if answer == said else Truth.CONTRADICTED
            yield Pair(f"{answer.capitalize()}.", evidence, truth, "pubmedqa", said, question)


def _notes(data: Path) -> Iterator[Pair]:
    """MTS-Dialog: sentences of a note beside the talk that they are from, if that is short."""
    import csv
    import io

    text = sets.read(data, "mts_dialog/MTS-Dialog-TrainingSet.csv")
    for row in csv.DictReader(io.StringIO(text)):
        talk = " ".join(row["dialogue"].split())
        note = row["section_text"]
        if len(talk) <= WIDTH * 1.3:
            told = [note[start:end] for start, end in sentences(note)]
            if len(told) <= 3:
                for one in told:
                    yield Pair(one, talk, Truth.SUPPORTED, "mts_dialog", "note", wrong=())


def _summaries(data: Path) -> Iterator[Pair]:
    """SummEdits: sentences of a summary beside the nearest window of the document."""
    for row in sets.summedits_rows(data):
        kept = {row["original_summary"][a:b] for a, b in sentences(row["original_summary"])}
        for start, end in sentences(row["summary"]):
            sentence = row["summary"][start:end]
            if not row["label"] and sentence in kept:
                continue
            truth = Truth.SUPPORTED if row["label"] else Truth.UNSUPPORTED
            wrong = () if row["label"] else changed(sentence, row["original_summary"])
            for evidence in _nearest(sentence, row["doc"]):
                yield Pair(
                    sentence, evidence, truth, "summedits",
                    "+".join(row["edit_types"]) or "faithful", wrong=wrong,
                )  # fmt: skip


def _nearest(claim: str, text: str) -> list[str]:
    """The whole text, if it is short, or else the window that is nearest to the claim."""
    if len(text) <= WIDTH * 1.4:
        return [text]
    return [window.text for window in windows(claim, text, most=1)]


def changed(sentence: str, original: str) -> tuple[tuple[int, int], ...] | None:
    """The words of an edited sentence that the nearest sentence of the original lacks."""
    there = [original[start:end] for start, end in sentences(original)]
    near = max(there, key=lambda one: difflib.SequenceMatcher(None, one, sentence).ratio())
    spans = [match.span() for match in re.finditer(r"\S+", sentence)]
    matcher = difflib.SequenceMatcher(None, near.split(), sentence.split(), autojunk=False)
    new = [
        (spans[i][0], spans[j - 1][1])
        for tag, _, _, i, j in matcher.get_opcodes()
        if tag in {"replace", "insert"}
    ]
    return tuple(new) or None


def _by_sentence(pairs: Sequence[Pair]) -> list[Pair]:
    """Each whole summary as its sentences would be too fine: short ones beside one window."""
    return [
        replace(pair, evidence=window.text)
        for pair in pairs
        for window in windows(pair.claim, pair.evidence, most=1)
    ]
