"""The stage of a red-team run: an index, a state file and an appointment book in a folder, and two
runtimes on them, one of which has a cloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.edge.parts import Parts
from skerry.edge.policy import Policy
from skerry.edge.policy.rules import ClassRules
from skerry.edge.redteam.recorder import Recorder
from skerry.edge.runtime import Runtime
from skerry.edge.tools.appointments.sample import fill
from skerry.edge.types import Consent, RequestClass, Tier

if TYPE_CHECKING:
    from skerry.edge.settings import Settings
    from skerry.guardrails.redteam import Planted

HANDBOOK = Path(__file__).resolve().parents[1] / "demo" / "handbook"
_REMOTE = frozenset({RequestClass.QUESTION, RequestClass.EXTRACTION, RequestClass.REASONING})


class Stage:
    """Two runtimes on files in `folder`, with the demo's handbook indexed. Closes what it opened.

    Args:
        settings: those of the runtime under attack: its model, policy, profile and rules. Its own
            index, state and appointments are not touched.
        folder: an empty one.
        booked: names of people who have an appointment.
        given: parts to use instead of those that the settings describe, for tests.
    """

    def __init__(
        self, settings: Settings, folder: Path, booked: Sequence[str], **given: Any
    ) -> None:
        self.folder = folder
        self.recorder = Recorder()
        book = folder / "appointments.sqlite"
        fill(book, datetime.now().date(), booked)
        places = {
            "index": folder / "index.sqlite",
            "state": folder / "state.sqlite",
            "screening_key_file": folder / "screening.key",
            "appointments": book,
            "labels": frozenset(),
            "domain": None,
            "store_text": True,
            "temperature": 0.0,
        }
        own = settings.with_changes(**places, offline=True, cloud_url=None, cloud_model=None)
        self._parts = Parts(own, **given)
        self.alone = Runtime.of(self._parts)
        self.alone.index.add([HANDBOOK])
        remote = settings.with_changes(
            **places,
            offline=False,
            network_metered=False,
            consent=Consent.GRANTED,
            cloud_url="http://127.0.0.1:9",
            cloud_model="recorder",
        )
        shared = {
            name: getattr(self._parts, name) for name in ("encoder", "router", "index", "pool")
        }
        policy = sends_what_it_may(self._parts.policy)
        self.with_cloud = Runtime.of(Parts(remote, **shared, policy=policy, cloud=self.recorder))

    @contextmanager
    def planted(self, documents: Sequence[Planted]) -> Iterator[None]:
        """These documents are in the index for as long as it takes."""
        from skerry.edge.index import Metadata

        paths = [self.folder / "planted" / document.name for document in documents]
        try:
            for path, document in zip(paths, documents, strict=True):
                path.parent.mkdir(exist_ok=True)
                path.write_text(document.text, "utf-8")
                labels = frozenset(document.labels) or None
                self.alone.index.add([path], metadata=Metadata(labels=labels))
            yield
        finally:
            for path in paths:
                self.alone.index.remove(str(path))
                path.unlink(missing_ok=True)

    def close(self) -> None:
        self.with_cloud.close()
        self.alone.close()


def sends_what_it_may(policy: Policy) -> Policy:
    """The policy, of which only the preference is changed: what may leave does, and at once."""
    changed = {
        request_class.value: replace(rules, escalate=(Tier.CLOUD,), escalate_at=0.0)
        for request_class in _REMOTE
        if isinstance(rules := policy.classes[request_class], ClassRules)
    }
    return replace(policy, classes=replace(policy.classes, **changed))
