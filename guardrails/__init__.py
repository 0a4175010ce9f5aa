"""What may come in, go out and be answered; one gate that every answer passes.

Pure functions over plain data. Knows nothing of models, retrieval or transport.
"""

from __future__ import annotations

if __name__ != "skerry.guardrails":
    raise ImportError(f"import this package as skerry.guardrails, not as {__name__}")

from skerry.guardrails.answer import Answer, Evidence, Verdict
from skerry.guardrails.findings import Finding, FindingKind, Where

__all__ = ["Answer", "Evidence", "Finding", "FindingKind", "Verdict", "Where"]
