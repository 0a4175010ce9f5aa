"""Whether a value that the claim has is said of something else.

"The dose of ramipril is 10 mg" has its number in "Give ramipril at 5 mg. Give heparin at 10 mg.",
but the sentence that is about all that the claim is about has another.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.guardrails.grounding.exact.parts import Part


def of_another(said: frozenset[str], holders: Sequence[Part], rivals: Sequence[Part]) -> bool:
    """Whether a rival has all of the claim's words `said` that each holder has (some), and more.

    `holders` are the sentences that have the value, `rivals` those that have another of its kind.
    """
    shared = [said & one.stems for one in holders]
    return all(shared) and any(
        all(mine < said & rival.stems for mine in shared) for rival in rivals if shared
    )
