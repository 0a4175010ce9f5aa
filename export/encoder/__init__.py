"""Builds the int8 text encoder from its float weights, and refuses it when it drifted too far.

`python -m skerry.export.encoder --out DIR` is the whole recipe. Needs the `export` extra; what it
writes needs only onnxruntime and tokenizers.
"""
