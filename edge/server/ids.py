"""Names of answers and calls: a prefix and random letters that cannot be guessed."""

from __future__ import annotations

import secrets


def new_id(prefix: str, separator: str = "-") -> str:
    return f"{prefix}{separator}{secrets.token_hex(14)}"
