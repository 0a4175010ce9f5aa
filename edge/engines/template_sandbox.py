"""Jinja's sandbox for chat templates of strangers: what they reach is shut in, what they cost is
bounded (`template_limits`).

A template is rewritten before it is compiled, so that whatever may run more than once pays first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from skerry.edge.engines import template_limits as limits

LONGEST_SOURCE = 128 * 1024
"""Characters of a template; those of the largest models have some twenty thousand."""

_FORBIDDEN = (
    nodes.Block,
    nodes.Extends,
    nodes.FromImport,
    nodes.Import,
    nodes.Include,
    nodes.EvalContextModifier,
    nodes.OverlayScope,
)
_COUNTED, _MEASURED, _COPIED, _TEXT, _PAID = "_counted", "_measured", "_copied", "_text", "_paid"


class _GenerationTag(Extension):
    """`{% generation %}` marks training text (transformers); at inference its body is all."""

    tags = {"generation"}  # noqa: RUF012  # jinja2 declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        parser.stream.skip(1)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """What chat templates need, as `transformers` gives it, and no more; it cannot write.

    Rendering raises `TooCostly` for a template that takes more than it may; use `paying`.
    """

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])
    concat = staticmethod(limits.joined)

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing is computed before anybody pays
            finalize=limits.text,
            extensions=[_GenerationTag, "jinja2.ext.loopcontrols"],
        )
        self.filters = {
            **limits.paying_filters({"tojson": _tojson}),
            _COUNTED: limits.counted,
            _MEASURED: limits.measured,
            _COPIED: limits.copied,
            _TEXT: _as_text,
            _PAID: _paid,
        }
        known = {name: self.globals[name] for name in ("range", "dict", "namespace", "joiner")}
        own = {"raise_exception": _raise, "strftime_now": _strftime_now}
        self.globals.clear()
        self.globals.update({**known, **own})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        limits.binary(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`str.format` as the sandbox has it, paid."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        def formatted(*args: Any, **kwargs: Any) -> str:
            limits.formatted(value.__self__, "{", [*args, *kwargs.values()])
            return wrapped(*args, **kwargs)

        return formatted

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """As Jinja's own, whose odd names leave all others to a template's keywords."""
        limits.call(__obj, args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """The hook that Jinja has between parsing and compiling."""
        return super()._generate(_Rewritten().visit(source), *args, **kwargs)


class _Rewritten(NodeTransformer):
    """Puts a payment in front of whatever repeats or reads a whole value.

    Raises:
        jinja2.TemplateSyntaxError: there is a statement that no chat template needs.
    """

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if isinstance(node, _FORBIDDEN):
            what = f"'{type(node).__name__.lower()}' is not known in chat templates"
            raise jinja2.TemplateSyntaxError(what, node.lineno)
        return super().generic_visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        weight = nodes.Const(_weight(node))
        self.generic_visit(node)
        items: Any = node.iter  # declared as any node; it is an expression
        node.iter = _filtered(items, _COUNTED, weight)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        return self._pays_at_once(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        return self._pays_at_once(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """`a ~ b` as `text(a) + text(b)`, which pays before it is made."""
        self.generic_visit(node)
        texts = [_filtered(one, _TEXT) for one in node.nodes]
        whole: nodes.Expr = texts[0]
        for other in texts[1:]:
            whole = nodes.Add(whole, other, lineno=node.lineno, environment=node.environment)
        return whole

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _filtered(node.expr, _MEASURED)
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, _MEASURED)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        self.generic_visit(node)
        node.args = [_filtered(one, _MEASURED) for one in node.args]
        if node.args:  # others look at the kind of a value alone, which may be undefined
            node.node = _filtered(node.node, _MEASURED)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        """A slice is a copy."""
        self.generic_visit(node)
        return _filtered(node, _COPIED) if isinstance(node.arg, nodes.Slice) else node

    def _pays_at_once(self, node: nodes.Macro | nodes.CallBlock) -> nodes.Node:
        payment = _filtered(nodes.Const(_weight(node)), _PAID)
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(payment, lineno=node.lineno))
        return node


def _weight(node: nodes.Node) -> int:
    return 1 + sum(1 for _ in node.find_all(nodes.Node))


def _filtered(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    given = {"lineno": node.lineno, "environment": node.environment}
    return nodes.Filter(node, name, list(args), [], None, None, **given)


def _paid(weight: int) -> str:
    limits.pay(weight)
    return ""


def _as_text(value: Any) -> str:
    return str(limits.text(value))


def _tojson(value: Any, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, **options)


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)


def _strftime_now(pattern: str) -> str:
    limits.formatted(pattern, "%", ())
    return datetime.now().astimezone().strftime(pattern)
