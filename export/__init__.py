"""From a trained model to what a device runs: encoders today, whole bundles later.

Knows models and bundles, never the runtime. Needs the `export` extra.
"""

if __name__ != "skerry.export":
    raise ImportError(f"import this package as skerry.export, not as {__name__}")
