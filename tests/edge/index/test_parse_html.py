"""What becomes of HTML: a case table of blocks and texts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from skerry.edge.index.parse import parse_data


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    expected: tuple[tuple[str, str], ...]


CASES = [
    Case(
        "headings", "<h1>A <em>b</em></h1><h3>C<br>d</h3>", (("heading", "A b"), ("heading", "C d"))
    ),
    Case(
        "paragraphs",
        "<p>a\n b<p>c<div>d<p>e</p>f</div>",
        tuple(("paragraph", text) for text in ("a b", "c", "d", "e", "f")),
    ),
    Case("break", "<p>a<br>b</p>", (("paragraph", "a\nb"),)),
    Case(
        "inline",
        "<p>5<sup>2</sup> <a href=x>m</a><img alt='(map)' src=x></p>",
        (("paragraph", "52 m(map)"),),
    ),
    Case(
        "list",
        "<ul><li>a<li><p>b</p><p>c</p><ol start=4><li>d</ol></ul>",
        (("list", "- a\n- b\n  c\n  4. d"),),
    ),
    Case("list number that is none", "<ol start=x><li>a</ol>", (("list", "1. a"),)),
    Case("definitions", "<dl><dt>a<dd>b<dt>c<dd>d</dl>", (("list", "- a\n  b\n- c\n  d"),)),
    Case("item without a list", "<li>a<li>b", (("paragraph", "a"), ("paragraph", "b"))),
    Case(
        "table",
        "<table><caption>T</caption><thead><tr><th>a<th>b</thead><tr><td><p>1</p><p>2</p><td>"
        "<ul><li>x<li>y</ul></table>",
        (("paragraph", "T"), ("table", "| a | b |\n| 1 2 | x y |")),
    ),
    Case(
        "table by rows",
        "<table><tr><th>a<td>1<tr><th>b<td>2</table>",
        (("table", "| a | 1 |\n| b | 2 |"),),
    ),
    Case(
        "table as a frame",
        "<table><tr><td>a<td><h2>b</h2><table><tr><td>c<td>d</table></table>",
        (("paragraph", "a"), ("heading", "b"), ("table", "| c | d |")),
    ),
    Case("pre", "<pre>\n a\n\n  b\n</pre>", (("code", " a\n\n  b"),)),
    Case(
        "quote",
        "<blockquote>a<p>b</p><ul><li>c</ul></blockquote>d",
        (("quote", "a\nb\n- c"), ("paragraph", "d")),
    ),
    Case(
        "no text of the page's machinery",
        "<script>a</script><style>b</style><!-- c --><template>d</template>"
        "<noscript>e</noscript><svg><text>f</text></svg><button>g</button><select><option>h</select>"
        "<textarea>i</textarea><iframe>j</iframe><p>k",
        (("paragraph", "k"),),
    ),
    Case(
        "hidden",
        "<p hidden>a</p><p aria-hidden=true>b</p><p style='color: red; DISPLAY : none'>c</p>"
        "<p style='font-size:0px'>d</p><p style='opacity:0'>e</p><dialog>f</dialog>"
        "<p style='opacity:0.5'>g</p>",
        (("paragraph", "g"),),
    ),
    Case(
        "furniture",
        "<nav>a</nav><div role=navigation>b</div><header>c</header><p>d</p><footer>e</footer>",
        (("paragraph", "c"), ("paragraph", "d")),
    ),
    Case(
        "main only",
        "<header>a</header><main><p>b</p></main><aside>c</aside>",
        (("paragraph", "b"),),
    ),
    Case("empty main", "<main></main><p>a</p>", (("paragraph", "a"),)),
    Case("entities", "<p>&lt; &amp;&nbsp;&#xd800;</p>", (("paragraph", "< & \ufffd"),)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_blocks(case: Case) -> None:
    parsed = parse_data(case.source.encode(), "a.html")
    blocks = [(block.kind.value, parsed.text[block.start : block.end]) for block in parsed.blocks]
    assert blocks == [*case.expected]


def test_a_header_row_is_known_by_its_cells() -> None:
    named = parse_data(b"<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a.html").blocks[0]
    unnamed = parse_data(b"<table><tr><th>a<td>1<tr><th>b<td>2</table>", "a.html").blocks[0]
    assert (named.body is not None, unnamed.body) == (True, None)


def test_metadata() -> None:
    page = b"""<html><head><title> Trolley
      checks </title><meta name="Version" content="3">
      <meta name="DCTERMS.issued" content="2026-02-01">
      <meta name="expires" content="2027-01-31"><meta http-equiv="expires" content="0">
      <meta name="labels" content="nursing, emergency"><meta name="keywords" content="no">
      </head><body><h1>Other</h1></body></html>"""
    parsed = parse_data(page, "a.html")
    assert parsed.title == "Trolley checks"
    assert parsed.metadata == {
        "title": "Trolley checks",
        "version": "3",
        "date": "2026-02-01",
        "expires": "2027-01-31",
        "labels": "nursing, emergency",
    }


def test_a_date_that_a_program_wrote_its_own_way_is_left_out() -> None:
    page = b'<meta name="date" content="last Tuesday"><p>a'
    assert parse_data(page, "a.html").metadata == {}


@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "table><tr><td", "blockquote", "dl><dd"])
def test_deep_nesting_is_read(tag: str) -> None:
    assert "needle" in parse_data((f"<{tag}>" * 900 + "needle").encode(), "a.html").text
