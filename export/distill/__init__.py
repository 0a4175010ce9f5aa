"""Makes a small draft model from a teacher: same tokens, a fraction of its layers.

`python -m skerry.export.distill` has one command for each step, and `all` for all of them.
"""
