"""Trains the router's heads: data, fitting, evaluation. Needs the `train` extra.

`python -m skerry.edge.router.train --data DIR --out DIR` is the whole recipe;
`python -m skerry.edge.router.train.evaluate --data DIR` measures what came out.
"""
