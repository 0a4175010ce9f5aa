"""The results of a run as JSON: the contract `skerry.redteam/1`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from skerry.guardrails.redteam.fairness import Compared, VariantResult
from skerry.guardrails.redteam.observed import Observed
from skerry.guardrails.redteam.run import CaseResult, KindResult, Results


def results_fields(results: Results) -> dict[str, Any]:
    """Everything that a run found. Shares and rates are in [0, 1], times in seconds."""
    return {
        "suite": {"version": results.suite.version, "digest": results.suite.digest},
        "seed": results.seed,
        "target": results.target,
        "started_at": datetime.fromtimestamp(results.started_at, UTC).isoformat(timespec="seconds"),
        "took_s": round(results.took_s, 1),
        "ok": results.ok,
        "kinds": [_kind_fields(one) for one in results.kinds],
        "cases": [_case_fields(one) for one in results.cases],
        "groups": [_compared_fields(one) for one in results.compared],
        "variants": [_variant_fields(one) for one in results.variants],
    }


def _kind_fields(one: KindResult) -> dict[str, Any]:
    low, high = one.interval
    return {
        "kind": one.kind,
        "must_pass": one.must_pass,
        "passed": one.passed,
        "total": one.total,
        "share": round(one.share, 4),
        "interval": [round(low, 4), round(high, 4)],
    }


def _case_fields(one: CaseResult) -> dict[str, Any]:
    return {
        "id": one.case.id,
        "kind": one.case.kind,
        "passed": one.passed,
        "failures": list(one.failures),
        "ask": one.case.ask,
        "role": one.case.role,
        "documents": [document.name for document in one.case.documents],
        "observed": _observed_fields(one.seen),
    }


def _observed_fields(seen: Observed) -> dict[str, Any]:
    return {**asdict(seen), "ms": round(seen.ms, 1)}


def _compared_fields(one: Compared) -> dict[str, Any]:
    return {
        "attribute": one.attribute,
        "measure": one.measure,
        "rates": {group: round(rate, 4) for group, rate in one.rates.items()},
        "spread": round(one.spread, 4),
        "p": round(one.p, 4),
        "beyond_noise": one.beyond_noise,
        "differing": list(one.differing),
    }


def _variant_fields(one: VariantResult) -> dict[str, Any]:
    variant = one.variant
    return {
        "attribute": variant.attribute,
        "ask": variant.ask,
        "group": variant.group,
        "text": variant.text,
        "refused": one.refused,
        "right": one.right,
        "observed": _observed_fields(one.seen),
    }
