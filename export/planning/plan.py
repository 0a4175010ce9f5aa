"""Which variants of a model suit which device profile, and why. Pure.

For each profile and each format that it runs, the precisions that an exporter makes are candidates.
Of those that lose nothing of the source or less than all (`_worth_making`), the one with the most
bits is taken that fits without strain and decodes at reading speed; where none does, the fastest
that fits at all. Sizes are estimates until something is made: `skerry.export.planning.sizes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from skerry.device_profiles import Fit, Fits, Format, ModelFacts, Profile, fit
from skerry.export.errors import Unsupported
from skerry.export.exporter import Exporter, Kind
from skerry.export.planning.kept_twice import Widths, matrix_estimate
from skerry.export.planning.sizes import TOKENIZER_BYTES, bits_per_weight, estimate_bytes
from skerry.export.planning.subject import Subject

READING_TOKENS_S = 10.0
"""People read 4 to 5 words a second (Brysbaert 2019, doi:10.1016/j.jml.2019.104047), which is 6 to
7 tokens; an answer should come faster than that."""

_SMALLEST_SENSIBLE_BITS = 4.2
"""Below it, models of the sizes that devices run lose much: taken where nothing else fits."""

_ENOUGH_BITS = 8.4
"""Eight and their scales: more is twice the download and memory, and no better to a reader."""

_FLOAT_BITS = 16.0

_TERNARY = "tq"
"""For models that were trained with weights of -1, 0 and 1; of others garbage is left."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for by name; empty takes what suits."""

    formats: frozenset[Format] = frozenset()
    precisions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant that could be made for a profile. `size` is estimated, in bytes."""

    profile: str
    format: Format
    precision: str
    size: int
    fit: Fit
    chosen: bool
    why: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A variant that would be made, for one profile or several, with its fit on each.

    `asked`: the user named its format or precision, so that it may not be left out.
    """

    name: str
    format: Format
    precision: str
    size: int
    fits: Mapping[str, Fit]
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A format that a profile runs and that is not made. `asked`: the user named it."""

    format: Format
    profiles: tuple[str, ...]
    why: str
    hint: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be made of `subject`, the best variant first, and what would not."""

    subject: Subject
    profiles: tuple[Profile, ...]
    variants: tuple[Planned, ...]
    candidates: tuple[Candidate, ...]
    refusals: tuple[Refusal, ...]

    @property
    def size(self) -> int:
        """Bytes of all variants, estimated."""
        return sum(one.size for one in self.variants)


def make_plan(
    subject: Subject,
    profiles: Sequence[Profile],
    exporters: Sequence[Exporter],
    wishes: Wishes | None = None,
) -> Plan:
    """The plan for `profiles`, of what `exporters` make.

    Raises:
        Unsupported: a format or precision was asked for that nothing here makes.
    """
    asked = wishes or Wishes()
    able = {one.format: one for one in exporters if one.kind is subject.kind}
    _check_wishes(asked, able)
    ready = {made: one for made, one in able.items() if one.missing() is None}
    found: list[Candidate] = []
    for profile in profiles:
        for made in _formats(profile, asked):
            if made in ready:
                found += _candidates(subject, profile, ready[made], asked)
    return Plan(
        subject=subject,
        profiles=tuple(profiles),
        variants=tuple(_variants(subject.kind, found, asked)),
        candidates=tuple(found),
        refusals=tuple(_refusals(subject.kind, profiles, able, asked)),
    )


def facts_of(
    subject: Subject, made: Format, size: int, matrices: Mapping[str, int] | None = None
) -> ModelFacts:
    """What `fit` needs of a variant of `size` bytes; `matrices` are its bytes by ggml's type."""
    return ModelFacts(
        name=subject.name,
        weights_bytes=size,
        kv_values=subject.kv_values,
        embedding=subject.embedding,
        feed_forward=subject.feed_forward,
        vocabulary=subject.vocabulary,
        context_tokens=subject.context_tokens,
        format=made,
        matrices=matrices or {},
    )


def fit_on(
    subject: Subject,
    made: Format,
    size: int,
    profile: Profile,
    matrices: Mapping[str, int] | None = None,
) -> Fit:
    """Whether a variant fits on a device of `profile`, with that profile's context."""
    facts = facts_of(subject, made, size, matrices)
    return fit(facts, profile, min(profile.context_tokens, subject.context_tokens))


def variant_name(kind: Kind, made: Format, precision: str) -> str:
    """Such as `gguf-q4_k_m`, or `encoder-onnx-int8`: one bundle may hold both kinds."""
    name = f"{made}-{precision.lower()}"
    return name if kind is Kind.LLM else f"{kind}-{name}"


def _formats(profile: Profile, asked: Wishes) -> Iterator[Format]:
    yield from (one for one in profile.formats if not asked.formats or one in asked.formats)


def _check_wishes(asked: Wishes, able: Mapping[Format, Exporter]) -> None:
    for made in sorted(asked.formats - able.keys()):
        hint = f"can: {', '.join(sorted(able)) or 'nothing'}"
        raise Unsupported(f"nothing here makes {made} of this kind of model", hint=hint)
    chosen = [one for made, one in able.items() if not asked.formats or made in asked.formats]
    known = {precision for one in chosen for precision in one.precisions()}
    for precision in sorted(asked.precisions - known):
        what = f"no exporter here makes the precision '{precision}'"
        raise Unsupported(what, hint=f"there are: {', '.join(sorted(known))}")


def _candidates(
    subject: Subject, profile: Profile, exporter: Exporter, asked: Wishes
) -> list[Candidate]:
    """All that could be made of one format for one profile; those that would be are `chosen`."""
    made = exporter.format
    every = [one for one in exporter.precisions() if not one.startswith(_TERNARY)]
    named = [one for one in exporter.precisions() if one.lower() in asked.precisions]
    wanted = named if asked.precisions else every
    sized = [one for name in wanted if (one := _sized(subject, profile, made, name)) is not None]
    sized.sort(key=lambda one: one.size, reverse=True)
    if asked.precisions:
        return [_judged(one) for one in sized]
    worth = _worth_making(subject, sized)
    best = _best(worth)
    return [replace(one, chosen=one is best, why=_why(one, best)) for one in worth]


def _sized(subject: Subject, profile: Profile, made: Format, precision: str) -> Candidate | None:
    size = estimate_bytes(
        made,
        precision,
        parameters=subject.parameters,
        embedding=subject.embedding,
        vocabulary=subject.vocabulary,
    )
    if size is None:
        return None
    fitted = fit_on(subject, made, size, profile, _matrices(subject, made, precision))
    return Candidate(profile.name, made, precision, size, fitted, chosen=False, why="")


def _matrices(subject: Subject, made: Format, precision: str) -> dict[str, int]:
    """Only llama.cpp keeps weights twice."""
    if made is not Format.GGUF:
        return {}
    widths = Widths(subject.parameters, subject.embedding, subject.vocabulary)
    return matrix_estimate(precision, widths)


def _judged(one: Candidate) -> Candidate:
    """One that was asked for by name."""
    fits = one.fit.fits is not Fits.NO
    return replace(one, chosen=fits, why="asked for" if fits else "; ".join(one.fit.why))


def _worth_making(subject: Subject, sized: Sequence[Candidate]) -> list[Candidate]:
    """From the smallest down that holds all bits of the source, or eight: above it nothing is
    gained. Floats are worth it where nothing else is made."""
    sized = [one for one in sized if _plain_bits(one) < _FLOAT_BITS] or sized
    enough = min(subject.size * 0.98, subject.parameters * _ENOUGH_BITS / 8)
    holding = [one for one in sized if _weights(subject, one) >= enough]
    smallest = min(holding, key=lambda one: one.size, default=None)
    return [one for one in sized if smallest is None or one.size <= smallest.size]


def _weights(subject: Subject, one: Candidate) -> int:
    return one.size - TOKENIZER_BYTES * subject.vocabulary


def _best(worth: Sequence[Candidate]) -> Candidate | None:
    fitting = [one for one in worth if one.fit.fits is not Fits.NO]
    easy = [one for one in fitting if one.fit.fits is Fits.YES and _reads(one.fit)]
    sensible = [one for one in easy if _plain_bits(one) >= _SMALLEST_SENSIBLE_BITS]
    if sensible or easy:
        return (sensible or easy)[0]
    least = [one for one in fitting if _plain_bits(one) >= _SMALLEST_SENSIBLE_BITS]
    return next(reversed(least or fitting), None)


def _plain_bits(one: Candidate) -> float:
    return bits_per_weight(one.format, one.precision) or 0.0


def _reads(fitted: Fit) -> bool:
    speed = fitted.tokens_per_s_estimate
    return speed is None or speed >= READING_TOKENS_S


def _why(one: Candidate, best: Candidate | None) -> str:
    if one.fit.fits is Fits.NO:
        return "; ".join(one.fit.why)
    if one is best and _comfortable(one):
        return "the most bits that fit and decode at reading speed"
    if one is best:
        return "the fastest that fits"
    if not _comfortable(one):
        return "it fits tightly" if one.fit.fits is Fits.TIGHT else "slower than people read"
    return "one with more bits fits" if best is not None and one.size < best.size else "larger"


def _comfortable(one: Candidate) -> bool:
    return one.fit.fits is Fits.YES and _reads(one.fit)


def _variants(kind: Kind, found: Sequence[Candidate], asked: Wishes) -> list[Planned]:
    """One variant for all profiles that take it, in the order of preference.

    GGUF comes first, since every device of Skerry's runs it; then the larger ones, which lost less.
    """
    made: dict[str, Planned] = {}
    for one in (one for one in found if one.chosen):
        name = variant_name(kind, one.format, one.precision)
        named = one.format in asked.formats or one.precision.lower() in asked.precisions
        known = made.get(name) or Planned(name, one.format, one.precision, one.size, {}, named)
        made[name] = replace(known, fits={**known.fits, one.profile: one.fit})
    return sorted(made.values(), key=lambda one: (one.format is not Format.GGUF, -one.size))


def _refusals(
    kind: Kind, profiles: Sequence[Profile], able: Mapping[Format, Exporter], asked: Wishes
) -> Iterator[Refusal]:
    """The formats that profiles run and that nothing here makes, or not without more tools."""
    for made in Format:
        names = tuple(one.name for one in profiles if made in _formats(one, asked))
        line = able[made].missing() if made in able else None
        if not names or (made in able and line is None):
            continue
        of = "an encoder" if kind is Kind.ENCODER else "a language model"
        why = "its tools are not installed" if line else f"nothing here makes it of {of}"
        yield Refusal(made, names, why, line or "", asked=made in asked.formats)
