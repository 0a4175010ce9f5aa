"""What waits for a person: requests that a model must not answer, and corrections of its answers.

`store` keeps them beside the receipts; `examples` makes labelled examples of what people said.
"""

from __future__ import annotations

from skerry.edge.review.examples import example_line, example_of
from skerry.edge.review.making import review_of, waiting
from skerry.edge.review.store import ReviewStore
from skerry.edge.review.types import Judgement, Review, ReviewNotFound, Source, Status

__all__ = [
    "Judgement",
    "Review",
    "ReviewNotFound",
    "ReviewStore",
    "Source",
    "Status",
    "example_line",
    "example_of",
    "review_of",
    "waiting",
]
