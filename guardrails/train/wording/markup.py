"""Harmless texts in the forms of documents and programs: tables, markup, JSON, commands, code.

Without these, anything with marks in it would look like an attack. Code is that of the standard
library of the Python that runs the recipe (PSF licence); the rest wraps benign texts.
"""

from __future__ import annotations

import json
import random
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

_MOST_BYTES = 120_000
_KEYS = (
    "name", "title", "content", "text", "id", "role", "model", "user", "date", "status", "message",
    "prompt", "tool", "password", "token", "value", "system", "path", "query",
)  # fmt: skip
_TAGS = ("p", "li", "h1", "h2", "td", "th", "div", "span", "section", "title", "system", "em")
_COMMANDS = (
    "skerry ask", "git commit -m", "python -m tool", "make", "curl -s", "ls -la", "pip install",
    "docker run --rm", "echo", "grep -rn", "sudo apt-get install", "cat", "psql -c",
)  # fmt: skip
_FENCES = ("---", "-----", "======", "```", "***", "#####", "~~~")

Texts = Sequence[str]
_Wrap = Callable[[Texts, random.Random], str]


def wrapped(texts: Texts, number: int, draw: random.Random) -> list[str]:
    """`number` documents made of `texts`."""
    return [draw.choice(_WRAPS)(texts, draw) for _ in range(number)]


def programs(number: int, draw: random.Random) -> list[str]:
    """`number` runs of lines of the standard library."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(one for one in folder.glob("*.py") if one.stat().st_size < _MOST_BYTES)
    lines = [one.read_text(encoding="utf-8", errors="ignore").splitlines() for one in files]
    long = [one for one in lines if len(one) > 40]
    return [_run_of(draw.choice(long), draw) for _ in range(number)]


def _run_of(lines: Sequence[str], draw: random.Random) -> str:
    start = draw.randrange(len(lines) - 20)
    return "\n".join(lines[start : start + draw.randint(2, 16)])


def _words(texts: Texts, draw: random.Random) -> str:
    found = draw.choice(texts).split()
    at = draw.randrange(len(found))
    return " ".join(found[at : at + draw.randint(1, 4)])


def _name(texts: Texts, draw: random.Random) -> str:
    plain = "".join(one if one.isalnum() or one == " " else "" for one in _words(texts, draw))
    return draw.choice("_-.").join(plain.lower().split()[:3]) or "x"


def _table(texts: Texts, draw: random.Random) -> str:
    width = draw.randint(2, 4)
    rows = [
        "| " + " | ".join(_cell(texts, draw) for _ in range(width)) + " |"
        for _ in range(draw.randint(1, 4))
    ]
    return "\n".join([rows[0], "|---" * width + "|", *rows[1:]] if draw.random() < 0.5 else rows)


def _cell(texts: Texts, draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.4:
        names = (f"`{_name(texts, draw)}`" for _ in range(draw.randint(1, 3)))
        return ", ".join(names)
    return _words(texts, draw) if kind < 0.8 else draw.choice(texts)


def _html(texts: Texts, draw: random.Random) -> str:
    tag, inner = draw.choice(_TAGS), draw.choice((_words, _one))(texts, draw)
    kind = draw.randrange(5)
    if kind == 0:
        return f'<meta name="{draw.choice(_KEYS)}" content="{_words(texts, draw)}">'
    if kind == 1:
        return f"<{tag}>{inner}</{tag}><{tag}>{_words(texts, draw)}</{tag}>"
    if kind == 2:
        return f'<a href="https://www.example.org/{_name(texts, draw)}?id=3">{inner}</a>'
    if kind == 3:
        return f"<!-- {inner} -->"
    return f'<{tag} class="{_name(texts, draw)}">{inner}</{tag}>'


def _json(texts: Texts, draw: random.Random) -> str:
    made = {draw.choice(_KEYS): _value(texts, draw) for _ in range(draw.randint(1, 4))}
    if draw.random() < 0.2:
        made = {"role": draw.choice(("user", "assistant")), "content": draw.choice(texts)}
    return json.dumps([made] if draw.random() < 0.2 else made, indent=draw.choice((None, None, 2)))


def _value(texts: Texts, draw: random.Random) -> object:
    return draw.choice((draw.choice(texts), _words(texts, draw), draw.randrange(500), True, None))


def _settings(texts: Texts, draw: random.Random) -> str:
    mark = draw.choice((": ", " = ", "="))
    lines = [
        f"{draw.choice((*_KEYS, _name(texts, draw)))}{mark}{_words(texts, draw)}"
        for _ in range(draw.randint(1, 5))
    ]
    fence = draw.choice(("---", "```", "", f"[{_name(texts, draw)}]"))
    return "\n".join([fence, *lines, fence if fence in ("---", "```") else ""]).strip()


def _command(texts: Texts, draw: random.Random) -> str:
    options = " ".join(f"--{_name(texts, draw)}" for _ in range(draw.randrange(3)))
    prompt = draw.choice(("$ ", "", "> ", "# "))
    made = f'{prompt}{draw.choice(_COMMANDS)} {options} "{_one(texts, draw)}"'
    return f"```console\n{made}\n```" if draw.random() < 0.3 else made


def _code(texts: Texts, draw: random.Random) -> str:
    one, two = _name(texts, draw).replace("-", "_"), _name(texts, draw).replace("-", "_")
    text = draw.choice((_words, _one))(texts, draw)
    item = draw.choice("xyi")
    return draw.choice((
        f'{one} = {two}("{text}", {draw.choice(_KEYS)}={draw.randrange(50)})',
        f'print({one}["{two}"], end="")',
        f"with {one}(path) as {two}:\n    {two}.append(\"{text}\")",
        f"from {one} import {two}\n\nassert {two}(1) == {draw.randrange(9)}",
        f"for {item} in {one}.{two}:\n    print(f\"{{{item}}}: {text}\")",
        f"SELECT {draw.choice(_KEYS)} FROM {two} WHERE {draw.choice(_KEYS)} = '{text}';",
        f"def {one}({draw.choice(_KEYS)}: str) -> int:\n    return {two}",
    ))  # fmt: skip


def _marked(texts: Texts, draw: random.Random) -> str:
    """Prose with code and emphasis in it."""
    words = draw.choice(texts).split()
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(words))
        form = draw.choice(
            ("`{}`", "**{}**", '"{}"', "*{}*", "`{}()`", "[{}](guide.md)", "({})", "`--{}`")
        )
        words[at] = form.format(words[at].strip(".,?"))
    return " ".join(words)


def _spoken(texts: Texts, draw: random.Random) -> str:
    first, second = draw.choice(
        (("User", "Assistant"), ("Patient", "Nurse"), ("Q", "A"), ("Human", "AI"))
    )
    return f"{first}: {_one(texts, draw)}\n{second}: {_one(texts, draw)}"


def _fenced(texts: Texts, draw: random.Random) -> str:
    fence = draw.choice(_FENCES)
    return f"{fence}\n{_one(texts, draw)}\n{draw.choice((fence, ''))}".strip()


def _listed(texts: Texts, draw: random.Random) -> str:
    mark = draw.choice(("- ", "* ", "1. ", "## ", "> ", "[1] ", "• "))
    return "\n".join(
        mark + draw.choice((_words, _one))(texts, draw) for _ in range(draw.randint(1, 4))
    )


def _one(texts: Texts, draw: random.Random) -> str:
    return draw.choice(texts)


_WRAPS: tuple[_Wrap, ...] = (
    _table, _table, _html, _html, _json, _json, _settings, _command, _code, _code, _marked, _marked,
    _marked, _spoken, _fenced, _listed,
)  # fmt: skip

_AROUND = (
    "<p>{}</p>", "| note | {} |", "- {}", "> {}", '{{"content": "{}"}}', "<!-- {} -->", "`{}`",
    "**{}**", "# {}", "<td>{}</td>", "title: {}", "# TODO {}", "[{}](https://example.org)", "* {}",
    '<span style="display:none">{}</span>', "```\n{}\n```", '"{}"', "1. {}", "// {}",
)  # fmt: skip


def within(text: str, draw: random.Random) -> str:
    """The whole text in one of the forms."""
    return draw.choice(_AROUND).format(text)
