"""Where a request may be answered: a pure decision over a file of rules that people can read.

Leaves to others: classifying the request, finding PII, and carrying the decision out.
"""

from __future__ import annotations

from skerry.edge.policy.decide import decide
from skerry.edge.policy.explain import explain
from skerry.edge.policy.load import load_policy, parse_policy
from skerry.edge.policy.request import PolicyInput, effective_sensitivity
from skerry.edge.policy.rules import Policy
from skerry.edge.policy.vector import VectorRule, vector_rule

__all__ = [
    "Policy",
    "PolicyInput",
    "VectorRule",
    "decide",
    "effective_sensitivity",
    "explain",
    "load_policy",
    "parse_policy",
    "vector_rule",
]
