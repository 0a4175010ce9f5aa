"""Recipes that train the guardrails' models.

They need the extras `train` and `export`, and are never imported at run time.
"""
