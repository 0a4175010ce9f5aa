"""The small networks that screen texts, as one thing: those of the package, or those of a bundle.

Each is loaded when it is first needed. Knows where they lie and not what they mean: `names`,
`injection`, `safety` and `wording` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.once import Once

if TYPE_CHECKING:
    from skerry.guardrails.injection.detector import InjectionDetector
    from skerry.guardrails.names.classifier import NamesClassifier
    from skerry.guardrails.safety.classifier import SafetyClassifier
    from skerry.guardrails.wording.table import WordTable
    from skerry.guardrails.wording.words import Words

MANIFESTS: Mapping[str, str] = {
    "injection": "injection.json",
    "names": "names.json",
    "safety": "safety.json",
    "wording": "table.json",
}
"""The file that stands for each network: it has the digests of the others."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a network; `sha256` is the digest of its manifest that it must have."""

    folder: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Networks:
    """What gives each network. Thread-safe.

    `id` is equal for networks that find the same. All raise GuardrailError where a file is missing,
    was changed or cannot be loaded: what cannot be screened must not pass.
    """

    id: Callable[[], bytes]
    table: Callable[[], WordTable]
    injection: Callable[[], InjectionDetector]
    safety: Callable[[], SafetyClassifier]
    names: Callable[[], NamesClassifier]

    def read(self, text: str) -> Words:
        """The words of `text`, a plain copy (`normal.normalise`)."""
        from skerry.guardrails.wording import words

        return words.read(text, self.table())


def installed_folder(name: str) -> Path:
    """The folder of a network that comes with the package."""
    return Path(__file__).parent / name / "weights"


def installed_digest(name: str) -> str:
    """The SHA-256 of the manifest of a network that comes with the package.

    Raises:
        GuardrailError: it cannot be read.
    """
    path = installed_folder(name) / MANIFESTS[name]
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        what = f"the model's file '{path}' cannot be read: {error.strerror}"
        raise GuardrailError(what, hint="Reinstall skerry.") from error


def _installed(name: str) -> Place:
    return Place(installed_folder(name), installed_digest(name))


def networks_at(places: Mapping[str, Place]) -> Networks:
    """The networks at `places`, by name; those that it does not name are the package's.

    Where all are the package's by their digests, those are given, which a process loads once.

    Raises:
        GuardrailError: the package's own cannot be read.
    """
    same = all(place.sha256 == installed_digest(name) for name, place in places.items())
    return INSTALLED if same else fresh(places)


def fresh(places: Mapping[str, Place]) -> Networks:
    """As `networks_at`, loaded anew in any case.

    Raises:
        GuardrailError: the package's own cannot be read.
    """
    places = {**{name: _installed(name) for name in MANIFESTS if name not in places}, **places}
    made = _id_of({name: place.sha256 for name, place in places.items()})
    table = Once(lambda: _table(places["wording"]))
    return Networks(
        id=lambda: made,
        table=table,
        injection=Once(lambda: _injection(places["injection"], table())),
        safety=Once(lambda: _safety(places["safety"], table())),
        names=Once(lambda: _names(places["names"])),
    )


def _id_of(digests: Mapping[str, str]) -> bytes:
    said = " ".join(f"{name} {digests[name]}" for name in sorted(digests))
    return blake2b(said.encode(), digest_size=16).digest()


def _table(place: Place) -> WordTable:
    from skerry.guardrails.wording.table import WordTable

    return WordTable.load(place.folder, sha256=place.sha256)


def _injection(place: Place, words: WordTable) -> InjectionDetector:
    from skerry.guardrails.injection.detector import InjectionDetector

    return InjectionDetector.load(place.folder, words, sha256=place.sha256)


def _safety(place: Place, words: WordTable) -> SafetyClassifier:
    from skerry.guardrails.safety.classifier import SafetyClassifier

    return SafetyClassifier.load(place.folder, words, sha256=place.sha256)


def _names(place: Place) -> NamesClassifier:
    from skerry.guardrails.names.classifier import NamesClassifier

    return NamesClassifier.load(place.folder, sha256=place.sha256)


def _installed_table() -> WordTable:
    from skerry.guardrails.wording import table

    return table.shared()


def _installed_injection() -> InjectionDetector:
    from skerry.guardrails.injection import detector

    return detector.shared()


def _installed_safety() -> SafetyClassifier:
    from skerry.guardrails.safety import classifier

    return classifier.shared()


def _installed_names() -> NamesClassifier:
    from skerry.guardrails.names import classifier

    return classifier.shared()


INSTALLED = Networks(
    id=lambda: b"installed",
    table=_installed_table,
    injection=_installed_injection,
    safety=_installed_safety,
    names=_installed_names,
)
"""Those that come with the package, loaded once for a whole process."""
