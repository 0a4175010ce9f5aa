"""The OpenAI-compatible server and the page's API, over one `Runtime`.

Imported only by `skerry serve` and by those who mount the application themselves.
"""

from __future__ import annotations

from skerry.edge.server.app import create_app
from skerry.edge.server.keys import load_or_make_key
from skerry.edge.server.options import ServerOptions
from skerry.edge.server.serving import bind, serve, url_of

__all__ = ["ServerOptions", "bind", "create_app", "load_or_make_key", "serve", "url_of"]
