"""The operator's side: a TUF repository of bundles, and the store that serves it.

A repository is a folder: `repository.json` (what it is like), `keys/` (encrypted, where they are
files), `metadata/` (all that was ever signed), `drafts/` (what waits for signatures) and `public/`
(what devices see, unless a store elsewhere is named). Only `public/` is to be served.
"""

from skerry.sync.repository.create import Layout, create
from skerry.sync.repository.publish import Published, publish, published
from skerry.sync.repository.repository import Repository, open_repository
from skerry.sync.repository.review import review

__all__ = [
    "Layout",
    "Published",
    "Repository",
    "create",
    "open_repository",
    "publish",
    "published",
    "review",
]
