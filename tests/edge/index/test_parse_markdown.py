"""What becomes of Markdown: a case table of blocks and texts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import BlockKind, parse_data


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    expected: tuple[tuple[str, str], ...]


CASES = [
    Case(
        "headings",
        "# A *b*\n\nC\n=\n\n###### D",
        (("heading", "A b"), ("heading", "C"), ("heading", "D")),
    ),
    Case("soft and hard breaks", "a\nb  \nc\\\nd", (("paragraph", "a b\nc\nd"),)),
    Case(
        "inline markup",
        "**a** _b_ `c` [d](http://e) <http://f> ![g *h*](i)",
        (("paragraph", "a b c d http://f g h"),),
    ),
    Case("reference link", "[a][b]\n\n[b]: http://c", (("paragraph", "a"),)),
    Case("entities in HTML", "1 &lt; 2<br>&#x26; <u>b</u>", (("paragraph", "1 < 2\n& b"),)),
    Case("entities", "1 &lt; 2 &amp; 3 &#xd800;", (("paragraph", "1 < 2 & 3 \ufffd"),)),
    Case(
        "inline HTML",
        'a<br>b <!-- c --><span style="display: none">d</span><b>e</b>',
        (("paragraph", "a\nb e"),),
    ),
    Case("block HTML", "<div hidden>a</div>\n\n<!-- b -->\n\n<p>c</p>", (("paragraph", "c"),)),
    Case(
        "HTML table",
        "<table><tr><th>a<th>b<tr><td>1<td>2</table>",
        (("table", "| a | b |\n| 1 | 2 |"),),
    ),
    Case("list", "* a\n  b\n* c\n  * d\n\n    e", (("list", "- a b\n- c\n  - d\n    e"),)),
    Case("ordered list", "3. a\n1. b\n   1) c", (("list", "3. a\n4. b\n  1. c"),)),
    Case("code in a list", "- a\n\n  ```\n  x\n  ```\n- b", (("list", "- a\n  x\n- b"),)),
    Case(
        "table in a list",
        "- a\n\n  | x | y |\n  |---|---|\n  | 1 | 2 |",
        (("list", "- a\n  | x | y |\n  | 1 | 2 |"),),
    ),
    Case("heading in a list", "- # a\n- b", (("list", "- a\n- b"),)),
    Case("quote", "> a\n>\n> - b\n> - c", (("quote", "a\n- b\n- c"),)),
    Case("quote in a list", "- a\n  > b", (("list", "- a\n  b"),)),
    Case(
        "table",
        "| a | *b* |\n|:--|--:|\n| 1 | x\\|y |\n| 2 |",
        (("table", "| a | b |\n| 1 | x|y |\n| 2 |  |"),),
    ),
    Case(
        "code", "```py\n\nx  =  1\n\n\ny\n```\n\n    z", (("code", "x  =  1\n\n\ny"), ("code", "z"))
    ),
    Case("rule", "a\n\n***\n\nb", (("paragraph", "a"), ("paragraph", "b"))),
    Case(
        "rule is no front matter",
        "---\nno pair\n---\n\nb",
        (("heading", "no pair"), ("paragraph", "b")),
    ),
]


def blocks(source: str) -> list[tuple[str, str]]:
    parsed = parse_data(source.encode(), "a.md")
    return [(block.kind.value, parsed.text[block.start : block.end]) for block in parsed.blocks]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_blocks(case: Case) -> None:
    assert blocks(case.source) == [*case.expected]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_block_of_html_does_not_change_how_the_rest_is_read(case: Case) -> None:
    assert blocks(f"{case.source}\n\n<!-- x -->") == [*case.expected]


def test_html_may_hide_the_markdown_inside_it() -> None:
    source = "before\n\n<div hidden>\n\n**hidden**\n\n- hidden\n\n</div>\n\nafter"
    assert blocks(source) == [("paragraph", "before"), ("paragraph", "after")]


@pytest.mark.parametrize("source", ["<div>\n" * 3000 + "x", "x " + "<b>" * 2500])
def test_html_that_nests_to_do_harm_is_refused(source: str) -> None:
    with pytest.raises(DocumentError, match=r"a\.md nests more than"):
        parse_data(source.encode(), "a.md")


def test_levels_and_title() -> None:
    parsed = parse_data(b"## Below\n\n# Top *one*\n\n### Third", "a.md")
    assert [block.level for block in parsed.blocks] == [2, 1, 3]
    assert parsed.title == "Top one"


def test_cuts_are_the_outer_items() -> None:
    parsed = parse_data(b"lead\n\n- a\n  - a1\n- b\n\n  more\n- c", "a.md")
    block = parsed.blocks[1]
    assert [parsed.text[cut] + parsed.text[cut + 2] for cut in block.cuts] == ["-b", "-c"]


@pytest.mark.parametrize(
    "source",
    ["> " * 50_000 + "needle", "".join("  " * n + "- x\n" for n in range(300)) + "needle"],
    ids=["quotes", "lists"],
)
def test_nesting_too_deep_to_follow_loses_nothing(source: str) -> None:
    assert "needle" in parse_data(source.encode(), "a.md").text


def test_nesting_that_can_be_followed_is() -> None:
    parsed = parse_data(("> " * 90 + "needle").encode(), "a.md")
    assert [(block.kind, parsed.text) for block in parsed.blocks] == [(BlockKind.QUOTE, "needle")]


@pytest.mark.parametrize("unit", ["[", "![", "*_", "`", "<a ", "<!--", "a**b", "[a](", "\\", "&"])
def test_hostile_inline_markup_is_kept_as_text(unit: str) -> None:
    assert len(parse_data(("x " + unit * 100_000).encode(), "a.md").text) >= 100_000
