"""The list or table of what something costs, quoted whole where all of it is asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.edge.followup import Asked
from skerry.edge.wholes import Beside, Whole, of_list, shown
from skerry.guardrails.answer import Evidence
from skerry.guardrails.expected import asks_price, tells_amount
from skerry.guardrails.lists import Listing, listings
from skerry.guardrails.tables import Table, tables
from skerry.guardrails.wanted import ASKING, PRICE
from skerry.guardrails.words import content_stems

_ASKED_WITH = content_stems("much pay charge")
_FEWEST = 2
_MOST_OTHERS = 2  # words of a heading or an introduction that the question has not


def whole_of_prices(asked: Asked, sources: Sequence[Evidence], beside: Beside) -> Whole | None:
    """What is headed by the very thing whose price is asked, where each of it has an amount."""
    if asked.before or not asks_price(asked.matter):
        return None
    thing = content_stems(asked.matter) - ASKING - PRICE - _ASKED_WITH
    if not thing:
        return None
    for listing in listings(sources):
        if len(listing.lines) >= _FEWEST and _is_list_of(thing, listing):
            return of_list(listing, sources, beside)
    for table in tables(sources):
        if len(table.rows) >= _FEWEST and _is_table_of(thing, table):
            return shown(table, range(len(table.rows)), sources, beside, sure=True)
    return None


def _is_list_of(thing: frozenset[str], listing: Listing) -> bool:
    heading = listing.about.rstrip("\n").rpartition("\n")[2]
    named = (content_stems(one) for one in (heading, listing.intro))
    if not any(thing <= one and len(one - thing) <= _MOST_OTHERS for one in named):
        return False
    return all(tells_amount(line) for line, _ in listing.lines)


def _is_table_of(thing: frozenset[str], table: Table) -> bool:
    """Whether its first column is of the thing, and another has prices."""
    priced = any(content_stems(one) & PRICE for one in table.columns[1:])
    return priced and thing == content_stems(table.columns[0])
