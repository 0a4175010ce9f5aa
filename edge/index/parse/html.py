"""Reads HTML through selectolax (Lexbor): what a reader sees, without the page's furniture.

Scripts, styles, comments, form controls, navigation and hidden elements are left out. Style sheets
are not applied: what only a class hides is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.builder import Builder
from skerry.edge.index.parse.hidden import is_hidden
from skerry.edge.index.parse.metadata import canonical, without_bad_date

_DEEPEST = 2_000
"""Nested elements; Lexbor needs time in proportion to the square of the depth."""

_DROPPED = frozenset(
    "head script style noscript template svg iframe object embed canvas audio video "
    "button select input textarea datalist dialog nav footer".split()
)
_DROPPED_ROLES = frozenset("navigation banner contentinfo search".split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset("ul ol menu dl".split())
_BLOCKS = frozenset(
    "address article aside body caption center dd details div dt fieldset figcaption figure form "
    "header hgroup hr legend li main p section summary tbody td tfoot th thead tr".split()
)
_MAIN = "main, [role=main], body > article:only-of-type"
_LAYOUT = "table, h1, h2, h3, h4, h5, h6, pre"
"""What a table of data does not hold; a table with one of these arranges a page."""
_SPACES = re.compile(r"\s+")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_MAY_STAY_OPEN = frozenset(
    "area base br col embed hr img input link meta source track wbr html head body p li dt dd "
    "option optgroup rt rp tr td th thead tbody tfoot colgroup".split()
)


def read_html(text: str, builder: Builder, name: str) -> dict[str, str]:
    """Feeds the blocks of a page to `builder`; gives its metadata.

    Only the `main` element is read if there is one with content, else the body.

    Raises:
        DocumentError: elements nest deeper than 2,000.
    """
    page = _parsed(text, name)
    for root in (page.css_first(_MAIN), page.body):
        if root is not None and not builder.blocks:
            _Reader(builder).read(root)
    return _metadata(page)


def read_fragment(text: str, builder: Builder, name: str) -> None:
    """Feeds the blocks of HTML that is not a page of its own to `builder`.

    Raises:
        DocumentError: elements nest deeper than 2,000.
    """
    body = _parsed(text, name).body
    if body is not None:
        _Reader(builder).read(body)


def visible_text(text: str, name: str) -> str:
    """The text of inline HTML; `<br>` is a line break. Raises as `read_fragment`."""
    builder = Builder()
    read_fragment(text, builder, name)
    return builder.text()


def _parsed(text: str, name: str) -> LexborHTMLParser:
    if _depth(text) > _DEEPEST:
        raise DocumentError(
            f"{name} nests more than {_DEEPEST} elements",
            hint="the file is damaged or was made to do harm; save its text as .txt",
        )
    return LexborHTMLParser(text, scripting=True)


def _depth(text: str) -> int:
    """At most how deep elements nest that must be closed."""
    depth = deepest = 0
    for close, tag in _TAG.findall(text):
        if tag.lower() in _MAY_STAY_OPEN:
            continue
        depth = max(0, depth - 1) if close else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _metadata(page: LexborHTMLParser) -> dict[str, str]:
    title = page.css_first("head > title")
    pairs = list(_meta_tags(page))
    if title is not None:
        pairs.append(("title", title.text()))
    return without_bad_date(canonical(pairs))


def _meta_tags(page: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    """Name and content of the meta tags; an `http-equiv` is about caching, not about content."""
    for tag in page.css("meta[content]"):
        name = tag.attributes.get("name") or tag.attributes.get("property")
        if name:
            yield name, tag.attributes.get("content") or ""


class _Reader:
    """Walks a tree without recursion, however deep it is."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._words: list[str] = []
        self._rows: list[list[str]] | None = None
        self._named_columns = False
        self._preformatted = 0

    def read(self, root: LexborNode) -> None:
        node: LexborNode | None = root
        while node is not None:
            if self._enter(node):
                if node.child is not None:
                    node = node.child
                    continue
                self._leave(node)
            node = self._after(node, root)
        self._flush()

    def _after(self, node: LexborNode, root: LexborNode) -> LexborNode | None:
        """The node to enter after `node`; leaves those that `node` was the last child of."""
        while node.mem_id != root.mem_id and node.parent is not None:
            if node.next is not None:
                return node.next
            node = node.parent
            self._leave(node)
        return None

    def _enter(self, node: LexborNode) -> bool:
        """Begins an element or takes a text; whether its children are to be read."""
        tag = node.tag or ""
        if node.is_text_node:
            self._take(node.text_content or "")
            return False
        if not node.is_element_node or tag in _DROPPED or _hidden(node):
            return False
        if tag == "br":
            self._words.append("\n")
        elif tag == "img":
            self._take(node.attributes.get("alt") or "")
        elif self._rows is not None:
            self._enter_in_table(tag)
        else:
            self._enter_block(node, tag)
        return True

    def _take(self, text: str) -> None:
        self._words.append(text if self._preformatted else _SPACES.sub(" ", text))

    def _enter_block(self, node: LexborNode, tag: str) -> None:
        if tag in _HEADINGS or tag in _BLOCKS:
            self._flush()
        if tag in _LISTS:
            self._flush()
            self._builder.open_list(_first_number(node))
        elif tag in ("li", "dt"):
            self._builder.open_item()
        elif tag == "blockquote":
            self._flush()
            self._builder.open_quote()
        elif tag == "pre":
            self._flush()
            self._preformatted += 1
        elif tag == "table" and not _arranges_page(node):
            self._flush()
            self._rows = []

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if self._rows is not None:
            self._leave_in_table(tag)
        elif tag in _HEADINGS:
            self._builder.heading(_HEADINGS[tag], self._taken())
        elif tag in _BLOCKS:
            self._flush()
        elif tag in _LISTS:
            self._flush()
            self._builder.close_list()
        elif tag == "blockquote":
            self._flush()
            self._builder.close_quote()
        elif tag == "pre":
            self._preformatted -= 1
            self._builder.code(self._taken())

    def _enter_in_table(self, tag: str) -> None:
        assert self._rows is not None
        if tag == "tr":
            self._rows.append([])
        elif tag == "th" and len(self._rows) == 1:
            self._named_columns = True
        elif tag == "td" and len(self._rows) == 1:
            self._named_columns = False
        elif tag in _BLOCKS or tag in _LISTS:
            self._words.append(" ")

    def _leave_in_table(self, tag: str) -> None:
        assert self._rows is not None
        if tag in ("td", "th") and self._rows:
            self._rows[-1].append(self._taken())
        elif tag == "caption":
            self._builder.paragraph(self._taken())
        elif tag == "table":
            self._builder.table(self._rows, header=self._named_columns)
            self._rows, self._named_columns = None, False
        elif tag in _BLOCKS or tag in _LISTS:
            self._words.append(" ")

    def _taken(self) -> str:
        text = "".join(self._words)
        self._words.clear()
        return text

    def _flush(self) -> None:
        if self._words:
            self._builder.paragraph(self._taken())


def _hidden(node: LexborNode) -> bool:
    said = node.attributes
    if not said:
        return False
    return (
        "hidden" in said
        or said.get("aria-hidden") == "true"
        or (said.get("role") or "") in _DROPPED_ROLES
        or is_hidden(said.get("style") or "")
    )


def _arranges_page(table: LexborNode) -> bool:
    part = table.child
    while part is not None:
        if part.is_element_node and part.css_first(_LAYOUT) is not None:
            return True
        part = part.next
    return False


def _first_number(node: LexborNode) -> int | None:
    """The first number of an ordered list; None for another list."""
    if node.tag != "ol":
        return None
    start = node.attributes.get("start") or "1"
    return int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1
