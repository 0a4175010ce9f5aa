"""Labelled examples of what people said: for evaluation, and for the next round of training."""

from __future__ import annotations

import json
from typing import Any

from skerry.edge.review.types import Review, Status

SCHEMA = "skerry.example/1"


def example_of(review: Review) -> dict[str, Any] | None:
    """An example for evaluation; None while a person is waited for, or where no text was kept.

    `label` is the judgement of the answer in `given`; `answered` where no model's was given.
    """
    if review.status is Status.WAITING or not review.question:
        return None
    return {
        "schema": SCHEMA,
        "id": review.id,
        "question": review.question,
        "sources": [
            {"mark": one.mark, "title": one.title, "heading": list(one.heading), "text": one.text}
            for one in review.sources
        ],
        "given": review.shown,
        "label": review.judgement or "answered",
        "answer": review.answer,
    }


def example_line(review: Review) -> str:
    """The example as one line of JSON; empty where there is none."""
    example = example_of(review)
    return "" if example is None else json.dumps(example, ensure_ascii=False)
