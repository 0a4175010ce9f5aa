"""What would be made of a model for which devices: before anything is made. Pure but for `subject`.

`subject` says what there is to know of a source, `sizes` how large its variants would be, `plan`
which of them suit which device profile.
"""

from __future__ import annotations

from skerry.export.planning.plan import Candidate, Plan, Planned, Refusal, Wishes, make_plan
from skerry.export.planning.subject import Subject, read_folder

__all__ = [
    "Candidate",
    "Plan",
    "Planned",
    "Refusal",
    "Subject",
    "Wishes",
    "make_plan",
    "read_folder",
]
