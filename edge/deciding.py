"""From a question to a decision: screen, read, encode once, route, retrieve, decide."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from skerry.edge.assembly import Decided, asks_documents
from skerry.edge.encoding import Encoding
from skerry.edge.followup import standalone
from skerry.edge.request import Request
from skerry.edge.screening import identifiers_before, knows_encoder, may_leave, names_in
from skerry.edge.second_opinion import second_opinion
from skerry.edge.smalltalk import small_talk, talked
from skerry.edge.sources import screen_sources
from skerry.edge.tools.routing import claimed, no_danger, planned_by_rules
from skerry.edge.trace import Trace
from skerry.edge.understanding import (
    asked_again,
    classified,
    documented,
    of_no_section,
    of_nobody,
    searched,
    spelt,
)
from skerry.edge.wholes import compared
from skerry.guardrails.screen import screen_sentences

if TYPE_CHECKING:
    from skerry.edge.parts import Parts


def decided_on(request: Request, parts: Parts, trace: Trace) -> Decided:
    """Decides on the question and on the sources that would go with it.

    Where something may leave the device, names are looked for too, and it is decided again.
    """
    if not parts.loaded:
        with trace.step("load"):
            parts.load()
    with closing(Encoding(parts.encoder)) as encode:
        return _decided_on(request, parts, trace, encode)


def _decided_on(request: Request, parts: Parts, trace: Trace, encode: Encoding) -> Decided:
    """While the question is encoded on another core, it is screened and read."""
    from skerry.edge.policy import decide

    policy, heads = parts.policy, encode if knows_encoder(parts.encoder.id) else None
    networks = parts.networks
    with trace.step("screen"):
        said = standalone(request.question, lambda: parts.turns(request))
        encode.begin(searched(said))
        screened = said.question if said.again else request.question
        findings = screen_sentences(screened, encode=heads, least=policy.least, networks=networks)
        said = of_nobody(said, findings, networks)
    with trace.step("read"):
        asked = spelt(request, said, parts)
        plan = planned_by_rules(request, parts)
        talk = small_talk(request.question) if request.grammar is None else None
    with trace.step("encode"):
        vector = encode([searched(asked)])[0]
    with trace.step("route"):
        seen = classified(said, asked, encode, parts)
        seen = second_opinion(seen, said, request.question, findings, networks)
        plan = no_danger(plan, seen)
        talk = None if plan else talk
        seen = compared(talked(claimed(seen, plan), talk), asked)
        seen = asked_again(asks_documents(seen, request.question), asked)
    with trace.step("retrieve"):
        hits = [] if plan or talk else parts.search(request, searched(asked), vector)
    with trace.step("screen_sources"):
        score = policy.injection.score
        known = parts.screened(hits)
        hits, findings = screen_sources(hits, findings, score, heads, known, networks=networks)
    seen = documented(seen, asked, hits, has_documents=parts.expects_documents)
    findings = of_no_section(findings, said, hits)
    with trace.step("decide"):
        given = parts.policy_input(request, seen, findings, hits)
        route = decide(given, policy)
    if may_leave(route):
        with trace.step("screen_names"):
            before = identifiers_before(parts.said_before(request), networks)
            names = names_in(request.question, networks)
            given = replace(given, findings=(*given.findings, *names, *before))
            route = decide(given, policy)
    return Decided(given, policy, parts.encoder.id, route, hits, asked, vector, talk)
