"""Recipes that train the guardrails' models. Need the extras `train` and `export`; never imported at
run time."""
