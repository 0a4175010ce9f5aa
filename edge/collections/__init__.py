"""Cloud collections: documents that others publish, searched by a vector of the question.

Policy decides whether a vector may leave; what comes back is foreign text, and is screened, cited
and held against an answer like any other (docs/collections.md). Nothing here is imported before a
collection is searched.
"""
