"""Every answer has a receipt: why it was answered where it was, and what left the device.

Leaves to others: measuring what goes into a receipt, and the tamper-evident audit log.
"""

from __future__ import annotations

from skerry.edge.receipts.codec import from_json, to_json
from skerry.edge.receipts.ids import new_id
from skerry.edge.receipts.receipt import (
    SCHEMA,
    BundleUsed,
    ChunkUsed,
    CollectionAsked,
    Egress,
    ModelUsed,
    PartUsed,
    PolicyUsed,
    Question,
    Receipt,
    SplitUsed,
    StepTiming,
    TokenUsage,
    ToolUsed,
    VectorSent,
    digest,
)
from skerry.edge.receipts.replay import Replay, replay
from skerry.edge.receipts.store import ReceiptStore, Retention

__all__ = [
    "SCHEMA",
    "BundleUsed",
    "ChunkUsed",
    "CollectionAsked",
    "Egress",
    "ModelUsed",
    "PartUsed",
    "PolicyUsed",
    "Question",
    "Receipt",
    "ReceiptStore",
    "Replay",
    "Retention",
    "SplitUsed",
    "StepTiming",
    "TokenUsage",
    "ToolUsed",
    "VectorSent",
    "digest",
    "from_json",
    "new_id",
    "replay",
    "to_json",
]
