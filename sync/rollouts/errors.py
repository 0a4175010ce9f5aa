"""What can be wrong with a rollout.

```
SyncError
└── RolloutError
    ├── PlanError    the plan contradicts itself, or is out of bounds (names the field)
    └── NotAllowed   not in this state, or not by this person
```
"""

from __future__ import annotations

from skerry.sync.errors import SyncError


class RolloutError(SyncError):
    code = "rollout"
    exit_code = 2


class PlanError(RolloutError):
    code = "rollout_plan"


class NotAllowed(RolloutError):
    code = "rollout_not_allowed"
