"""Reads Markdown (CommonMark with tables) through markdown-it-py.

Markup is dropped and its text kept. What has HTML in it goes to the HTML reader, so that elements
which a browser would hide do not reach the index.
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


def read_markdown(text: str, builder: Builder, name: str) -> None:
    """Feeds the blocks of `text` to `builder`. Nesting too deep to follow is read as plain text.

    Raises:
        DocumentError: embedded HTML nests too deep.
    """
    env: Env = {}
    tokens = _BLOCKS.parse(text, env)
    if any(token.level >= _DEEPEST - 1 and token.nesting > 0 for token in tokens):
        read_plain(text, builder)
    elif any(token.type == "html_block" for token in tokens):
        # A block of HTML may hide or frame the Markdown after it: only the whole page tells.
        read_fragment(_page(tokens, env), builder, name)
    else:
        _Reader(builder, env, name).read(tokens)


def _page(tokens: Sequence[Token], env: Env) -> str:
    for token in tokens:
        if token.type == "inline":
            token.children = _inline_tokens(token.content, env)
    return str(_INLINES.renderer.render(tokens, _INLINES.options, env))


class _Reader:
    """Walks the flat token list once."""

    def __init__(self, builder: Builder, env: Env, name: str) -> None:
        self._builder = builder
        self._env = env
        self._name = name
        self._heading = 0
        self._rows: list[list[str]] | None = None

    def read(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.type == "inline":
                self._inline(self._text(token.content))
            elif token.nesting:
                self._container(token)
            elif token.type in ("fence", "code_block"):
                self._builder.code(token.content)

    def _text(self, content: str) -> str:
        """What a reader sees of inline Markdown, links and images by their words."""
        tokens = _inline_tokens(content, self._env)
        if any(token.type == "html_inline" for token in tokens):
            html = _INLINES.renderer.render(tokens, _INLINES.options, self._env)
            return visible_text(html, self._name)
        return "".join(_inline_token(token) for token in tokens)

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


def _inline_tokens(content: str, env: Env) -> list[Token]:
    """The tokens of inline Markdown; a text without markup, or too long, is one token."""
    if not _MARKUP.search(content) or len(content) > _LONGEST_MARKED_UP:
        return [Token("text", "", 0, content=_SOFT_BREAK.sub(" ", content))]
    tokens: list[Token] = []
    _INLINES.inline.parse(content, _INLINES, env, tokens)
    for token in tokens:
        if token.type == "text_special":  # an entity, which the renderer knows only as text
            token.type = "text"
    return tokens


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
