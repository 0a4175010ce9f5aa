"""A real gateway with collections, and publishers with an operator's key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.edge.collections.link import Link
from skerry.edge.collections.publishing import Publisher
from skerry.edge.encoder.base import TextEncoder
from skerry.edge.escalate.options import CloudOptions, Secret
from tests.cloud.gateway.configured import OPERATOR, configured
from tests.cloud.gateway.upstreams import Running, gateway

FILE = '[collections.formulary]\n[collections.handbook]\ntenants = ["clinic"]\n'
PAGES = {
    "insulin/glargine.md": "---\nversion: 3\nexpires: 2099-01-01\ndomain: pharmacy\n---\n"
    "# Insulin glargine\n\n## Storage\n\n"
    "Insulin glargine is stored between 2 and 8 degrees until it is opened.\n",
    "warfarin.md": "# Warfarin\n\nThe usual loading dose of warfarin is 5 mg on the first day.\n",
    "old.md": "---\nexpires: 2001-01-01\n---\n# Old doses\n\nAspirin was given at 9 g.\n",
    "staff.md": "---\nlabels: [board]\n---\n# Salaries\n\nThe salaries are in the safe.\n",
}


@contextmanager
def running_gateway(folder: Path) -> Iterator[Running]:
    with gateway(configured(FILE), folder) as one:
        yield one


def write_pages(folder: Path, pages: dict[str, str] | None = None) -> Path:
    for name, text in (pages or PAGES).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def link_to(url: str, key: str = OPERATOR) -> Link:
    return Link(CloudOptions(base_url=url, model="collections", api_key=Secret(key)))


@contextmanager
def publishing(url: str, encoder: TextEncoder, key: str = OPERATOR) -> Iterator[Publisher]:
    link = link_to(url, key)
    try:
        yield Publisher(link, encoder)
    finally:
        link.close()
