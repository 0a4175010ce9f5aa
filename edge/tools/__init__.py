"""Tools: typed functions that a request may have done, behind guards that no model can open.

```python
from skerry.edge.tools import Registry, tool

@tool
def fridge_temperature(fridge: str) -> str:
    "Tell the temperature of a fridge now."
    return f"{fridge}: 4 °C"

registry = Registry()
registry.add(fridge_temperature, roles=["user"])
```

What a tool is, is in `definition`; who may run it, how often and when, in `rules` and `toolbox`;
how a request is understood, in `plan`. Names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skerry.edge.tools.definition import Context as Context
    from skerry.edge.tools.definition import Impact as Impact
    from skerry.edge.tools.definition import Tool as Tool
    from skerry.edge.tools.definition import Unclear as Unclear
    from skerry.edge.tools.definition import tool as tool
    from skerry.edge.tools.errors import SoftFail as SoftFail
    from skerry.edge.tools.errors import ToolInvalid as ToolInvalid
    from skerry.edge.tools.registry import Registry as Registry
    from skerry.edge.tools.result import Outcome as Outcome
    from skerry.edge.tools.result import Result as Result
    from skerry.edge.tools.rules import ToolRules as ToolRules
    from skerry.edge.tools.rules import load_rules as load_rules
    from skerry.edge.tools.toolbox import Confirmation as Confirmation
    from skerry.edge.tools.toolbox import Toolbox as Toolbox

_HOME = {
    "SoftFail": "errors",
    "ToolInvalid": "errors",
    "Registry": "registry",
    "Outcome": "result",
    "Result": "result",
    "ToolRules": "rules",
    "load_rules": "rules",
    "Context": "definition",
    "Impact": "definition",
    "Tool": "definition",
    "Unclear": "definition",
    "tool": "definition",
    "Confirmation": "toolbox",
    "Toolbox": "toolbox",
}
__all__ = sorted(_HOME)  # noqa: PLE0605  one list, not two that drift apart


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"skerry.edge.tools.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
