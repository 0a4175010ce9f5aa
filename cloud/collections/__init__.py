"""Collections of documents that devices search by a vector (docs/collections.md).

`wire` is what both sides share; nothing here makes a vector.
"""
