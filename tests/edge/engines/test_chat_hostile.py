"""Chat templates of strangers that would run for ever, or fill the memory: an error, and soon."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from typing import Any

import pytest

from skerry.edge.engines import template_limits
from skerry.edge.engines.chat import ChatTemplate
from skerry.edge.errors import InputError, ModelInvalid

TALK: list[dict[str, Any]] = [{"role": "user", "content": "Hi."}]
DOUBLED = "{% set s = 'xxxxxxxxxxxxxxxx' %}" + "{% set s = OF %}" * 60
NESTED = "{% set l = ['x'] %}" + "{% set l = [l, l] %}" * 60

COSTLY = {
    "nested loops": (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    ),
    "loops with a condition": (
        "{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}"
    ),
    "output in loops": (
        "{% for a in range(99999) %}{% for b in range(99999) %}xxxxxxxx{% endfor %}{% endfor %}"
    ),
    "text times": "{{ 'x' * 9999999999 }}",
    "text times in pieces": "{{ ('x' * 99999) * 99999 }}",
    "list times": "{% set l = [1] * 9999999999 %}",
    "plus": DOUBLED.replace("OF", "s + s"),
    "tilde": DOUBLED.replace("OF", "s ~ s"),
    "a block set": "{% set s = 'xxxxxxxx' %}" + "{% set s %}{{ s }}{{ s }}{% endset %}" * 60,
    "join": DOUBLED.replace("OF", "[s, s] | join"),
    "a long separator": DOUBLED.replace("OF", "[1, 2, 3] | join(s)"),
    "method join": DOUBLED.replace("OF", "s.join(['', '', ''])"),
    "replace": DOUBLED.replace("OF", "s | replace('x', 'xx')"),
    "method replace": DOUBLED.replace("OF", "s.replace('x', 'xx')"),
    "format": "{{ '%999999999d' % 1 }}",
    "format with a star": "{{ '%*d' % (999999999, 1) }}",
    "format by name": DOUBLED.replace("OF", "'%(a)s%(a)s' % {'a': s}"),
    "method format": "{{ '{:>999999999}'.format(1) }}",
    "method format by a value": "{{ '{:>{}}'.format(1, 999999999) }}",
    "method format doubles": DOUBLED.replace("OF", "'{0}{0}'.format(s)"),
    "format doubles": DOUBLED.replace("OF", "'%s%s' % (s, s)"),
    "indent": "{{ 'x\ny\nz' | indent(999999999) }}",
    "tojson indents": "{{ [1, 2] | tojson(indent=999999999) }}",
    "powers": "{{ 10 ** 10 ** 10 }}",
    "products": "{% set n = 9 %}" + "{% set n = n * n %}" * 60,
    "lists": NESTED + "{{ l }}",
    "lists as JSON": NESTED + "{{ l | tojson }}",
    "lists as text": NESTED + "{{ l | string }}",
    "lists compared": NESTED + "{% set k = [['x']] %}{{ l == l and l in [k, l] }}",
    "lists formatted": NESTED + "{{ '%s' % l }}",
    "a macro": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "a recursive loop": (
        "{% set t = [[], []] %}{% for a in [t, t] recursive %}{{ loop([t, t]) }}{% endfor %}"
    ),
    "lazy filters": (
        "{% for a in range(99999) %}{{ range(99999) | map('string') | list }}{% endfor %}"
    ),
    "split": (
        "{% set ns = namespace(all=[]) %}{% set s = 'x ' * 999999 %}{% for a in range(999) %}"
        "{% set ns.all = ns.all + [s.split(' ')] %}{% endfor %}"
    ),
    "letters": (
        "{% set ns = namespace(all=[]) %}{% set s = 'ж' * 999999 %}{% for a in range(999) %}"
        "{% set ns.all = ns.all + [s | list] %}{% endfor %}"
    ),
    "calls": "{% for a in range(99999) %}{{ range(99999) | sum }}{% endfor %}",
}


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tests need not take what a template may; what is made beside that would be an error."""
    monkeypatch.setattr(template_limits, "MOST_STEPS", 100_000)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + (1 << 30), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def _address_space() -> int:
    import psutil

    size: int = psutil.Process().memory_info().vms
    return size


@pytest.mark.parametrize("source", COSTLY.values(), ids=COSTLY.keys())
def test_a_template_that_takes_too_much(source: str) -> None:
    with pytest.raises((ModelInvalid, InputError), match="template") as caught:
        ChatTemplate(source, control=()).render(TALK)
    assert not isinstance(caught.value.__cause__, MemoryError)
    assert caught.value.hint


UNKNOWN = {
    "nested too deeply": "{% for a in 'x' %}" * 30 + "{% endfor %}" * 30,
    "too long": "x" * 300_000,
    "includes": "{% include 'x' %}",
    "blocks": "{% block a %}{{ self.a() }}{% endblock %}",
    "a filter": "{{ 'x' | center(999999999) }}",
    "a test": "{{ 'x' is nosuch }}",
    "a number": "{{ " + "9" * 5000 + " }}",
    "brackets": "{{ " + "(" * 5000 + ")" * 5000 + " }}",
}


@pytest.mark.parametrize("source", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_template_that_says_what_none_needs(source: str) -> None:
    with pytest.raises(ModelInvalid, match="template"):
        ChatTemplate(source, control=()).render(TALK)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x'.center(999999999) }}",
        "{{ 'x'.zfill(999999999) }}",
        "{{ lipsum(n=999999999) }}",
    ],
)
def test_a_method_that_none_needs(source: str) -> None:
    with pytest.raises(InputError, match="template"):
        ChatTemplate(source, control=()).render(TALK)


def test_a_long_conversation_costs_little() -> None:
    talk = [{"role": "user", "content": "Why? " * 200} for _ in range(200)]
    source = (
        "{% set ns = namespace(all='') %}{% for m in messages %}"
        "{% if loop.index0 == messages | length - 1 %}{% endif %}"
        "{% set ns.all = ns.all ~ m.role ~ m.content | trim %}{% endfor %}{{ ns.all }}"
    )
    assert len(ChatTemplate(source, control=()).render(talk)) == 200 * (4 + 999)
