"""Reads Markdown (CommonMark with tables) through markdown-it-py.

Markup is dropped and its text kept; embedded HTML goes to the HTML reader, so that what a browser
would not show does not reach the index.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from skerry.edge.index.parse.builder import Builder
from skerry.edge.index.parse.html import read_fragment, visible_text
from skerry.edge.index.parse.plain import read_plain

_DEEPEST = 100
"""Nested containers that the block parser follows; it would drop what lies deeper."""
_LONGEST_MARKED_UP = 10_000
"""Code points of one paragraph whose inline markup is read; hostile markup costs n squared."""

_MARKUP = re.compile(r"[*_`\[<&\\]")
_SOFT_BREAK = re.compile(r"(?<! ) ?\n[ \t]*")
_BLOCKS = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable("table")
_BLOCKS.core.ruler.disable(["inline"])
_INLINES = MarkdownIt("commonmark")

Env = MutableMapping[str, Any]


def read_markdown(text: str, builder: Builder) -> None:
    """Feeds the blocks of `text` to `builder`. Nesting too deep to follow is read as plain text."""
    env: Env = {}
    tokens = _BLOCKS.parse(text, env)
    if any(token.level >= _DEEPEST - 1 and token.nesting > 0 for token in tokens):
        read_plain(text, builder)
        return
    _Reader(builder, env).read(tokens)


class _Reader:
    """Walks the flat token list once."""

    def __init__(self, builder: Builder, env: Env) -> None:
        self._builder = builder
        self._env = env
        self._heading = 0
        self._rows: list[list[str]] | None = None

    def read(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.type == "inline":
                self._inline(inline_text(token.content, self._env))
            elif token.nesting:
                self._container(token)
            elif token.type in ("fence", "code_block"):
                self._builder.code(token.content)
            elif token.type == "html_block":
                read_fragment(token.content, self._builder)

    def _inline(self, text: str) -> None:
        if self._rows is not None:
            self._rows[-1].append(text)
        elif self._heading:
            self._builder.heading(self._heading, text)
        else:
            self._builder.paragraph(text)

    def _container(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._builder.open_list()
            case "ordered_list_open":
                self._builder.open_list(int(token.attrs.get("start", 1)))
            case "list_item_open":
                self._builder.open_item()
            case "bullet_list_close" | "ordered_list_close":
                self._builder.close_list()
            case "blockquote_open":
                self._builder.open_quote()
            case "blockquote_close":
                self._builder.close_quote()
            case "heading_open" | "heading_close":
                self._heading = int(token.tag[1]) if token.nesting > 0 else 0
            case _:
                self._table(token)

    def _table(self, token: Token) -> None:
        if token.type == "table_open":
            self._rows = []
        elif token.type == "tr_open" and self._rows is not None:
            self._rows.append([])
        elif token.type == "table_close" and self._rows is not None:
            self._builder.table(self._rows, header=True)
            self._rows = None


def inline_text(content: str, env: Env) -> str:
    """The text of inline Markdown: what a reader sees, links and images by their words."""
    if not _MARKUP.search(content) or len(content) > _LONGEST_MARKED_UP:
        return _SOFT_BREAK.sub(" ", content)
    tokens: list[Token] = []
    _INLINES.inline.parse(content, _INLINES, env, tokens)
    if any(token.type == "html_inline" for token in tokens):
        return visible_text(_INLINES.renderer.render(tokens, _INLINES.options, env))
    return "".join(_inline_token(token) for token in tokens)


def _inline_token(token: Token) -> str:
    match token.type:
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "image":
            return "".join(_inline_token(child) for child in token.children or ())
        case _:
            return token.content
