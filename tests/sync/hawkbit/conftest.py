from __future__ import annotations

from tests.sync.server.conftest import place, postgres_url

__all__ = ["place", "postgres_url"]
