"""Weights-aware deltas: a new model file, said by the old one that a device has.

docs/delta.md says how to use them, docs/delta-format.md what is in them.
"""

from skerry.sync.delta.apply import Applied, apply_delta
from skerry.sync.delta.chain import apply_chain
from skerry.sync.delta.errors import (
    DeltaError,
    DeltaInvalid,
    DeltaNotFound,
    DeltaUnreadable,
    NoRoom,
    OutputExists,
    SourceMismatch,
)  # fmt: skip
from skerry.sync.delta.inspect import Share, offer, open_delta, shares, verify_delta
from skerry.sync.delta.make import Made, make_delta
from skerry.sync.delta.plan import Offer, Route, cheapest

__all__ = [
    "Applied", "DeltaError", "DeltaInvalid", "DeltaNotFound", "DeltaUnreadable", "Made", "NoRoom",
    "Offer", "OutputExists", "Route", "Share", "SourceMismatch", "apply_chain", "apply_delta",
    "cheapest", "make_delta", "offer", "open_delta", "shares", "verify_delta",
]  # fmt: skip
