"""Examines this machine and this installation: what works, what does not, what fits.

`examine` gives plain data; drawing it is the command line's work. Nothing is changed, and
nothing is sent anywhere unless a cloud is configured and Skerry is not offline.
"""

from __future__ import annotations

from skerry.edge.doctor.examination import examine
from skerry.edge.doctor.report import SCHEMA, THIS_MACHINE, Check, ModelFits, Report, Status

__all__ = ["SCHEMA", "THIS_MACHINE", "Check", "ModelFits", "Report", "Status", "examine"]
