"""The models of this machine, with the one of the bundle: it is found by its path alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skerry.guardrails.once import Once

if TYPE_CHECKING:
    from skerry.edge.bundled import Bundled
    from skerry.edge.engines.models import ModelSpec
    from skerry.edge.engines.pool import Specs


class WithBundle:
    """`others`, and the bundle's model with its adapters and its chat template."""

    def __init__(self, others: Specs, bundled: Bundled) -> None:
        self._others, self._path = others, str(bundled.model)
        self._spec = Once(bundled.spec)  # what is loaded goes on where the bundle is gone

    def models(self) -> Sequence[ModelSpec]:
        return self._others.models()

    def find(self, wanted: str) -> ModelSpec:
        """Raises what `Catalogue.find` does, and BundleRefused where a file was changed."""
        return self._spec() if wanted == self._path else self._others.find(wanted)
