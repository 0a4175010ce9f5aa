"""Plain words for what a receipt names in the code's own: tiers, verdicts and findings. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from skerry.edge.policy.request import PLACES
from skerry.edge.receipts.receipt import CollectionAsked, Receipt, ToolUsed
from skerry.edge.terminal import visible_line
from skerry.edge.types import RequestClass, Tier
from skerry.guardrails.answer import QUOTED_NEAREST
from skerry.guardrails.findings import Finding, FindingKind

ANSWERERS = {
    Tier.RULES: "a source's own words, without a model",
    Tier.DEVICE: "a model on this device",
    Tier.SPLIT: "a model on this device, checked by a larger one elsewhere",
    Tier.CLOUD: "a larger model elsewhere",
    Tier.CLOUD_REASONING: "a larger model elsewhere, in several steps of thought",
    Tier.HUMAN: "referred to a person",
    Tier.REFUSE: "declined",
}
_VERDICTS = {
    "released": "nothing had to be left out",
    "repaired": "what no source supports, or may do harm, was left out or replaced",
    "withheld": "fixed words in place of a model's",
}
DOUBTFUL = 0.35
"""The answer confidence from which on a reader is not warned."""
_ASKS = (RequestClass.LOOKUP, RequestClass.QUESTION, RequestClass.REASONING)

UNFOUNDED = "no document was read: these are a model's own words, and unchecked"
NO_DOCUMENTS = "there are no documents yet: `skerry index add PATH` takes some in"
LEFT_OUT = "a passage was left out, since it reads as orders to a model: skerry explain says which"
NOT_SURE = "not sure that this answers the question: look at the sources"

_KINDS = {
    FindingKind.PII: "personal data",
    FindingKind.INJECTION: "orders to the model",
    FindingKind.SAFETY: "sign of danger",
}
_LABELS = {
    "unsupported": "sentence that no source supports",
    "opposite": "sentence that says the opposite of a source",
    "beside_the_point": "sentence about something else than was asked",
    "says_nothing": "sentence that says no more than the question",
    "contradicted": "sentence that a source contradicts",
    "not_found": "sentence that its source does not entail",
    "unchecked": "sentence that could not be checked",
    "documents_disagree": "document that says otherwise",
    "number_not_in_source": "sentence with a number that no source gives",
    "value_not_in_source": "value of a form that no source gives",
    "unknown_mark": "citation of no source",
    "not_in_force": "citation of a source that is not in force",
    "miscited": "citation of a source that does not say so",
}


def how_answered(receipt: Receipt) -> str:
    """Who or what made the answer. Some answers of a tier with a model need none."""
    tier = receipt.answered_by
    if tier is None:
        return "nowhere"
    if tier is Tier.SPLIT and any(one.split and one.split.streamed for one in receipt.egress):
        return f"{ANSWERERS[Tier.CLOUD]}, streamed as text"
    if receipt.model is not None or tier not in (Tier.RULES, Tier.DEVICE):
        return ANSWERERS[tier]
    if any(chunk.cited for chunk in receipt.chunks):
        return "quoted from a source, without a model"
    if any(tool.outcome == "ok" for tool in receipt.tools):
        return "by a tool, without a model"
    return "fixed words, without a model"


def about(receipt: Receipt) -> str:
    """What to know a receipt by in a list: the question where it is kept, else the documents that
    the answer cites, else those that it could have cited; empty where there are none."""
    if receipt.question.text is not None:
        return receipt.question.text
    cited = [chunk.title for chunk in receipt.chunks if chunk.cited]
    return ", ".join(dict.fromkeys(cited or (chunk.title for chunk in receipt.chunks)))


def verdict_words(verdict: str, details: Sequence[str] = ()) -> str:
    """The gate's verdict with what happened, or else what it means.

    It is alone when this version has no words for it.
    """
    meaning = "; ".join(map(visible_line, details)) or _VERDICTS.get(verdict, "")
    return f"{verdict}: {meaning}" if meaning else verdict


def tool_line(tool: ToolUsed) -> str:
    """A call of a tool: its arguments, how it ended, and how long it took."""
    said = "arguments not kept" if tool.arguments is None else visible_line(tool.arguments)
    confirmed = ", confirmed by a person" if tool.confirmed else ""
    took = f", {tool.ms:.1f} ms" if tool.ms else ""
    return f"{visible_line(tool.name)} ({said}): {tool.outcome.replace('_', ' ')}{confirmed}{took}"


def collection_line(asked: CollectionAsked) -> str:
    """What came of a cloud collection that was wanted."""
    said = {
        "found": f"{asked.passages} passages, of version {asked.digest[:12]}",
        "nothing": "nothing near the question",
        "not_sent": "not asked",
        "failed": "did not answer, so that only documents on this device were read",
    }[asked.outcome]
    why = f": {asked.why}" if asked.why else ""
    return visible_line(f"{asked.name}: {said}{why}")


def finding_lines(findings: Iterable[Finding], used: Container[int]) -> Iterator[str]:
    """A line for each kind of finding in each place, with how many there are.

    Args:
        used: the ids of the chunks that were used.
    """
    counts = Counter((finding_name(finding), _place(finding, used)) for finding in findings)
    for (name, place), count in counts.items():
        yield f"{f'{count} x ' if count > 1 else ''}{name}, in {place}"


def _place(finding: Finding, used: Container[int]) -> str:
    place = finding.place
    if place is None:
        return PLACES[finding.where]
    part = " › ".join(dict.fromkeys((place.title, *place.heading)))
    unused = "" if place.chunk in used else ", which was left out"
    return visible_line(f"{part} ({place.source})") + unused


def finding_name(finding: Finding) -> str:
    label = finding.label.replace("_", " ")
    if finding.kind in _KINDS:
        return f"{_KINDS[finding.kind]} ({label})"
    return _LABELS.get(finding.label, f"{finding.kind}: {label}")


def is_unfounded(receipt: Receipt) -> bool:
    """Whether a model answered a question without any document, here or in the cloud."""
    tier = receipt.answered_by
    by_model = tier is not None and (
        tier.leaves_device or (tier is Tier.DEVICE and receipt.model is not None)
    )
    return by_model and receipt.route.request_class in _ASKS and not receipt.chunks


def unverified(receipt: Receipt) -> str:
    """What to tell of an answer whose end no cloud has verified; empty where it was, or none was
    to."""
    shared = [one.split for one in receipt.egress if one.split is not None]
    if not shared or not shared[-1].alone:
        return ""
    last = shared[-1]
    alone, whole = last.alone, last.alone + last.tokens
    why = f" ({visible_line(last.broke)})" if last.broke else ""
    return (
        f"the cloud did not go on{why}: this device alone wrote the last {alone} of {whole} tokens"
    )


def left_out(receipt: Receipt) -> bool:
    """Whether a source was left out because it reads as orders to a model."""
    used = {chunk.id for chunk in receipt.chunks}
    return any(
        finding.kind is FindingKind.INJECTION and finding.place and finding.place.chunk not in used
        for finding in receipt.findings
    )


def is_doubtful(receipt: Receipt) -> bool:
    """Whether its reader should know that it may not answer: its confidence is low, or it says so
    itself."""
    return is_hedged(receipt) or is_unsure(receipt)


def is_unsure(receipt: Receipt) -> bool:
    """Whether its confidence is low."""
    return receipt.answer_confidence is not None and receipt.answer_confidence < DOUBTFUL


def is_hedged(receipt: Receipt) -> bool:
    """Whether it is quoted below "The documents may not answer this"."""
    return any(QUOTED_NEAREST in one for one in receipt.verdict_details)
