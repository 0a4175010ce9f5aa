"""What a device runs, as one folder: the manifest, and how to write, read, verify and compare it.

Used by `edge` (runs bundles), `export` (makes them) and `sync` (ships them); uses none of them.
"""

if __name__ != "skerry.bundles":
    raise ImportError(f"import this package as skerry.bundles, not as {__name__}")
