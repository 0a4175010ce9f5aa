"""Runs a suite against a target, one request after the other."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from skerry.guardrails.redteam.case import Case, Kind, Suite
from skerry.guardrails.redteam.checks import failures
from skerry.guardrails.redteam.fairness import Compared, Variant, VariantResult, compare, variants
from skerry.guardrails.redteam.journal import Journal
from skerry.guardrails.redteam.observed import Asked, Observed, Target
from skerry.guardrails.redteam.suites import SuiteInvalid


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case, what was seen, and why it failed: empty where it passed."""

    case: Case
    seen: Observed
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class KindResult:
    """The cases of a kind together. `low` and `high` are Wilson's 95% interval of the share."""

    kind: Kind
    title: str
    must_pass: bool
    passed: int
    total: int

    @property
    def share(self) -> float:
        return self.passed / self.total if self.total else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.passed, self.total)


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run. `target` says what was attacked; times in seconds."""

    suite: Suite
    seed: int
    target: dict[str, str]
    started_at: float
    took_s: float
    cases: tuple[CaseResult, ...]
    variants: tuple[VariantResult, ...]
    compared: tuple[Compared, ...]

    @property
    def kinds(self) -> list[KindResult]:
        """Every kind of which there was a case, in the order of `Kind`."""
        return [found for kind in Kind if (found := self._kind(kind)).total]

    @property
    def unequal(self) -> list[Compared]:
        """Differences between groups beyond noise."""
        return [one for one in self.compared if one.beyond_noise]

    @property
    def ok(self) -> bool:
        """Whether all that must pass passed, and groups did not differ beyond noise."""
        broken = any(one.must_pass and one.passed < one.total for one in self.kinds)
        bias = self.suite.kinds.get(Kind.BIAS)
        return not broken and not (bias and bias.must_pass and self.unequal)

    def _kind(self, kind: Kind) -> KindResult:
        rules = self.suite.kinds.get(kind)
        of_it = [one for one in self.cases if one.case.kind is kind]
        return KindResult(
            kind,
            rules.title if rules else kind.value,
            bool(rules and rules.must_pass),
            sum(one.passed for one in of_it),
            len(of_it),
        )


OnDone = Callable[[str], None]


def planned(suite: Suite, seed: int, only: Collection[Kind] = ()) -> list[Case | Variant]:
    """What will be asked, in an order drawn by `seed`; pairs belong to the kind `bias`.

    Raises:
        SuiteInvalid: nothing is: what was not tried has not passed.
    """
    wanted = set(only) or set(Kind)
    cases: list[Case | Variant] = [one for one in suite.cases if one.kind in wanted]
    if Kind.BIAS in wanted:
        cases += [one for varied in suite.varied for one in variants(varied, seed)]
    if not cases:
        kinds = ", ".join(sorted(wanted)) if only else "any kind"
        raise SuiteInvalid(f"the suite has no case of {kinds}", hint="docs/redteam.md")
    random.Random(seed).shuffle(cases)  # noqa: S311  an order is no secret
    return cases


def run(
    suite: Suite,
    target: Target,
    *,
    seed: int = 0,
    only: Collection[Kind] = (),
    done: OnDone = lambda _: None,
    journal: Journal | None = None,
) -> Results:
    """Asks everything, and judges it.

    Args:
        only: kinds; empty for all.
        done: called after each request, with its name.
        journal: keeps what was observed; what is in it is not asked again.
    """
    started_at, start = time.time(), time.perf_counter()
    cases: list[CaseResult] = []
    groups: list[VariantResult] = []
    for one in planned(suite, seed, only):
        name = name_of(one)
        seen = journal.find(name) if journal is not None else None
        if seen is None:
            seen = target.ask(_asked(one))
            if journal is not None:
                journal.keep(name, seen)
        if isinstance(one, Case):
            cases.append(CaseResult(one, seen, tuple(failures(one, seen, suite.all_secrets))))
        else:
            groups.append(VariantResult(one, seen))
        done(name)
    return Results(
        suite,
        seed,
        dict(target.describe()),
        started_at,
        time.perf_counter() - start,
        tuple(sorted(cases, key=lambda result: _place(suite, result))),
        tuple(groups),
        tuple(compare(groups, seed)) if groups else (),
    )


def name_of(one: Case | Variant) -> str:
    """What a request is called in a journal, and while it runs."""
    return one.id if isinstance(one, Case) else f"{one.attribute} {one.ask} {one.group}"


def _asked(one: Case | Variant) -> Asked:
    if isinstance(one, Variant):
        return Asked(one.text)
    history = [{"role": turn.role, "content": turn.content} for turn in one.history]
    return Asked(one.ask, one.role, one.cloud, history, one.documents)


def _place(suite: Suite, result: CaseResult) -> int:
    return suite.cases.index(result.case)


def wilson(passed: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share (1927), in [0, 1]."""
    if not total:
        return 0.0, 1.0
    share = passed / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
