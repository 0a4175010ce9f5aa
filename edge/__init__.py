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
