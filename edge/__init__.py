"""The runtime on the device.

```python
from skerry.edge import Runtime

with Runtime(offline=True) as runtime:
    runtime.index.add(["handbook/"])
    print(runtime.ask("How often is the emergency trolley checked?").text)
```

Names are loaded when they are first used, so that importing this package costs little.
"""

from __future__ import annotations

if __name__ != "skerry.edge":
    raise ImportError(f"import this package as skerry.edge, not as {__name__}")

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skerry.edge.errors import EdgeError as EdgeError
    from skerry.edge.events import Citation as Citation
    from skerry.edge.events import Event as Event
    from skerry.edge.events import Finished as Finished
    from skerry.edge.events import Reply as Reply
    from skerry.edge.events import RouteDecided as RouteDecided
    from skerry.edge.events import SourcesFound as SourcesFound
    from skerry.edge.events import TextReleased as TextReleased
    from skerry.edge.events import TierFailed as TierFailed
    from skerry.edge.index import Index as Index
    from skerry.edge.receipts import Receipt as Receipt
    from skerry.edge.request import Request as Request
    from skerry.edge.runtime import Runtime as Runtime
    from skerry.edge.settings import Settings as Settings
    from skerry.edge.types import Consent as Consent
    from skerry.edge.types import RequestClass as RequestClass
    from skerry.edge.types import Route as Route
    from skerry.edge.types import Sensitivity as Sensitivity
    from skerry.edge.types import Tier as Tier

_HOME = {
    "EdgeError": "errors",
    "Citation": "events",
    "Event": "events",
    "Finished": "events",
    "Reply": "events",
    "RouteDecided": "events",
    "SourcesFound": "events",
    "TextReleased": "events",
    "TierFailed": "events",
    "Index": "index",
    "Receipt": "receipts",
    "Request": "request",
    "Runtime": "runtime",
    "Settings": "settings",
    "Consent": "types",
    "RequestClass": "types",
    "Route": "types",
    "Sensitivity": "types",
    "Tier": "types",
}
__all__ = sorted(_HOME)  # noqa: PLE0605  one list, not two that drift apart


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"skerry.edge.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
