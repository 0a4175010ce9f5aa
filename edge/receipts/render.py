"""A receipt for a person at a terminal: one panel, read from the top.

Text of the request is shown as text: markup is not read and control characters cannot act.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from skerry.edge.receipts.receipt import (
    BundleUsed,
    ChunkUsed,
    Egress,
    ModelUsed,
    Receipt,
    StepTiming,
    TokenUsage,
)
from skerry.edge.receipts.words import (
    collection_line,
    finding_lines,
    how_answered,
    tool_line,
    verdict_words,
)
from skerry.edge.terminal import visible
from skerry.edge.types import Tier

_BAR_WIDTH = 24
_QUESTION_SHOWN = 400
_BLOCKS = " ▏▎▍▌▋▊▉█"
_WARN = "yellow"
_GOOD = "green"
_DIM = "dim"


def render(receipt: Receipt) -> RenderableType:
    """A panel that suits 60 columns and more."""
    when = datetime.fromtimestamp(receipt.created_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Panel(
        Group(*_parts(receipt)),
        title=Text(f"receipt {receipt.id}"),
        subtitle=Text(when, style=_DIM),
        box=box.ROUNDED,
        padding=(0, 1),
    )


def _parts(receipt: Receipt) -> Iterator[RenderableType]:
    yield _facts(receipt)
    yield _section("because", _reasons(receipt))
    if receipt.chunks:
        yield _section("sources", _chunks(receipt.chunks))
    if receipt.steps:
        yield _section("time", _steps(receipt.steps))


def _facts(receipt: Receipt) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=_DIM, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _fact_rows(receipt):
        table.add_row(name, value)
    return table


def _fact_rows(receipt: Receipt) -> Iterator[tuple[str, Text]]:
    yield "question", _question(receipt)
    if receipt.question.searched_for:
        yield "searched for", _plain(" / ".join(receipt.question.searched_for.splitlines()))
    route = receipt.route
    yield "class", _plain(f"{route.request_class} (confidence {route.confidence:.2f})")
    yield "answered", _answered(receipt)
    yield "left device", _left(receipt.egress)
    if receipt.collections:
        yield "collections", _plain("\n".join(map(collection_line, receipt.collections)))
    if receipt.tools:
        yield "tools", _plain("\n".join(map(tool_line, receipt.tools)))
    yield "verdict", _verdict(receipt)
    if receipt.findings:
        used = {chunk.id for chunk in receipt.chunks}
        yield "findings", _plain("\n".join(finding_lines(receipt.findings, used)), _WARN)
    if receipt.model:
        yield "model", _model(receipt.model, receipt.usage)
    if used_bundle := receipt.bundle:
        named = f"{used_bundle.name} ({used_bundle.digest[:12]}), variant {used_bundle.variant}"
        yield "bundle", _plain("\n".join((named, *_origins(used_bundle))))
    yield "policy", _plain(f"{receipt.policy.version} ({receipt.policy.digest[:12]})")
    yield "latency", _latency(receipt)
    if receipt.error:
        yield "error", _plain(receipt.error, "red")


def _origins(used: BundleUsed) -> Iterator[str]:
    """Which parts came from where, a line for each place."""
    for origin in dict.fromkeys(one.origin for one in used.parts):
        of_it = (f"{one.name} {one.digest[:8]}" for one in used.parts if one.origin == origin)
        yield f"{origin}: {', '.join(of_it)}"


def _question(receipt: Receipt) -> Text:
    text = receipt.question.text
    if text is None:
        return _plain(f"not kept; digest {receipt.question.digest[:12]}", _DIM)
    return _plain(text if len(text) <= _QUESTION_SHOWN else f"{text[:_QUESTION_SHOWN]}…")


def _answered(receipt: Receipt) -> Text:
    planned = receipt.route.tier
    if receipt.answered_by is None:
        return _plain(f"nowhere; the route was {planned}", "red")
    text = _plain(receipt.answered_by, _tier_style(receipt.answered_by))
    text.append_text(_plain(f": {how_answered(receipt)}"))
    if receipt.answered_by is not planned:
        why = f": {receipt.fell_back}" if receipt.fell_back else ""
        text.append_text(_plain(f" (in place of {planned}{why})", _WARN))
    return text


def _tier_style(tier: Tier) -> str:
    if tier.leaves_device or tier in (Tier.HUMAN, Tier.REFUSE):
        return f"bold {_WARN}"
    return f"bold {_GOOD}"


def _left(egress: Sequence[Egress]) -> Text:
    if not egress:
        return _plain("nothing left this device", f"bold {_GOOD}")
    return Text("\n").join(_plain(_egress(one), _WARN) for one in egress)


def _egress(one: Egress) -> str:
    attempts = f", {one.attempts} attempts" if one.attempts > 1 else ""
    approved = ", approved" if one.approved else ""
    return (
        f"{', '.join(one.what) or 'nothing'} to {one.destination}: {one.bytes_sent:,} bytes out, "
        f"{one.bytes_received:,} back{attempts}; {_replaced(one)}; "
        f"consent {one.consent}{approved}{_vector(one)}{_split(one)}"
    )


def _vector(one: Egress) -> str:
    """Which vector it was, for a cloud collection."""
    sent = one.vector
    if sent is None:
        return ""
    return f"; {sent.dimensions} numbers ({sent.digest[:12]}) for the collection {sent.collection}"


def _split(one: Egress) -> str:
    """How the answer was shared with a cloud that verifies."""
    used = one.split
    if used is None:
        return ""
    drafts = used.why or f"{used.drafted} drafted here, {used.taken} of them taken"
    resumed = f", connected anew {used.resumed} times" if used.resumed else ""
    alone = f"; the last {used.alone} tokens by this device alone" if used.alone else ""
    if used.streamed:
        made = f"{used.tokens} tokens of {used.model} streamed as text"
        drafts = f"nothing drafted, for {used.why}"
    else:
        made = f"{used.tokens} tokens verified in {used.passes} passes of {used.model}"
    return f"; {made}, {drafts}{resumed}{alone}"


def _replaced(one: Egress) -> str:
    kinds = ", ".join(f"{count} {label}" for label, count in one.replaced.items())
    return f"{one.redactions} replaced" + f" ({kinds})" * bool(kinds)


def _verdict(receipt: Receipt) -> Text:
    if receipt.verdict is None:
        return _plain("nothing reached the gate", _DIM)
    text = _plain(verdict_words(receipt.verdict, receipt.verdict_details))
    if receipt.answer_confidence is not None:
        text.append_text(_plain(f" (answer confidence {receipt.answer_confidence:.2f})"))
    return text


def _model(model: ModelUsed, usage: TokenUsage | None) -> Text:
    digest = f" ({model.digest[:12]})" if model.digest else ""
    adapter = f" + {model.adapter}" if model.adapter else ""
    return _plain(f"{model.name}{digest}{adapter}{_tokens(usage) if usage else ''}")


def _tokens(usage: TokenUsage) -> str:
    return (
        f"; {usage.prompt_tokens} prompt tokens ({usage.cached_tokens} cached), "
        f"{usage.completion_tokens} made"
    )


def _latency(receipt: Receipt) -> Text:
    budget = receipt.route.budget
    text = Text()
    if receipt.ttft_ms is not None:
        text.append_text(_within("first text", receipt.ttft_ms, budget.ttft_ms))
        text.append("\n")
    return text.append_text(_within("all", receipt.total_ms, budget.total_ms))


def _within(name: str, took_ms: float, budget_ms: int) -> Text:
    text = f"{name} {_ms(took_ms)} of {_ms(budget_ms)}"
    return _plain(f"{text} (over budget)", _WARN) if took_ms > budget_ms else _plain(text)


def _section(name: str, body: RenderableType) -> RenderableType:
    return Group(Text(), Text(name, style="bold"), body)


def _reasons(receipt: Receipt) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=_DIM, no_wrap=True)
    table.add_column(overflow="fold")
    for reason in receipt.route.reasons:
        table.add_row(_plain(reason.rule), _plain(reason.text))
    return table


def _chunks(chunks: Sequence[ChunkUsed]) -> Group:
    """Each document once, with its sections under it."""
    documents: dict[tuple[str, str, str], list[ChunkUsed]] = {}
    for chunk in chunks:
        documents.setdefault((chunk.title, chunk.version, chunk.source), []).append(chunk)
    return Group(*(part for document in documents.values() for part in _document(document)))


def _document(chunks: Sequence[ChunkUsed]) -> Iterator[RenderableType]:
    first = chunks[0]
    version = f", version {first.version}" if first.version else ""
    line = _plain(f"{first.title}{version} ")
    where = f", of the cloud collection {first.collection}" if first.collection else ""
    yield line.append_text(_plain(f"({first.source}{where})", _DIM))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    for chunk in chunks:
        table.add_row(_plain(f"  [{chunk.mark}]"), _part(chunk))
    yield table


def _part(chunk: ChunkUsed) -> Text:
    """The section; in words whether it is cited, so that no style is needed to see it."""
    alone = "(under the title)" if chunk.heading else "(no heading)"
    place = " › ".join(chunk.heading[1:]) or alone
    text = _plain(f"{place} (cited)", "bold") if chunk.cited else _plain(place)
    if chunk.findings:
        text.append_text(_plain(f"; found in it: {', '.join(chunk.findings)}", _WARN))
    return text


def _steps(steps: Sequence[StepTiming]) -> Table:
    longest = max(step.ms for step in steps)
    table = Table.grid(padding=(0, 2))
    table.add_column(style=_DIM, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="crop", style="blue")  # the one that gives way
    for step in steps:
        table.add_row(_plain(step.name), _ms(step.ms), _bar(step.ms, longest))
    return table


def _bar(value: float, longest: float) -> str:
    """A bar in eighths of a cell; anything above nothing shows."""
    if value <= 0 or longest <= 0:
        return ""
    eighths = max(1, round(value / longest * _BAR_WIDTH * 8))
    return "█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()


def _ms(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def _plain(text: str, style: str = "") -> Text:
    return Text(visible(text), style=style)
