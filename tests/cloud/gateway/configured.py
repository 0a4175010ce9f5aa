"""Gateways as files say them."""

from __future__ import annotations

from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.keys import digest
from skerry.cloud.gateway.load import parsed

USER = "sk-skerry-user-0123456789"
OTHER = "sk-skerry-other-0123456789"
OPERATOR = "sk-skerry-operator-0123456789"
ADMIN = "sk-skerry-admin-0123456789"

BASE = f"""format = "skerry.gateway/1"
[models.mid]
tier = "mid"
template = "chat-1"
replicas = ["http://127.0.0.1:1/v1"]
[tenants.clinic]
keys = [{{ digest = "{digest(USER)}" }}]
[tenants.other]
keys = [{{ digest = "{digest(OTHER)}" }}]
[tenants.ops]
keys = [
  {{ digest = "{digest(OPERATOR)}", role = "operator" }},
  {{ digest = "{digest(ADMIN)}", role = "admin" }},
]
"""


def configured(more: str = "", *, base: str = BASE) -> Gateway:
    return parsed(base + more)
