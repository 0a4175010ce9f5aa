"""Every format that a model can be exported to, and the table that finds them.

`registry` says what there is; `base` is the part of an export that is the same for all;
`parity` measures what each costs. `python -m skerry.export.formats parity` is the whole of it.
"""
