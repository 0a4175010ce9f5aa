"""Trains the grounding checker.

`python -m skerry.guardrails.train.grounding --data DIR --out DIR` is the whole recipe.
"""
