"""Sets of single sentences and short passages that people wrote claims about.

They say the same in other words, which edits of sentences never do: the checker learns from them
what a paraphrase is.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from skerry.guardrails.train.grounding.pair import Pair, Truth, shuffled
from skerry.guardrails.train.grounding.sets import Row, read, rows
from skerry.guardrails.words import content_stems

_LABELS = {
    "entailment": Truth.SUPPORTED,
    "contradiction": Truth.CONTRADICTED,
    "neutral": Truth.NOT_FOUND,
}
_REVISIONS = 5  # pairs in a row: a sentence pair, and four revisions that change its label
_AMONG = 0.35  # share of premises that stand among other sentences
_TITLED = 0.5
_BESIDE = 0.4  # share of claims that are laid beside what does not decide them, too


def entailment(data: Path, draw: random.Random) -> list[Pair]:
    """All pairs of these sets. Those that belong together have one `group`."""
    premises = [*_premises(data, "multinli", "dev_matched"), *_premises(data, "snli", "dev")]
    return [*_among(premises, draw), *_revised(data), *_fooled(data, draw)]


def _premises(data: Path, name: str, part: str) -> Iterator[Pair]:
    """MultiNLI and SNLI: three claims about each sentence."""
    for row in rows(data, f"{name}/{part}.jsonl"):
        claim, premise = row["hypothesis"].strip(), row["premise"].strip()
        yield Pair(claim, premise, _LABELS[row["label"]], name, row["label"], group=premise)


def _among(pairs: Sequence[Pair], draw: random.Random) -> Iterator[Pair]:
    """Some of the premises among other sentences, all claims about one of them alike."""
    every = sorted({one.evidence for one in pairs if 20 < len(one.evidence) < 160})
    put: dict[str, str] = {}
    for one in pairs:
        if one.evidence not in put:
            many = draw.choice((1, 1, 2)) if draw.random() < _AMONG else 0
            there = shuffled([one.evidence, *draw.sample(every, many)], draw)
            put[one.evidence] = " ".join(map(_stopped, there)) if many else one.evidence
        yield replace(one, evidence=put[one.evidence])


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?", '"')) else f"{text}."


def _revised(data: Path) -> Iterator[Pair]:
    """Pairs of SNLI, each with revisions of either sentence by which its label changes."""
    for part in ("train", "dev", "test"):
        text = read(data, f"nli_revised/{part}.tsv")
        table = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
        for at, row in enumerate(table):
            group = f"revised {part} {at // _REVISIONS}"
            claim, premise = row["sentence2"], row["sentence1"]
            yield Pair(
                claim, premise, _LABELS[row["gold_label"]], "revised", "revision", group=group
            )


def _fooled(data: Path, draw: random.Random) -> Iterator[Pair]:
    """Fool Me Twice: claims about a page of Wikipedia, true ones and false, made to deceive."""
    for part in ("dev", "test"):
        for row in rows(data, f"fool_me_twice/{part}.jsonl"):
            yield from _about_page(row, draw)


def _about_page(row: Row, draw: random.Random) -> Iterator[Pair]:
    gold = [one["text"] for one in row["gold_evidence"]]
    others = [one["text"] for one in row["retrieved_evidence"] if one["text"] not in gold]
    truth = Truth.SUPPORTED if row["label"] == "SUPPORTS" else Truth.CONTRADICTED
    title = row["wikipedia_page"] if draw.random() < _TITLED else ""
    claim = row["text"]
    beside = [draw.choice(others)] if others and draw.random() < _AMONG else []
    one = Pair(
        claim, " ".join([*gold, *beside]), truth, "fool_me_twice", row["label"], context=title,
        group=f"page {row['wikipedia_page']}",
    )  # fmt: skip
    yield one
    near = _nearest(claim, others)
    if near and draw.random() < _BESIDE:
        yield replace(one, evidence=near, truth=Truth.NOT_FOUND, kind="beside", context=title)


def _nearest(claim: str, texts: Sequence[str]) -> str:
    """The two texts that share most words with the claim, in one."""
    said = content_stems(claim)
    return " ".join(sorted(texts, key=lambda one: -len(said & content_stems(one)))[:2])
