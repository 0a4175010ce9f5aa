"""What the report perturbs: sentences of a handbook and of held-out documents, with held-out words.

Each sentence beside its own section is a faithful claim; each edit of it must be caught.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from skerry.guardrails.grounding.exact.names import drugs
from skerry.guardrails.sentences import sentences
from skerry.guardrails.train.grounding import dataset, sets, templates
from skerry.guardrails.train.grounding.edits import EDITS, NAME, Place
from skerry.guardrails.train.grounding.lexicon import Lexicon, lexicon
from skerry.guardrails.train.grounding.pair import Pair, Truth
from skerry.guardrails.train.grounding.rephrase import rephrased
from skerry.guardrails.train.grounding.sets import Document

_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_TRIES = 3


def handbook(folder: Path) -> list[Document]:
    """The sections of the Markdown files in a folder, with page title and heading as title."""
    found = []
    for path in sorted(folder.glob("*.md")):
        parts = _HEADING.split(_FRONT.sub("", path.read_text(encoding="utf-8")))
        for heading, text in zip(parts[1::2], parts[2::2], strict=True):
            if text.strip():
                found.append(Document(text.strip(), "handbook", f"{parts[1]}\n{heading}"))
    return found


def faithful(sections: Sequence[Document], seed: int) -> list[Pair]:
    """Sentences as they are, and rephrased."""
    draw, words = random.Random(seed), _both()
    found = []
    for section in sections:
        for text in _told(section):
            said = {"copied": text, "rephrased": rephrased(text, words, draw)}
            found += [_pair(section, claim, Truth.SUPPORTED, kind) for kind, claim in said.items()]
    return found


def perturbed(sections: Sequence[Document], seed: int) -> Iterator[Pair]:
    """Every edit of every sentence, with the words kept for the report."""
    draw, words = random.Random(seed), _both()
    for section in sections:
        told = _told(section)
        names = sorted({name for one in sections for name in NAME.findall(one.text)})
        for text in told:
            place = Place(section.text, names, told)
            for kind, (edit, _) in EDITS.items():
                made = next(
                    (one for _ in range(_TRIES) if (one := edit(text, place, words, draw))), None
                )
                if made and made.text.lower() != text.lower() and made.text not in section.text:
                    yield _pair(section, made.text, made.truth, kind)


def invented(seed: int, count: int) -> list[Pair]:
    """Pairs of the templates and values that are not trained on."""
    draw = random.Random(seed)
    return templates.pairs(templates.facts(held_out=True), lexicon("held_out"), draw, count)


def documents(data: Path, seed: int, count: int) -> list[Document]:
    """Short passages of documents of which nothing trained or chose, as many of each source."""
    found = dataset.cut(sets.unused(data), random.Random(seed), {})
    return [
        Document(one.text, one.document.source, one.document.title)
        for one in itertools.islice(found, count)
    ]


def _both() -> Lexicon:
    """The report's own words, and its drugs among those that a passage may name."""
    held_out, train = lexicon("held_out"), lexicon("train")
    mixed = {**held_out.words, "antonym": [*held_out.words["antonym"], *train.words["antonym"]]}
    mixed["drug"] = [*held_out.words["drug"], *sorted(drugs())]
    mixed["synonym"] = [*held_out.words["synonym"], *train.words["synonym"]]
    return Lexicon(mixed)


def _told(section: Document) -> list[str]:
    """The sentences of a section that say something; no headings and no tables."""
    lines = (" ".join(section.text[a:b].split()) for a, b in sentences(section.text))
    bare = (re.sub(r"^(?:[-*]|\d+\.) ", "", line) for line in lines)
    return [one for one in bare if len(one) > 25 and not one.startswith("|")]


def _pair(section: Document, claim: str, truth: Truth, kind: str) -> Pair:
    return Pair(claim, section.text, truth, section.source, kind, context=section.title)
